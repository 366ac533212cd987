"""Rulings in words: what each says, what it would do, and what the button says that does it."""

from collections.abc import Mapping
from typing import Any

from flask import url_for
from markupsafe import Markup

from identity.counting import counted
from identity.identifiers import Value
from identity.rulings.kinds import (
    Apart,
    ClaimWithdrawn,
    ImportWithdrawn,
    LinksNobody,
    RulingKind,
    SourceWithdrawn,
    Unnamed,
    What,
)
from identity.web.pages.wording import dated, isolated

KINDS = {
    RulingKind.APART: "Kept apart",
    RulingKind.LINKS_NOBODY: "Links nobody",
    RulingKind.WITHDRAWN: "Not told",
}
"""What lists call each kind."""


def sentence(what: What) -> Markup:
    """Return what a ruling says."""
    match what:
        case Apart(one, other):
            return Markup("{} and {} are never the same customer's.").format(_bdi(one), _bdi(other))
        case LinksNobody(value):
            return Markup("{} links nobody.").format(_bdi(value))
        case ImportWithdrawn(import_id):
            address = url_for("web.one_import", import_id=import_id)
            return Markup('What <a href="{}">import {}</a> told counts as not told.').format(
                address, counted(import_id)
            )
        case SourceWithdrawn(source, since, until):
            return Markup("What {} told from {} until {} counts as not told.").format(
                isolated(source), dated(since, exact=True), dated(until, exact=True)
            )
        case ClaimWithdrawn(email, phone_number, source):
            told = Markup(" with ").join(isolated(each) for each in (email, phone_number) if each)
            by = Markup(", as {} told it,").format(isolated(source)) if source else ""
            return Markup("{}{} counts as not told.").format(told, by)
        case Unnamed():
            return Markup("What it named was forgotten.")
    raise AssertionError(what)


def title(what: What, plan: Mapping[str, Any] | None) -> str:
    """Return what the page of a plan is called."""
    match what:
        case Apart():
            return "Take apart" if plan and changes_anybody(plan) else "Keep apart"
        case ImportWithdrawn(import_id):
            return f"Undo import {counted(import_id)}"
    return KINDS[what.kind]


def button(what: What, plan: Mapping[str, Any]) -> Markup:
    """Return what the button says that applies a ruling: its effect, and for how many."""
    effect = becomes(plan)
    match what:
        case Apart() if not effect:
            return Markup("Keep these two apart")
        case Apart():
            before, after = _sides(plan)
            if before == 1:
                return Markup("Take apart into {}").format(counted(after, "customer"))
            return Markup("Take apart: {}").format(effect)
        case LinksNobody(value):
            return _with_effect(Markup("Let {} link nobody").format(_bdi(value)), effect)
        case ImportWithdrawn(import_id):
            return _with_effect(Markup("Undo import {}").format(counted(import_id)), effect)
        case SourceWithdrawn(source):
            return _with_effect(Markup("Undo what {} told").format(isolated(source)), effect)
    return _with_effect(Markup("Count it as not told"), effect)


def undo_button(ruling_id: int, plan: Mapping[str, Any]) -> Markup:
    """Return what the button says that undoes a ruling."""
    return _with_effect(Markup("Undo ruling {}").format(counted(ruling_id)), becomes(plan))


def becomes(plan: Mapping[str, Any]) -> str:
    """Return what becomes of how many customers; nothing when nobody changes."""
    before, after = _sides(plan)
    if not changes_anybody(plan):
        return ""
    if before == after:
        return f"{counted(before, 'customer')} {'changes' if before == 1 else 'change'}"
    if not after:
        return f"{counted(before, 'customer')} {'ceases' if before == 1 else 'cease'}"
    if not before:
        return f"{counted(after, 'customer')} {'comes' if after == 1 else 'come'} back"
    return f"{counted(before, 'customer')} {'becomes' if before == 1 else 'become'} {after:,}"


def changes_anybody(plan: Mapping[str, Any]) -> bool:
    """Tell whether any customer changes by a plan."""
    return bool(plan["changes"])


def _sides(plan: Mapping[str, Any]) -> tuple[int, int]:
    return plan["customers"]["before"], plan["customers"]["after"]


def _with_effect(said: Markup, effect: str) -> Markup:
    return Markup("{}: {}").format(said, effect) if effect else said


def _bdi(value: Value) -> Markup:
    return isolated(value.text)
