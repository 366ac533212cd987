"""What somebody chooses on the plan of an import, as its form has it.

Values and customers are sealed in it, so that the page need not spell them twice.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from flask import request

from identity.caution.choosing import Choices
from identity.caution.planning import Merge, Plan, identifiers_of
from identity.caution.suspects import Suspect
from identity.identifiers import Value
from identity.web.pages import sealed

VALUE, APART = "value of a choice", "choice"
Group = tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class Choice:
    """A box to tick: whether a value links nobody, or customers are kept apart."""

    about: Any
    field: str
    """In which the form says that it was shown."""
    sealed: str
    chosen: bool


def of_suspects(plan: Plan, most: int) -> list[Choice]:
    """Return the boxes for what strangers share."""
    choices = replace(plan.choices, as_it_is=False)
    return [
        Choice(each, _field(each), _seal((each.value,), VALUE), choices.links_nobody(each))
        for each in plan.found.suspects[:most]
    ]


def of_merges(plan: Plan, most: int) -> list[Choice]:
    """Return the boxes for those who would become one; "" is sealed where there is no box."""
    nobody = [each.value for each in plan.nobody]
    return [_of_merge(each, nobody) for each in plan.merges(most)]


def of_left_out(plan: Plan) -> list[Choice]:
    """Return the boxes for those who are kept apart by choice."""
    return [Choice(group, "apart", _seal(group, APART), True) for group in plan.choices.apart]


def _of_merge(merge: Merge, nobody: Iterable[Value]) -> Choice:
    group = identifiers_of(merge.customers, nobody) if merge.may_be_left_out else ()
    return Choice(merge, "apart", _seal(group, APART) if len(group) > 1 else "", False)


def _field(suspect: Suspect) -> str:
    # What somebody let link again links by default, and is to be told from the others.
    return "shown" if suspect.undone is None else "undone"


def sent(kept: Choices) -> Choices:
    """Return what the form says; what was `kept` where it says nothing."""
    if "choices" not in request.form:
        return kept
    shown, undone, nobody = (
        {value for (value,) in _groups(name, VALUE)} for name in ("shown", "undone", "nobody")
    )
    # Of what was too much to be shown, nothing was chosen.
    return Choices(
        "as_it_is" in request.form,
        frozenset((kept.linking - shown) | (shown - nobody)),
        frozenset((kept.nobody - undone) | (undone & nobody)),
        tuple(dict.fromkeys(_groups("apart", APART))),
    )


def _seal(group: Group, purpose: str) -> str:
    return sealed.seal(Choices(apart=(group,)).as_json()["apart"][0], purpose)


def _groups(name: str, purpose: str) -> list[Group]:
    # What was sealed for a box of the other kind is refused: it may hold several values, or one.
    opened = (sealed.unseal(each, purpose) for each in request.form.getlist(name))
    return list(Choices.from_json({"apart": list(opened)}).apart)
