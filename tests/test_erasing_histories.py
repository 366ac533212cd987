"""Whatever happened before: once somebody is forgotten, all stands as if nobody had told of them.

The same history is told twice to an empty database: as it was, and then somebody is forgotten;
and without whatever names them. What stands in the end is the same. Then all of it is told again.
"""

import csv
import io
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, NamedTuple

import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from identity.database import db
from identity.erasing import applying as erasing
from identity.erasing.reach import Wanted
from identity.errors import Conflict, IdentityError
from identity.identifiers import Identifiers, parse_one
from identity.models import Erased, Identifier, Import, KeptApart, Reference
from identity.reconciliation import identify
from identity.rulings import applying as rulings
from identity.rulings.applying import Ordered
from identity.rulings.kinds import (
    Apart,
    ClaimWithdrawn,
    ImportWithdrawn,
    LinksNobody,
    SourceWithdrawn,
    What,
)
from identity.verification import verify
from tests.bringing import bring
from tests.erasing import all_texts, nobody_erased
from tests.examples import many
from tests.standing import claims, live
from tests.tables import everything

EMAILS = [f"{name}@hillvalley.edu" for name in "abcd"]
PHONES = [f"555438500{number}" for number in range(4)]
TEXTS = EMAILS + PHONES
FEED = "feed:plain"
TICK = timedelta(microseconds=1)
Content = tuple[str | None, str | None]
CONTENTS: Any = st.one_of(
    st.tuples(st.sampled_from(EMAILS), st.sampled_from(PHONES)),
    st.tuples(st.sampled_from(EMAILS), st.none()),
    st.tuples(st.none(), st.sampled_from(PHONES)),
)
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
DATES = st.sampled_from(["", *(f"20{year}-01-01T00:00:00+00:00" for year in (10, 12, 14))])
REFERENCES = st.sampled_from(["", "", "7", "8", *EMAILS[:2], f"no. {PHONES[0]}"])
NAMES = st.sampled_from(["", "", "Marty", f"Doc <{EMAILS[1].upper()}>", f"{PHONES[1]} (mobile)"])
SOURCES = st.sampled_from(["checkout", "till"])


class Told(NamedTuple):
    """A call, or a row of a file."""

    content: Content
    reference: str
    name: str
    date: str = ""

    def names(self, gone: set[str]) -> bool:
        """Tell whether it says what is gone."""
        return not gone.isdisjoint(self.content)

    def left(self, gone: set[str], *, was_there: bool) -> "Told":
        """Return it without what is gone; what was there goes with all it was called."""
        email, phone = (None if each in gone else each for each in self.content)
        texts = [self.reference, self.name]
        mentioned = [any(value in text.lower() for value in gone) for text in texts]
        if self.names(gone) or (was_there and any(mentioned)):
            mentioned = [True, True]
        told = zip(mentioned, texts, strict=True)
        reference, name = ("" if is_to_go else text for is_to_go, text in told)
        return self._replace(content=(email, phone), reference=reference, name=name)


class Called(NamedTuple):
    """A source tells of somebody."""

    told: Told
    source: str


class Filed(NamedTuple):
    """Somebody imports a file."""

    rows: tuple[Told, ...]


class Ruled(NamedTuple):
    """A steward decides something about values."""

    what: What


class FileWithdrawn(NamedTuple):
    """A steward withdraws what a file told, which came with a step."""

    step: int


class WindowWithdrawn(NamedTuple):
    """A steward withdraws what a source told between two steps."""

    source: str
    since: int
    until: int


class Undone(NamedTuple):
    """A steward withdraws what was ruled in a step."""

    step: int


Step = Called | Filed | Ruled | FileWithdrawn | WindowWithdrawn | Undone
ROWS: Any = st.lists(st.builds(Told, CONTENTS, REFERENCES, NAMES, DATES), min_size=1, max_size=4)
VALUES = st.sampled_from(TEXTS).map(parse_one)
CALLED = st.builds(Called, st.builds(Told, CONTENTS, REFERENCES, NAMES), SOURCES)
STEPS: Any = st.one_of(
    *(CALLED, CALLED, CALLED),
    st.builds(Filed, ROWS.map(tuple)),
    st.builds(Ruled, st.builds(Apart, VALUES, VALUES).filter(lambda it: it.one != it.other)),
    st.builds(Ruled, st.builds(LinksNobody, VALUES)),
    st.builds(
        lambda content, source: Ruled(ClaimWithdrawn(content[0], content[1], source)),
        *(CONTENTS, st.sampled_from([None, "checkout", FEED])),
    ),
    st.builds(FileWithdrawn, st.integers(0, 3)),
    st.builds(WindowWithdrawn, SOURCES, st.integers(0, 12), st.integers(0, 12)),
    st.builds(Undone, st.integers(0, 3)),
)
HISTORIES = st.lists(STEPS, min_size=1, max_size=12)
FORGET = st.one_of(st.sets(st.sampled_from(TEXTS), min_size=1, max_size=2), st.integers(0, 5))


@dataclass
class Shop:
    """Takes the steps of a history, one after another."""

    rulings: dict[int, int] = field(default_factory=dict)
    """The id of what was ruled in a step."""
    imports: dict[int, int] = field(default_factory=dict)
    moments: list[datetime] = field(default_factory=lambda: [LONG_AGO])
    """Before the first step, and after each."""
    early: dict[int, What] = field(default_factory=dict)
    """What would be ruled about values that nobody has told yet."""

    def live(self, steps: list[Step]) -> list[Step | None]:
        """Take steps, each as it comes; return what was done, with None for what was refused."""
        return [self.take(self._meant(step)) for step in steps]

    def live_without(self, done: list[Step | None], gone: set[str], *, was_there: bool) -> None:
        """Take the steps that others took, without what names who is gone."""
        for step in done:
            left = step and without(step, gone, was_there=was_there)
            taken = self.take(left)
            if isinstance(left, Ruled) and isinstance(left.what, Apart) and not taken:
                self.early[len(self.moments) - 2] = left.what
            for number, what in [*self.early.items()]:
                if self._rule(number, what):
                    del self.early[number]

    def take(self, step: Step | None) -> Step | None:
        """Take a step; return it, or None when it was refused."""
        number = len(self.moments) - 1
        done = step is not None and self._take(number, step)
        self.moments.append(max([*(each.told_at for each in claims()), self.moments[-1]]) + TICK)
        return step if done else None

    def _meant(self, step: Step) -> Step:
        """Return a step about one that was taken: of the latest ones, so many back."""
        match step:
            case FileWithdrawn(back) if self.imports:
                return FileWithdrawn([*self.imports][-1 - back % len(self.imports)])
            case Undone(back) if self.rulings:
                return Undone([*self.rulings][-1 - back % len(self.rulings)])
            case WindowWithdrawn(source, one, other):
                since, until = sorted(each % len(self.moments) for each in (one, other))
                return WindowWithdrawn(source, since, until)
        return step

    def _take(self, number: int, step: Step) -> bool:
        match step:
            case Called(told, source):
                given = Identifiers(*told.content)
                texts = {"reference": told.reference, "name": told.name}
                return done(partial(identify, given, source=source, **texts))
            case Filed(rows):
                bring(as_file(rows), feed="plain")
                with db.engine.connect() as connection:
                    self.imports[number] = max(connection.scalars(select(Import.id)))
                return True
            case Ruled(what):
                return self._rule(number, what)
            case FileWithdrawn(file):
                import_id = self.imports.get(file)
                return bool(import_id) and self._rule(number, ImportWithdrawn(import_id or 0))
            case WindowWithdrawn(source, since, until):
                window = self.moments[since], self.moments[until]
                return since < until and self._rule(number, SourceWithdrawn(source, *window))
            case Undone(ruled):
                self.early.pop(ruled, None)
                ruling_id = self.rulings.get(ruled, 0)
                return done(partial(rulings.withdraw, ruling_id, Ordered("doc")))

    def _rule(self, number: int, what: What) -> bool:
        try:
            self.rulings[number] = rulings.rule(what, Ordered("doc"))[0].id
        except IdentityError:
            return False
        return True

    def stands(self) -> Any:
        """Return what is on record, without ids and without the moments of today."""
        with db.engine.connect() as connection:
            references = connection.execute(select(*Reference.table().c)).all()
            held = connection.execute(select(*Identifier.table().c)).all()
            apart = connection.execute(select(*KeptApart.table().c)).all()
        steps = {import_id: step for step, import_id in self.imports.items()}
        carried: dict[int, set[Any]] = {}
        for row in references:
            called = row.reference, row.name, steps.get(row.import_id or 0)
            carried.setdefault(row.claim_id, set()).add(called)
        told = [
            (
                *(each.email, each.phone_number, each.source, long_ago(each.dated_at)),
                *(steps.get(each.import_id or 0), each.stands, each.held_by is not None),
                sorted(carried.get(each.id, ()), key=str),
            )
            for each in claims()
        ]
        customers: dict[int, set[Any]] = {}
        for id_, email, phone, linked_id, created_at in live():
            customers.setdefault(linked_id or id_, set()).add((email, phone, long_ago(created_at)))
        return {
            "claims": told,
            "customers": sorted((sorted(each, key=str) for each in customers.values()), key=str),
            "identifiers": sorted((it.kind, it.value, it.contact_id is None) for it in held),
            "kept apart": sorted(tuple(it)[:4] for it in apart),
        }


def done(deed: Callable[[], object]) -> bool:
    """Do something; tell whether it was not refused."""
    try:
        deed()
    except IdentityError:
        return False
    return True


def long_ago(moment: datetime) -> datetime | None:
    """Return a moment that a file gave; None is today."""
    return moment if moment < LONG_AGO else None


def as_file(rows: Iterable[Told]) -> bytes:
    text = io.StringIO()
    header = "email", "phone", "reference", "name", "created at"
    lines = ((*row.content, row.reference, row.name, row.date) for row in rows)
    csv.writer(text).writerows([header, *lines])
    return text.getvalue().encode()


def without(step: Step, gone: set[str], *, was_there: bool) -> Step | None:
    """Return a step without what is gone: whole, as far as it was there, or only what is left."""
    match step:
        case Called(told, source):
            return Called(left[0], source) if (left := left_of([told], gone, was_there)) else None
        case Filed(rows):
            return Filed(tuple(left)) if (left := left_of(rows, gone, was_there)) else None
        case Ruled(Apart(one, other)):
            return None if {one.text, other.text} & gone else step
        case Ruled(LinksNobody(value)):
            return None if value.text in gone else step
        case Ruled(ClaimWithdrawn(email, phone, _)):
            return None if {email, phone} & gone else step
    return step


def left_of(rows: Iterable[Told], gone: set[str], was_there: bool) -> list[Told]:
    left = [
        row.left(gone, was_there=was_there) for row in rows if not (was_there and row.names(gone))
    ]
    return [row for row in left if any(row.content)]


def reached(named: set[str]) -> set[str]:
    """Return who goes with whom: what is told together with those that are named and never else."""
    contents = [{each.email, each.phone_number} - {None} for each in claims()]
    with db.engine.connect() as connection:
        nobodys = select(Identifier.value).where(Identifier.contact_id.is_(None))
        others = set().union(*contents) - named - set(connection.scalars(nobodys))
    alone = {it for it in others if all(each & named for each in contents if it in each)}
    return named | alone


def wanted(forget: set[str] | int) -> Wanted | None:
    """Return who is to be forgotten: identifiers, or the customer of a contact."""
    if isinstance(forget, set):
        return Wanted(frozenset(map(parse_one, forget)))
    found = live()
    return Wanted(customer=found[forget % len(found)][0]) if found else None


def named_by(wanted: Wanted) -> set[str]:
    if wanted.values:
        return {value.text for value in wanted.values}
    (primary,) = {row[3] or row[0] for row in live() if row[0] == wanted.customer}
    of_customer = [row for row in live() if primary in (row[0], row[3])]
    return {value for row in of_customer for value in row[1:3] if value}


def tries() -> int:
    with db.engine.connect() as connection:
        return sum(connection.scalars(select(Erased.tries)))


def begin() -> Shop:
    nobody_erased()
    return Shop()


@pytest.mark.usefixtures("app")
def test_all_stands_as_if_nobody_had_told_of_them(backend: str) -> None:
    @settings(max_examples=many(backend, 15), suppress_health_check=list(HealthCheck))
    @given(HISTORIES, FORGET)
    def check(history: list[Step], forget: set[str] | int) -> None:
        shop = begin()
        lived = shop.live(history)
        asked = wanted(forget)
        if asked is None:
            return
        named = named_by(asked)
        gone = reached(named)
        before = everything()
        try:
            planned = erasing.plan(asked)
        except Conflict:
            # By a ruling one of them is nobody's.
            assert everything() == before
            return
        assert everything() == before
        assert {value.text for value in planned.values} == gone

        _, went = erasing.erase(asked, Ordered("Doc", planned=planned.fingerprint))

        assert went.as_json() == planned.as_json()
        assert_gone(gone)
        after = shop.stands()
        again = shop.live(history)
        assert_gone(gone)
        counted = tries()
        finally_ = shop.stands()
        event("somebody tried" if counted else "nobody tried")

        other = begin()
        other.live_without(lived, gone, was_there=True)
        assert other.stands() == after
        other.live_without(again, gone, was_there=False)
        assert other.stands() == finally_
        assert bool(counted) is any(map(partial(tells, gone), history))

    check()


def tells(gone: set[str], step: Step) -> bool:
    match step:
        case Called(told, _):
            rows: tuple[Told, ...] = (told,)
        case Filed(rows):
            pass
        case _:
            return False
    return any(row != row.left(gone, was_there=False) for row in rows)


def assert_gone(gone: set[str]) -> None:
    assert verify().problems == []
    told = all_texts().lower()
    assert not {value for value in gone if value in told}
