"""Findings in words: what each says, where it leads, and the ruling that fits."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import url_for
from markupsafe import Markup
from sqlalchemy import Connection

from identity.counting import counted
from identity.identifiers import Identifiers, Value
from identity.identifiers import Kind as Of
from identity.reviewing import checking, country_codes, held, joints, values
from identity.reviewing.customers import first_emails
from identity.reviewing.findings import Kind, Noted
from identity.rulings.kinds import Apart, LinksNobody, What
from identity.rulings.register import Registered
from identity.web.pages import adding, previews
from identity.web.pages.finding_titles import title
from identity.web.pages.ruling_words import sentence
from identity.web.pages.wording import isolated


@dataclass(frozen=True, slots=True)
class Fits:
    """What may be done about a finding: where it leads, and what that is called."""

    address: str
    called: Markup


@dataclass(frozen=True, slots=True)
class Shown:
    """A finding, as it stands on the page."""

    id: int
    title: Markup
    told: Markup
    customers: list[int]
    fits: list[Fits]
    found_at: datetime
    fine_before: Noted | None
    """With whoever said it is fine, before it doubled."""


def shown(connection: Connection, kind: Kind, kept: Sequence[Noted], many: int) -> list[Shown]:
    """Return those of some findings that still hold, in words."""
    customers = checking.glance(connection, kind, kept, many)
    still = [each for each in kept if each.id in customers]
    rulings: dict[int, Registered] = {}
    emails: dict[int, str] = {}
    if kind is Kind.HELD_AGAIN:
        rulings = held.rulings(connection, [int(each.subject) for each in still])
    elif kind is Kind.COUNTRY_CODE:
        emails = first_emails(connection, {id_ for each in customers.values() for id_ in each})
    return [_shown(each, customers[each.id], rulings, emails) for each in still]


def _shown(
    kept: Noted, customers: list[int], rulings: dict[int, Registered], emails: dict[int, str]
) -> Shown:
    told, fits = Markup(), list[Fits]()
    match kept.kind:
        case Kind.FILLER | Kind.SHARED:
            told, fits = _value(kept)
        case Kind.BRIDGE:
            told, fits = _bridge(kept)
        case Kind.LARGE_MERGE:
            told, fits = _merge(kept)
        case Kind.HELD_AGAIN:
            told, fits = _tried(kept, rulings[int(kept.subject)])
        case Kind.COUNTRY_CODE:
            told, fits = _numbers(kept, customers, emails)
    before = kept if kept.fine_at else None
    return Shown(kept.id, title(kept), told, customers, fits, kept.found_at, before)


def _value(kept: Noted) -> tuple[Markup, list[Fits]]:
    value, detail = values.named(kept.subject), kept.detail
    reason = Markup("It looks like nobody's: {}. ").format(detail["reason"] or "")
    others = Markup(", ").join(isolated(each) for each in detail["examples"])
    with_ = Markup("Given with {}{}.").format(
        others, " and others" if kept.many > len(detail["examples"]) else ""
    )
    have = "has a name" if detail["named"] == 1 else "have names"
    named = Markup(" {} of them {}.").format(counted(detail["named"]), have)
    told = Markup("{}{}{}").format(
        reason if detail["reason"] else "",
        with_ if others else "",
        named if detail["named"] else "",
    )
    links = Markup("Let {} link nobody…").format(isolated(value.text))
    return told, [Fits(_address(LinksNobody(value), kept.kind), links)]


def _bridge(kept: Noted) -> tuple[Markup, list[Fits]]:
    sides = (_side(kept.detail[name]) for name in ("email_side", "phone_side"))
    told = Markup("Without that there would be two: {}, and {}.").format(*sides)
    return told, [_apart(*joints.named(kept.subject), kept.kind)]


def _side(side: dict[str, int]) -> str:
    return (
        f"{counted(side['contacts'], 'contact')} ({counted(side['emails'], 'email')} and "
        f"{counted(side['phones'], 'phone number')})"
    )


def _apart(email: str, phone: str, kind: Kind) -> Fits:
    what = Apart(Value(Of.EMAIL, email), Value(Of.PHONE, phone))
    called = Markup("Take {} and {} apart…").format(isolated(email), isolated(phone))
    return Fits(_address(what, kind), called)


def _address(what: What, kind: Kind) -> str:
    return previews.address(what, url_for("web.review", kind=kind))


def _merge(kept: Noted) -> tuple[Markup, list[Fits]]:
    detail: dict[str, Any] = kept.detail
    on = datetime.fromisoformat(detail["at"]).strftime("%Y-%m-%d")
    email, phone = detail["email"], detail["phone"]
    if not email or not phone:
        return Markup("{} told what made them one, on {}.").format(
            isolated(detail["source"]), on
        ), []
    told = Markup("{} gave {} and {} together, on {}.").format(
        *(isolated(each) for each in (detail["source"], email, phone)), on
    )
    return told, [_apart(email, phone, kept.kind)]


def _tried(kept: Noted, ruling: Registered) -> tuple[Markup, list[Fits]]:
    by = Markup(", ").join(isolated(each) for each in kept.detail["sources"])
    more = f" and {counted(kept.detail['more'], 'other source')}" if kept.detail["more"] else ""
    told = Markup("{} Told again by {}{}.").format(sentence(ruling.what), by, more)
    address = url_for("web.undo_preview", ruling_id=ruling.id)
    page = url_for("web.ruling_page", ruling_id=ruling.id)
    number = str(ruling.id)
    return told, [
        Fits(address, Markup("Undo ruling {}…").format(number)),
        Fits(page, Markup("Open ruling {}").format(number)),
    ]


def _numbers(
    kept: Noted, customers: list[int], emails: dict[int, str]
) -> tuple[Markup, list[Fits]]:
    told = Markup("They are those of {}, and {}.").format(
        *(
            Markup("customer {} with {}").format(counted(id_), counted(size, "contact"))
            for id_, size in zip(kept.detail["customers"], kept.detail["contacts"], strict=True)
        )
    )
    # The email of the one with the number of the other joins them.
    for id_, number in zip(customers, reversed(country_codes.named(kept.subject)), strict=True):
        if id_ in emails:
            address = adding.address(Identifiers(emails[id_], number))
            called = Markup("Add {} with {}…").format(isolated(emails[id_]), isolated(number))
            return told, [Fits(address, called)]
    return told, []
