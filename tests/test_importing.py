"""Importing a file ends as sending its rows one by one to identify would have ended."""

import csv
import io
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import event, func, select

from identity.database import Base, db
from identity.errors import InvalidInput, LostRace
from identity.identifiers import Identifiers
from identity.importing import imports, reading, records, storing
from identity.importing.account import Account
from identity.importing.files import examine
from identity.importing.imports import Given
from identity.models import Contact, Event, Identifier, Link
from identity.reconciliation import identify
from identity.verification import verify
from tests.conftest import See
from tests.test_property import CALLS, EMAILS, PHONES, empty

Row = tuple[str | None, str | None, str | None, str | None]
"""An email, two phone numbers, and a date."""
MOMENTS = st.sampled_from(["", *(f"20{year}-01-01T00:00:00+00:00" for year in range(10, 20))])
ROWS = st.lists(
    st.one_of(
        st.tuples(EMAILS, PHONES, PHONES, st.just("")),
        st.tuples(EMAILS, PHONES, st.none(), st.just("")),
        st.tuples(EMAILS, st.none(), st.none(), st.just("")),
        st.tuples(st.none(), PHONES, st.none(), st.just("")),
    ),
    max_size=12,
)
DATED = st.lists(st.tuples(EMAILS, PHONES, st.none(), MOMENTS), max_size=10)
BATCHES = st.sampled_from([1, 2, 3, 7, 1000])
INTERPLAY = settings(max_examples=60, suppress_health_check=list(HealthCheck))


@dataclass
class Watcher:
    """Hears what is rejected."""

    lines: list[int] = field(default_factory=list)

    def read(self, rows: int) -> None: ...

    def rejected(self, line: int, reason: str, cells: Any) -> None:
        self.lines.append(line)


def as_file(rows: list[Row]) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerows([("email", "phone", "mobile", "created at"), *rows])
    return text.getvalue().encode()


def on(content: bytes, region: str | None = None) -> Given:
    return Given(examine("customers.csv", partial(io.BytesIO, content)), region)


def bring(content: bytes, region: str | None = None) -> Account:
    import_id = records.give("customers.csv", "test")
    return imports.carry_out(on(content, region), Watcher(), import_id)


def calls_of(row: Row) -> list[tuple[str | None, str | None]]:
    email, *phones, _ = row
    distinct = dict.fromkeys(phone for phone in phones if phone)
    return [(email, phone) for phone in distinct or (None,)]


State = tuple[Any, ...]


def state() -> State:
    """Return everything that is stored, ids apart: clusters in order, links, holders."""
    with db.engine.connect() as connection:
        contacts = connection.execute(
            select(Contact).order_by(Contact.linked_id.is_not(None), Contact.created_at, Contact.id)
        ).all()
        links = connection.execute(select(Link.email, Link.phone_number)).all()
        held = connection.execute(select(Identifier)).all()
    by_id = {c.id: (c.email, c.phone_number) for c in contacts}
    clusters: dict[int, list[Any]] = {}
    for contact in contacts:
        clusters.setdefault(contact.linked_id or contact.id, []).append(by_id[contact.id])
    return (
        sorted(map(tuple, clusters.values()), key=str),
        sorted(map(tuple, links)),
        sorted((each.kind, each.value, str(by_id[each.contact_id])) for each in held),
    )


def rows_in_all_tables() -> dict[str, int]:
    with db.engine.connect() as connection:
        return {
            name: connection.scalar(select(func.count()).select_from(table)) or 0
            for name, table in Base.metadata.tables.items()
        }


@pytest.mark.usefixtures("app")
def test_a_file_ends_as_its_rows_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    @INTERPLAY
    @given(st.lists(CALLS, max_size=6), ROWS, BATCHES)
    def check(before: list[Any], rows: list[Row], batch: int) -> None:
        monkeypatch.setattr(reading, "BATCH", batch)
        empty()
        for call in [*before, *(call for row in rows for call in calls_of(row))]:
            identify(Identifiers(*call), source="test")
        one_by_one = state()
        empty()
        for call in before:
            identify(Identifiers(*call), source="test")

        imagined = imports.rehearse(on(as_file(rows)), Watcher())
        account = bring(as_file(rows))

        assert state() == one_by_one
        assert verify().problems == []
        assert imagined.counts() == account.counts()
        assert [u.members for u in imagined.unions()] == [u.members for u in account.unions()]

        counted = rows_in_all_tables()
        again = bring(as_file(rows))
        assert again.contacts == again.links == again.news == 0
        assert rows_in_all_tables() | {"import": 0} == counted | {"import": 0}

    check()


def expected(calls: list[tuple[str, str, str]]) -> list[list[tuple[str, str]]]:
    """The rules, with dates: a contact for whatever brings something new; the oldest is primary."""
    known: dict[str, int] = {}
    contacts: list[tuple[str, int, tuple[str, str]]] = []
    cluster: list[int] = []
    for email, phone, moment in calls:
        touched = {known[value] for value in (email, phone) if value in known}
        name = min(touched, default=len(cluster))
        known |= {value: name for value, each in known.items() if each in touched}
        cluster = [name if each in touched else each for each in cluster]
        if not {email, phone} <= known.keys():
            contacts.append((moment or "now", len(contacts), (email, phone)))
            cluster.append(name)
            known |= {email: name, phone: name}
        known |= {email: name, phone: name}
    groups: dict[int, list[Any]] = {}
    for contact, name in zip(contacts, cluster, strict=True):
        groups.setdefault(name, []).append(contact)
    # The primary is the oldest, so oldest first is also the primary first.
    return sorted([[given for *_, given in sorted(group)] for group in groups.values()], key=str)


@pytest.mark.usefixtures("app")
def test_with_dates_the_oldest_is_the_primary_even_when_it_comes_last(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    @INTERPLAY
    @given(DATED, BATCHES)
    def check(rows: list[Row], batch: int) -> None:
        monkeypatch.setattr(reading, "BATCH", batch)
        empty()

        imagined = imports.rehearse(on(as_file(rows)), Watcher())
        account = bring(as_file(rows))

        assert [list(c) for c in state()[0]] == expected([(r[0], r[1], r[3]) for r in rows])  # type: ignore[misc]
        assert verify().problems == []
        assert imagined.counts() == account.counts()

    check()


def test_a_rehearsal_writes_nothing(see: See) -> None:
    see("doc@hillvalley.edu")
    see(phone="5554385")
    before = rows_in_all_tables()

    account = imports.rehearse(
        on(b"email,phone\ndoc@hillvalley.edu,555-4385\nmcfly@hillvalley.edu,\nbad,\n"), Watcher()
    )

    assert rows_in_all_tables() == before
    assert account.counts() == {
        "rows": 3, "customers": 1, "contacts": 1, "links": 1, "merged": 1, "overtaken": 0,
        "repeats": 0, "rejected": 1,
    }  # fmt: skip
    assert [(union.members, union.primary) for union in account.unions()] == [((1, 2), 1)]


def test_a_changed_primary_is_told_with_everybody_who_moved(see: See) -> None:
    see("doc@hillvalley.edu", "5554385")
    see("einstein@hillvalley.edu", "5554385")

    bring(b"email,phone,created at\nemmett@brown.org,5554385,1955-11-05 06:00:00 +0000\n")

    with db.engine.connect() as connection:
        told = connection.execute(select(Event).order_by(Event.id.desc()).limit(2)).all()
        primary = connection.execute(select(Contact).where(Contact.id == 3)).one()
    assert [(line.kind, line.source) for line in told] == [
        ("primary_changed", "import:1"),
        ("contact_linked", "import:1"),
    ]
    assert told[0].detail == {"absorbed": 1, "moved": [1, 2]}
    assert (told[0].primary_id, told[0].contact_id) == (3, 1)
    assert primary.created_at == datetime(1955, 11, 5, 6, tzinfo=UTC)
    cluster = see("doc@hillvalley.edu")
    assert cluster.primary_id == 3
    assert cluster.emails[0] == "emmett@brown.org"


def test_everything_an_import_did_names_it(see: See) -> None:
    see("doc@hillvalley.edu")
    see("mcfly@hillvalley.edu")

    bring(b"email,phone\ndoc@hillvalley.edu,1955\nmcfly@hillvalley.edu,1955\nnobody@x.org,\n")

    with db.engine.connect() as connection:
        sources = connection.scalars(select(Event.source).order_by(Event.id)).all()
        links = set(connection.scalars(select(Link.source)))
    assert sources == ["test", "test", "import:1", "import:1", "import:1"]
    assert links == {"import:1"}
    record = records.get(1)
    assert record.file_name == "customers.csv"
    assert record.finished_at
    assert record.counts["merged"] == 1
    assert record.counts["contacts"] == 2


def test_statements_do_not_grow_with_the_rows(see: See) -> None:
    see("doc@hillvalley.edu")
    sent: list[str] = []
    for engine in db.engines.values():
        event.listen(engine, "before_cursor_execute", lambda *given: sent.append(given[2]))

    counts = []
    for rows in (10, 400):
        sent.clear()
        lines = (f"{rows}.{number}@hillvalley.edu,{rows}{number:05}\n" for number in range(rows))
        bring(f"email,phone\ndoc@hillvalley.edu,{rows}\n{''.join(lines)}".encode())
        counts.append(len(sent))

    assert counts[0] == counts[1]


def test_others_who_came_first_are_met_again_in_smaller_parts(
    see: See, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock, losses = storing._lock, iter(range(3))

    def interrupted(connection: Any, known: Any, calls: Any) -> Any:
        # Whoever has more than one row loses, three times in a row.
        if len(calls) > 1 and next(losses, None) is not None:
            raise LostRace
        return lock(connection, known, calls)

    monkeypatch.setattr(storing, "_lock", interrupted)

    account = bring(b"email\na@hillvalley.edu\nb@hillvalley.edu\nc@hillvalley.edu\n")

    assert account.contacts == 3
    assert verify().problems == []


@settings(max_examples=300)
@given(st.one_of(st.binary(max_size=200), st.text(max_size=200).map(str.encode)))
def test_any_bytes_are_read_or_refused_in_a_sentence(content: bytes) -> None:
    for head in (b"", b"email\n", b"\xef\xbb\xbfphone;email\n"):
        told = "."
        try:
            file = on(head + content)
        except InvalidInput as problem:
            told = str(problem)
        else:
            for _ in file.first(100):
                pass
        assert told.endswith(".")
