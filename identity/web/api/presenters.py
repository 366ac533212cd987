"""How a cluster looks from outside. Plain dicts for JSON; nothing is looked up here."""

import json
from collections.abc import Iterable
from typing import Any

from identity.clusters import Cluster, Member
from identity.errors import IdentityError, InvalidInput
from identity.evidence import Named
from identity.explaining import HeldBack, Step, Why
from identity.portraying.graphs import Graph
from identity.reconciliation import Looked, Outcome
from identity.rulings import kinds
from identity.rulings.plans import published as summary
from identity.rulings.register import Registered, Said

# As Flask would, in half of the time.
as_json = json.JSONEncoder(separators=(",", ":")).encode


def answer(outcome: Outcome | Looked) -> dict[str, Any]:
    """Return the published answer: the customer, whole."""
    return {"contact": summary(outcome.cluster)} | kept(outcome)


def masked(outcome: Outcome) -> dict[str, Any]:
    """Return what lets a caller join customers without reading them."""
    cluster = outcome.cluster
    emails, phone_numbers = cluster.emails, cluster.phone_numbers
    shown = masked_customer(cluster.primary_id, len(cluster.members), emails, phone_numbers)
    return {"contact": shown} | kept(outcome)


def masked_customer(
    primary_id: int, contacts: int, emails: Iterable[str], phone_numbers: Iterable[str]
) -> dict[str, Any]:
    """Return how many contacts a customer has, and what they say, masked."""
    return {
        "primaryContatctId": primary_id,
        "primaryContactId": primary_id,
        "contactCount": contacts,
        "emails": [mask_email(email) for email in emails],
        "phoneNumbers": [mask_phone_number(number) for number in phone_numbers],
    }


def kept(outcome: Outcome | Looked) -> dict[str, Any]:
    """Return what rulings had to do with it; nothing, nearly always."""
    kept: dict[str, Any] = {}
    if outcome.kept_apart_from is not None:
        kept["keptApartFrom"] = outcome.kept_apart_from
    if outcome.links_nobody is not None:
        kept["linksNobody"] = outcome.links_nobody.field
    return kept


def problem(error: IdentityError) -> dict[str, Any]:
    """Return why a call of a batch is not answered with a customer."""
    fields = error.fields if isinstance(error, InvalidInput) else {}
    return {"error": str(error), "fields": fields}


def mask_email(email: str) -> str:
    """Return an email of which only the first letter and the domain can be read."""
    name, _, domain = email.rpartition("@")
    return f"{name[0] if len(name) > 1 else ''}***@{domain}"


def mask_phone_number(number: str) -> str:
    """Return a phone number of which only the last three digits can be read."""
    digits = "".join(filter(str.isdigit, number.partition(";")[0]))
    return f"***{digits[-3:] if len(digits) > 5 else ''}"


def answer_with_contacts(
    cluster: Cluster, held: list[HeldBack], named: list[Named]
) -> dict[str, Any]:
    """Return the published answer, and what it was made from."""
    return {
        "contact": summary(cluster),
        "contacts": [contact(member) for member in cluster.members],
        "held": [held_back(each) for each in held],
        "references": [
            {"source": each.source, "reference": each.reference or None, "name": each.name or None}
            for each in named
        ],
    }


def held_back(held: HeldBack) -> dict[str, Any]:
    """Return a pair that was told and joins nobody."""
    return {
        "email": held.email,
        "phoneNumber": held.phone_number,
        "sources": held.sources,
        "keptApartFrom": held.kept_apart_from,
        "ruling": held.ruling_id,
    }


def contact(member: Member) -> dict[str, Any]:
    """Return one contact, with the published table's words in JSON's spelling."""
    return {
        "id": member.id,
        "email": member.email,
        "phoneNumber": member.phone_number,
        "linkedId": member.linked_id,
        "linkPrecedence": member.precedence.value,
        "createdAt": member.created_at.isoformat(),
    }


def graph(graph: Graph, primary_id: int) -> dict[str, Any]:
    """Return the identifiers of a customer and the links between them, ends by name."""
    return {
        "nodes": [
            {
                "name": point.name,
                "kind": point.kind.value,
                "value": point.value,
                "primary": point.contact_id == primary_id,
            }
            for point in graph.points
        ],
        "edges": [
            {
                "email": edge.email.name,
                "phone": edge.phone.name,
                "source": edge.sources[0],
                "sources": edge.sources,
                "firstSeenAt": edge.first_seen_at.isoformat(),
            }
            for edge in graph.edges
        ],
    }


def ruling(registered: Registered) -> dict[str, Any]:
    """Return a ruling: what it names, who said so, and whether it still stands."""
    withdrawn = registered.withdrawn
    return (
        {"id": registered.id}
        | kinds.as_json(registered.what)
        | _said(registered.said)
        | {"withdrawn": withdrawn and _said(withdrawn)}
    )


def ruled(registered: Registered, plan: dict[str, Any]) -> dict[str, Any]:
    """Return a ruling and what it changed."""
    return {"ruling": ruling(registered), "plan": plan}


def _said(said: Said) -> dict[str, Any]:
    return {"by": said.by, "at": said.at.isoformat(), "reason": said.reason}


def why(why: Why) -> dict[str, Any]:
    """Return what leads from one identifier to another, or is held between them."""
    return {
        "one": kinds.reference(why.one),
        "other": kinds.reference(why.other),
        "customers": why.customers,
        "chain": [_step(step) for step in why.chain],
        "held": [held_back(each) for each in why.held],
    }


def _step(step: Step) -> dict[str, Any]:
    left = None if step.left is None else [summary(cluster) for cluster in step.left]
    return {
        "email": step.email,
        "phoneNumber": step.phone_number,
        "tellings": [
            {
                "source": telling.source,
                "toldAt": telling.told_at.isoformat(),
                "date": telling.dated_at.isoformat(),
                "import": telling.import_id,
            }
            for telling in step.tellings
        ],
        "bridge": left is not None,
        "left": left,
    }
