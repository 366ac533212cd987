"""What somebody chooses on the plan of an import, as its form has it.

Values and customers are sealed in it, so that the page need not spell them twice.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from flask import request

from identity.caution.choosing import Choices
from identity.identifiers import Value, referred
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


def of_suspects(plan: Mapping[str, Any]) -> list[Choice]:
    """Return the boxes for what strangers share, of a plan as it is shown."""
    return [
        Choice(each, _field(each), _seal((referred(each["value"]),), VALUE), each["chosen"])
        for each in plan["suspects"]
    ]


def of_merges(plan: Mapping[str, Any]) -> list[Choice]:
    """Return the boxes for those who would become one; "" is sealed where there is no box."""
    return [
        Choice(each, "apart", _seal(_group(each["group"]), APART) if each["group"] else "", False)
        for each in plan["merges"]
    ]


def of_left_out(plan: Mapping[str, Any]) -> list[Choice]:
    """Return the boxes for those who are kept apart by choice."""
    return [Choice(each, "apart", _seal(_group(each), APART), True) for each in plan["left_out"]]


def _group(named: Iterable[Mapping[str, str]]) -> Group:
    return tuple(referred(each) for each in named)


def _field(suspect: Mapping[str, Any]) -> str:
    # What somebody let link again links by default, and is to be told from the others.
    return "shown" if suspect["undone"] is None else "undone"


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
