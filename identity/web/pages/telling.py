"""How each kind of event is told: in the filter, after a submission, in the ledger.

A new kind is told here and nowhere else, and a test holds that each is. A kind that is not
here raises, because a line told as something else would be false.
"""

from collections.abc import Callable
from dataclasses import dataclass
from string import Formatter
from typing import Any

from flask import url_for
from markupsafe import Markup

from identity.activity import Imported
from identity.counting import counted
from identity.events import Entry
from identity.identifiers import Kind
from identity.models import EventKind
from identity.retaining import accounts

NAMED = 5
"""Customers that a line names, at most. A value that linked hundreds would fill a page."""
NOTHING_NEW = "Nothing new: all of this was already known."
KEPT_APART = "A ruling keeps the phone number's customer apart from this one."
LINKS_NOBODY = {
    Kind.EMAIL: "The email links nobody, by a ruling, and counts as not given.",
    Kind.PHONE: "The phone number links nobody, by a ruling, and counts as not given.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Telling:
    """How one kind of event is told."""

    label: str
    """What the filter of the activity calls it."""
    sentence: str
    """A line of the ledger, with the names of `PIECES` in braces."""
    flash: str | None = None
    """What is said to whoever made it happen with the form; None when the form cannot."""


TOLD = {
    "contact_created": Telling(
        label="New customers",
        sentence="{given} came from somebody new: {customer}.",
        flash="This is a new customer.",
    ),
    "contact_linked": Telling(
        label="New contacts",
        sentence="{given} added contact {contact} to {customer}.",
        flash="A new contact was added to this customer.",
    ),
    "clusters_merged": Telling(
        label="Merges",
        sentence="{given} came together: customer {contact}, with {moved}, became part of "
        "{customer}.",
        flash="Two customers turned out to be one, and are one now.",
    ),
    "primary_changed": Telling(
        label="Older primaries",
        sentence="{given} is older than customer {contact}, with {moved}, and stands for all of "
        "it now: {customer}.",
        flash="An older contact is the primary now.",
    ),
    "link_seen": Telling(
        label="New links",
        sentence="{given} of {customer} came together for the first time.",
        flash="Both were known; that they belong together is now on record.",
    ),
    "held": Telling(
        label="Kept apart",
        sentence="{given} came together for the first time, and a ruling keeps them apart: see "
        "{customer}.",
        flash="Both are on record, and a ruling keeps them apart.",
    ),
    "ruled": Telling(
        label="Rulings",
        sentence="{Ruling} was applied: {said}{reason}.",
    ),
    "ruling_withdrawn": Telling(
        label="Rulings undone",
        sentence="{Ruling}, that {said}, was undone{reason}.",
    ),
    "customer_changed": Telling(
        label="Changed by rulings",
        sentence="Because of {ruling}, {customer} {changed}.",
    ),
    "customer_mended": Telling(
        label="Put right",
        sentence="The tables said otherwise than the evidence, and {customer} was put right. "
        "Before, it was {before}.",
    ),
    "customer_erased": Telling(
        label="Forgotten",
        sentence="A person was forgotten: {customer} {changed}.",
    ),
    "swept": Telling(
        label="Kept no longer",
        sentence="Kept no longer, and removed: {swept} from before {until}.",
    ),
}
"""By the kind's value, as it stands in the table."""
BROUGHT: dict[str, Callable[[int], str]] = {
    "customers": lambda number: counted(number, "new customer"),
    "contacts": lambda number: f"{counted(number, 'contact')} added",
    "merged": lambda number: counted(number, "merge"),
    "held": lambda number: f"{counted(number, 'row')} kept apart",
    "rejected": lambda number: f"{counted(number, 'row')} rejected",
}
"""What an import counts, and how that is told."""
RULED = {
    "apart": "two identifiers are never of one customer",
    "links_nobody": "a value links nobody",
    "withdrawn": "something told counts as not told",
}
"""What each kind of ruling says."""


def kinds() -> dict[EventKind, str]:
    """Return what the filter calls each kind."""
    return {kind: TOLD[kind].label for kind in EventKind}


def flash(kind: str | None) -> str:
    """Return what a submission did; None is for one that brought nothing new."""
    said = NOTHING_NEW if kind is None else TOLD[kind].flash
    if said is None:
        raise LookupError(f"A submission cannot do this: {kind}.")
    return said


def sentence(entry: Entry) -> Markup:
    """Return a line of the ledger, with links to its customers."""
    text = TOLD[entry.kind].sentence
    pieces = {name: PIECES[name](entry) for _, name, _, _ in Formatter().parse(text) if name}
    return Markup(text).format(**pieces)  # noqa: S704


def imported(line: Imported) -> Markup:
    """Return an import as one line, with what it brought."""
    name = Markup('<a href="{}">Import {}</a>').format(
        url_for("web.one_import", import_id=line.id), line.id
    )
    brought = [say(line.counts[name]) for name, say in BROUGHT.items() if line.counts.get(name)]
    if not any(line.counts.get(name) for name in ("customers", "contacts", "merged")):
        brought.insert(0, "nothing new")
    end = ", ".join(brought)
    if line.finished_at is None:
        end += ", and it is not finished"
    return Markup("{} of <bdi>{}</bdi>: {}.").format(name, line.file_name, end)


def _given(entry: Entry) -> Markup:
    values = [value for value in (entry.email, entry.phone_number) if value is not None]
    if not values:
        # Nobody tells nothing: it was erased since.
        return Markup("What was erased")
    return Markup(" and ").join(Markup("<bdi>{}</bdi>").format(value) for value in values)


def _customer(id_: int | None) -> Markup:
    if id_ is None:
        return Markup("nobody")
    address = url_for("web.cluster", contact_id=id_)
    return Markup('<a href="{}">customer {}</a>').format(address, id_)


def _customers(ids: list[int | None]) -> Markup:
    told = Markup(", ").join(map(_customer, ids[:NAMED] or [None]))
    if len(ids) > NAMED:
        told += f" and {counted(len(ids) - NAMED, 'other')}"
    return told


def _ruling(entry: Entry, called: str) -> Markup:
    id_ = _detail(entry, "ruling")
    address = url_for("web.ruling_page", ruling_id=id_)
    return Markup('<a href="{}">{} {}</a>').format(address, called, counted(id_))


def _contacts(ids: list[int]) -> str:
    return counted(len(ids), "contact")


def _changed(entry: Entry) -> Markup | str:
    """Return what became of the customer, in the words that follow its name."""
    before, after = _detail(entry, "before"), (entry.detail or {}).get("after")
    if after == []:
        return "ceased"
    if not before:
        return "came to be"
    others = [id_ for id_ in before if id_ != entry.primary_id]
    if len(others) == len(before):
        return Markup("came to be, from {}").format(_customers(before))
    if others:
        return Markup("took in what was with {}").format(_customers(others))
    return "changed"


def _detail(entry: Entry, name: str) -> Any:
    return (entry.detail or {})[name]


PIECES: dict[str, Callable[[Entry], object]] = {
    "given": _given,
    "customer": lambda entry: _customer(entry.primary_id),
    "contact": lambda entry: entry.contact_id,
    "moved": lambda entry: _contacts(_detail(entry, "moved")),
    "ruling": lambda entry: _ruling(entry, "ruling"),
    "Ruling": lambda entry: _ruling(entry, "Ruling"),
    "reason": lambda entry: f", because “{reason}”" if (reason := _detail(entry, "reason")) else "",
    "said": lambda entry: RULED[_detail(entry, "kind")],
    "changed": _changed,
    "before": lambda entry: _customers(_detail(entry, "before")),
    "swept": lambda entry: accounts.told(entry.detail or {}),
    "until": lambda entry: _detail(entry, "until")[:10],
}
"""What a sentence may be made of."""
