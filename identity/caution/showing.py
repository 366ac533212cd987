"""The plan of an import as it is shown and kept: a value that JSON can hold, and a fingerprint.

A plan takes as long to make as reading its file, so it is made once, and looked at often.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from sqlalchemy import func, select

from identity import database
from identity.caution.planning import Merge, Plan, identifiers_of
from identity.caution.suspects import Suspect
from identity.clusters import Cluster
from identity.deciding import NEW
from identity.identifiers import Value
from identity.models import Claim, Event
from identity.rulings.kinds import reference

SHOWN = 50
"""Suspects, merges and doubts in a plan; all are counted."""
CUSTOMERS, IDENTIFIERS = 12, 6
"""Customers of a merge, and identifiers of each of those."""

_STANDING = select(
    select(func.max(Claim.id)).scalar_subquery(), select(func.max(Event.id)).scalar_subquery()
)


def standing() -> list[int]:
    """Return what is another whenever something was told or ruled that a plan may depend on."""
    row = database.read(lambda connection: connection.execute(_STANDING).one())
    return [number or 0 for number in row]


def shown(plan: Plan) -> dict[str, Any]:
    """Return all that is shown of a plan."""
    merges, doubts = plan.tally.unions(), plan.tally.doubts()
    nobody = [each.value for each in plan.nobody]
    return {
        "counts": plan.tally.counts(),
        "nobody": len(plan.nobody),
        "more": plan.more,
        "more_otherwise": plan.more_otherwise,
        "split": list(plan.split),
        "suspects": [_suspect(plan, each) for each in plan.found.suspects[:SHOWN]],
        "suspects_left": max(0, len(plan.found.suspects) - SHOWN),
        "suspects_more": plan.found.more,
        "merges": [_merge(each, nobody) for each in plan.merges(SHOWN)],
        "merges_left": max(0, len(merges) - SHOWN),
        "left_out": [_named(group) for group in plan.choices.apart],
        "doubts": [
            {
                "column": legible(each.column),
                "reason": each.reason,
                "count": each.count,
                "examples": [[line, legible(value)] for line, value in each.examples],
            }
            for each in doubts[:SHOWN]
        ],
        "doubts_left": max(0, len(doubts) - SHOWN),
    }


def fingerprint(shown: Mapping[str, Any]) -> str:
    """Return what changes when anything that is shown of a plan does."""
    return hashlib.sha256(json.dumps(shown, sort_keys=True).encode()).hexdigest()


def legible(text: str) -> str:
    """Return what a file holds as a page can show it: without bytes that are no text."""
    return text.encode("utf-8", "replace").decode().replace("\0", "")


def _suspect(plan: Plan, suspect: Suspect) -> dict[str, Any]:
    return {
        "value": reference(suspect.value),
        "kind": suspect.value.kind.noun,
        "shared": suspect.shared,
        "looks": suspect.looks,
        "strangers": suspect.strangers,
        "undone": suspect.undone,
        # Of an import as it is none does, and each says what it would do otherwise.
        "chosen": replace(plan.choices, as_it_is=False).links_nobody(suspect),
    }


def _merge(merge: Merge, nobody: Iterable[Value]) -> dict[str, Any]:
    group = identifiers_of(merge.customers, nobody) if merge.may_be_left_out else ()
    members = merge.union.members
    return {
        "members": [_id(each) for each in members[:CUSTOMERS]],
        "left": max(0, len(members) - CUSTOMERS),
        "primary": merge.union.primary and _id(merge.union.primary),
        "overtaken": merge.union.primary is None,
        "customers": [_customer(each) for each in merge.customers[:CUSTOMERS]],
        "joins": [{"line": call.line, "told": _named(call.values())} for call in merge.joins],
        "group": _named(group) if len(group) > 1 else [],
    }


def _customer(cluster: Cluster) -> dict[str, Any]:
    told = list(cluster.values())
    return {
        "id": _id(cluster.primary_id),
        "told": _named(told[:IDENTIFIERS]),
        "left": max(0, len(told) - IDENTIFIERS),
    }


def _id(number: int) -> int | None:
    """Return the id of a customer; None for one that a ruling of the import would make."""
    return number if number < NEW else None


def _named(values: Iterable[Value]) -> list[dict[str, str]]:
    return [reference(each) for each in values]
