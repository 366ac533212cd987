"""Importing a file ends as sending its rows one by one to identify would have ended."""

import gc
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import event, select, update

from identity import exporting
from identity.batching import taking
from identity.bulk import without_collecting
from identity.database import db, trying
from identity.errors import InvalidInput, LostRace
from identity.exporting import What
from identity.identifiers import Identifiers, Kind, Value
from identity.importing import reading, register, run
from identity.importing.pacing import LEAST, Pace
from identity.models import Claim, Contact, Event, Reference
from identity.reconciliation import identify
from identity.rulings import applying
from identity.rulings.applying import Ordered
from identity.rulings.kinds import Apart, LinksNobody
from identity.verification import verify
from tests.bringing import Watcher, as_file, bring, calls_of, on, rehearse
from tests.conftest import See
from tests.examples import BATCHES, CALLS, DATED, INTERPLAY, ROWS, Row
from tests.oracle import Call, dated
from tests.oracle import given as values_of
from tests.tables import empty, rows_in_all_tables, state, updates


@pytest.mark.usefixtures("app")
def test_a_file_ends_as_its_rows_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    @INTERPLAY
    @given(st.lists(CALLS, max_size=6), ROWS, BATCHES)
    def check(before: list[Call], rows: list[Row], batch: int) -> None:
        monkeypatch.setattr(reading, "BATCH", batch)
        empty()
        for call in [*before, *(call for row in rows for call in calls_of(row))]:
            identify(Identifiers(*call), source="test")
        one_by_one = state()
        empty()
        for call in before:
            identify(Identifiers(*call), source="test")

        imagined = rehearse(as_file(rows))
        tally = bring(as_file(rows))

        assert state() == one_by_one
        assert verify().problems == []
        assert imagined.counts() == tally.counts()
        assert [u.members for u in imagined.unions()] == [u.members for u in tally.unions()]

        counted = rows_in_all_tables()
        again = bring(as_file(rows))
        assert again.contacts == again.links == again.claims == again.news == 0
        assert rows_in_all_tables() | {"import": 0} == counted | {"import": 0}

    check()


def as_told(rows: list[Row]) -> list[tuple[Call, str]]:
    return [((email, phone), moment) for email, phone, _, moment in rows]


def as_stored(customers: list[list[Call]]) -> list[Any]:
    return sorted(map(tuple, customers), key=str)


@pytest.mark.usefixtures("app")
def test_with_dates_the_oldest_is_the_primary_even_when_it_comes_last(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    @INTERPLAY
    @given(DATED, BATCHES)
    def check(rows: list[Row], batch: int) -> None:
        monkeypatch.setattr(reading, "BATCH", batch)
        empty()

        imagined = rehearse(as_file(rows))
        tally = bring(as_file(rows))

        assert state()[0] == as_stored(dated(as_told(rows)))
        assert verify().problems == []
        assert imagined.counts() == tally.counts()

    check()


@pytest.mark.usefixtures("app")
def test_a_file_about_customers_of_any_age_is_planned_as_it_is_imported(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    @INTERPLAY
    @given(DATED, DATED, BATCHES)
    def check(before: list[Row], rows: list[Row], batch: int) -> None:
        monkeypatch.setattr(reading, "BATCH", batch)
        empty()
        bring(as_file(before))

        imagined = rehearse(as_file(rows))
        tally = bring(as_file(rows))

        assert imagined.counts() == tally.counts()
        assert [u.members for u in imagined.unions()] == [u.members for u in tally.unions()]
        assert state()[0] == as_stored(dated(as_told([*before, *rows])))

    check()


ORDERS = st.lists(
    st.tuples(st.integers(0, 2), st.integers(0, 3), st.booleans()), min_size=1, max_size=12
)
"""Orders of three customers: whose, to which of the numbers, and whether a number is given."""


@pytest.mark.usefixtures("app")
def test_the_order_of_the_rows_does_not_matter_for_who_is_primary(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    @INTERPLAY
    @given(ORDERS, st.randoms(use_true_random=False), BATCHES)
    def check(orders: list[tuple[int, int, bool]], chance: Any, batch: int) -> None:
        monkeypatch.setattr(reading, "BATCH", batch)
        # Household 1 has one phone number and many emails, the others one email and many numbers.
        pairs = [
            (f"{number}.{who}@hillvalley.edu", f"55{who}")
            if who == 1
            else (f"{who}@hillvalley.edu", f"55{who}{number}" if has_number else f"55{who}")
            for who, number, has_number in orders
        ]
        years = chance.sample(range(1971, 2026), len(pairs))
        rows: list[Row] = [
            (*pair, None, f"{year}-11-05T06:00:00+00:00")
            for pair, year in zip(pairs, years, strict=True)
        ]
        oldest = as_stored(dated(as_told(sorted(rows, key=lambda row: row[3]))))

        for _ in range(3):
            chance.shuffle(rows)
            empty()
            imagined = rehearse(as_file(rows))
            tally = bring(as_file(rows))

            assert state()[0] == oldest
            assert dates() == {pair: min(y for p, y in zip_of(rows) if p == pair) for pair in pairs}
            assert imagined.counts() == tally.counts()
            assert verify().problems == []

    check()


def zip_of(rows: list[Row]) -> list[tuple[Call, int]]:
    """Return the pair and the year of each row."""
    return [(call, int(moment[:4])) for call, moment in as_told(rows)]


def dates() -> dict[Call, int]:
    """Return the year of each contact."""
    with db.engine.connect() as connection:
        rows = connection.execute(select(Contact.email, Contact.phone_number, Contact.created_at))
        return {(email, phone): created_at.year for email, phone, created_at in rows}


def test_a_row_that_brings_nothing_new_dates_what_it_says(see: See) -> None:
    doc = see("doc@hillvalley.edu", "5554385")
    see("emmett@brown.org", "5554385")

    tally = bring(
        b"email,phone,created at\nemmett@brown.org,5554385,1975-11-05 06:00:00 +0000\n"
        b"doc@hillvalley.edu,5554385,2999-01-01\n"
    )

    customer = see("doc@hillvalley.edu", "5554385")
    assert (tally.news, tally.contacts, tally.claims, tally.doubtful) == (0, 0, 2, 1)
    assert customer.primary_id != doc.primary_id
    assert customer.primary.created_at == datetime(1975, 11, 5, 6, tzinfo=UTC)
    assert verify().problems == []


def test_a_row_told_again_with_an_older_date_takes_that_one_and_a_newer_one_changes_nothing(
    see: See,
) -> None:
    header = b"email,created at\n"
    bring(header + b"doc@hillvalley.edu,1985-10-26\n")

    bring(header + b"doc@hillvalley.edu,2015-10-21\n")
    newer = see("doc@hillvalley.edu").primary.created_at
    bring(header + b"doc@hillvalley.edu,1975-11-05\n")

    assert newer.year == 1985
    assert see("doc@hillvalley.edu").primary.created_at.year == 1975
    with db.engine.connect() as connection:
        told = connection.execute(
            select(Claim.source, Claim.dated_at, Claim.import_id).order_by(Claim.id)
        ).all()
    assert [(each.source, each.dated_at.year, each.import_id) for each in told[:1]] == [
        ("feed:plain", 1975, 1)
    ]
    assert verify().problems == []


def test_a_row_without_a_date_is_never_older_than_the_primary_it_joins(see: See) -> None:
    # A clock may be ahead of ours by a day before its rows are refused.
    ahead = datetime.now(UTC) + timedelta(hours=12)
    rows = (
        f"doc@hillvalley.edu,5554385,{ahead.isoformat()}\n"
        "emmett@brown.org,5554385,\n"
        "einstein@hillvalley.edu,5554385,\n"
    )

    tally = bring(f"email,phone,created at\n{rows}".encode())

    doc = see("emmett@brown.org", "5554385")
    assert doc.emails[0] == "doc@hillvalley.edu"
    assert doc.primary.created_at == ahead
    assert min(member.created_at for member in doc.members[1:]) > ahead
    assert tally.overtaken == 0
    assert verify().problems == []


@pytest.mark.parametrize("batch", [1, 1000])
def test_a_row_of_now_is_never_older_than_a_primary_of_tomorrow(
    see: See, monkeypatch: pytest.MonkeyPatch, batch: int
) -> None:
    monkeypatch.setattr(reading, "BATCH", batch)
    see("doc@hillvalley.edu", "5554385")
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    with db.engine.begin() as connection:
        connection.execute(update(Contact).values(created_at=tomorrow))
        connection.execute(update(Claim).values(dated_at=tomorrow))
    content = b"email,phone\nemmett@brown.org,5554385\neinstein@hillvalley.edu,5554385\n"

    imagined = rehearse(content)
    tally = bring(content)

    assert see("emmett@brown.org", "5554385").primary_id == 1
    assert imagined.counts() == tally.counts()
    assert tally.overtaken == 0
    assert verify().problems == []


@dataclass
class Before:
    """What stood before an import, and what it is measured against."""

    customers: list[set[int]]
    primaries: set[int]
    pairs: set[Call]
    values: set[str]
    claims: int


def standing() -> Before:
    customers: dict[int, set[int]] = {}
    with db.engine.connect() as connection:
        for id_, linked_id in connection.execute(select(Contact.id, Contact.linked_id)):
            customers.setdefault(linked_id or id_, set()).add(id_)
        told = connection.execute(select(Claim.email, Claim.phone_number)).all()
    calls: list[Call] = [(email, phone) for email, phone in told]
    pairs = {call for call in calls if all(call)}
    values = set().union(*map(values_of, calls))
    return Before(list(customers.values()), set(customers), pairs, values, len(told))


def brought(before: Before, rows: list[Row]) -> dict[str, int]:
    """Return what an import brought, counted in the tables before and after, and in its rows."""
    after = standing()
    olds = set().union(*before.customers)
    kept = [customer for customer in after.customers if customer & olds]
    news, known, pairs = 0, set(before.values), set(before.pairs)
    for row in rows:
        is_new = False
        for call in calls_of(row):
            is_new |= not values_of(call) <= known or (all(call) and call not in pairs)
            known |= values_of(call)
            pairs.add(call)
        news += is_new
    return {
        "rows": len(rows),
        "customers": len(after.customers) - len(kept),
        "contacts": len(set().union(*after.customers) - olds),
        "links": len(after.pairs - before.pairs),
        "claims": after.claims - before.claims,
        "merged": len(before.customers) - len(kept),
        "overtaken": sum(not customer & after.primaries <= before.primaries for customer in kept),
        "held": 0,
        "repeats": len(rows) - news,
        "doubtful": 0,
        "rejected": 0,
    }


@pytest.mark.usefixtures("app")
def test_the_figures_are_the_truth_also_where_somebody_was_known_before(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rows_of_all_kinds = st.lists(st.one_of(ROWS, DATED), max_size=3).map(
        lambda parts: [row for part in parts for row in part]
    )

    @INTERPLAY
    @given(st.lists(CALLS, min_size=1, max_size=6), rows_of_all_kinds, BATCHES)
    def check(earlier: list[Call], rows: list[Row], batch: int) -> None:
        monkeypatch.setattr(reading, "BATCH", batch)
        empty()
        for call in earlier:
            identify(Identifiers(*call), source="test")
        before = standing()

        imagined = rehearse(as_file(rows))
        tally = bring(as_file(rows))

        assert tally.counts() == brought(before, rows)
        assert imagined.counts() == tally.counts()
        unions = [union.members for union in tally.unions()]
        assert [union.members for union in imagined.unions()] == unions
        assert register.latest()[0].counts == tally.counts()

    check()


def test_new_contacts_of_different_batches_are_not_taken_for_one_another(
    see: See, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "BATCH", 2)
    see("doc@hillvalley.edu", "5554385")
    see("marty@hillvalley.edu", "5551985")
    see("einstein@hillvalley.edu", "1")
    see("jennifer@hillvalley.edu", "2")
    # The first contact of each batch is older than a customer known before.
    rows: list[Row] = [
        ("emmett@brown.org", "5554385", None, "1975-11-05"),
        ("strickland@hillvalley.edu", "10", None, ""),
        ("clint@eastwood.example", "5551985", None, "1972-09-02"),
        ("biff@hillvalley.edu", "20", None, ""),
        ("strickland@hillvalley.edu", "30", None, ""),
        ("biff@hillvalley.edu", "30", None, ""),
        ("einstein@hillvalley.edu", "2", None, ""),
    ]

    imagined = rehearse(as_file(rows))
    tally = bring(as_file(rows))

    assert tally.counts() == {
        "rows": 7, "customers": 1, "contacts": 5, "links": 7, "claims": 7, "merged": 1,
        "overtaken": 2, "held": 0, "repeats": 0, "doubtful": 0, "rejected": 0,
    }  # fmt: skip
    assert imagined.counts() == tally.counts()
    assert [(union.members, union.primary) for union in tally.unions()] == [((3, 4), 3)]
    assert verify().clusters == 4


@pytest.mark.parametrize("batch", [1, 2, 1000])
def test_a_rehearsal_counts_the_rows_that_would_be_held_and_those_of_which_nothing_is_left(
    see: See, monkeypatch: pytest.MonkeyPatch, batch: int
) -> None:
    monkeypatch.setattr(reading, "BATCH", batch)
    see("doc@hillvalley.edu", "5554385")
    see("marty@hillvalley.edu", "5551985")
    doc, marty = Value(Kind.EMAIL, "doc@hillvalley.edu"), Value(Kind.PHONE, "5551985")
    applying.rule(Apart(doc, marty), Ordered("test"))
    applying.rule(LinksNobody(Value(Kind.PHONE, "0000000000")), Ordered("test"))
    content = (
        b"email,phone\n"
        b"emmett@brown.org,5551985\n"  # joins Marty
        b"emmett@brown.org,5554385\n"  # would join him with Doc
        b"doc@hillvalley.edu,5551985\n"  # and so would this
        b"doc@hillvalley.edu,5551985\n"
        b",0000000000\n"  # nothing is left
        b"einstein@hillvalley.edu,0000000000\n"
    )

    imagined = rehearse(content)
    watcher = Watcher()
    tally = run.carry_out(on(content), watcher, register.give("customers.csv", "test"))

    assert tally.counts() == {
        "rows": 6, "customers": 1, "contacts": 2, "links": 4, "claims": 4, "merged": 0,
        "overtaken": 0, "held": 2, "repeats": 1, "doubtful": 0, "rejected": 1,
    }  # fmt: skip
    assert imagined.counts() == tally.counts()
    assert watcher.lines == [6]
    report = verify()
    assert report.problems == []
    assert report.clusters == 3


@pytest.mark.usefixtures("app")
def test_two_feeds_and_the_columns_of_a_source_are_kept(see: See) -> None:
    content = b"reference,email,full name\n7,doc@hillvalley.edu,Emmett Brown\n"

    first = bring(content, feed="Till")
    again = bring(content, feed="till")
    other = bring(content, feed="web shop")

    assert (first.claims, again.claims, other.claims) == (1, 0, 1)
    with db.engine.connect() as connection:
        claims = connection.execute(select(Claim.source, Claim.import_id).order_by(Claim.id)).all()
        named = connection.execute(
            select(Reference.reference, Reference.name, Reference.import_id).order_by(
                Reference.claim_id
            )
        ).all()
    assert [tuple(each) for each in claims] == [("feed:till", 1), ("feed:web-shop", 3)]
    assert [tuple(each) for each in named] == [("7", "Emmett Brown", 1), ("7", "Emmett Brown", 3)]


def test_a_rehearsal_writes_nothing(see: See) -> None:
    see("doc@hillvalley.edu")
    see(phone="5554385")
    before = rows_in_all_tables()

    tally = rehearse(b"email,phone\ndoc@hillvalley.edu,555-4385\nmcfly@hillvalley.edu,\nbad,\n")

    assert rows_in_all_tables() == before
    assert tally.counts() == {
        "rows": 3, "customers": 1, "contacts": 1, "links": 1, "claims": 2, "merged": 1,
        "overtaken": 0, "held": 0, "repeats": 0, "doubtful": 0, "rejected": 1,
    }  # fmt: skip
    assert [(union.members, union.primary) for union in tally.unions()] == [((1, 2), 1)]


def test_a_changed_primary_is_told_with_everybody_who_moved(see: See) -> None:
    see("doc@hillvalley.edu", "5554385")
    see("einstein@hillvalley.edu", "5554385")

    bring(b"email,phone,created at\nemmett@brown.org,5554385,1975-11-05 06:00:00 +0000\n")

    with db.engine.connect() as connection:
        told = connection.execute(select(Event).order_by(Event.id.desc()).limit(2)).all()
        primary = connection.execute(select(Contact).where(Contact.id == 3)).one()
    assert [(line.kind, line.source) for line in told] == [
        ("primary_changed", "import:1"),
        ("contact_linked", "import:1"),
    ]
    assert told[0].detail == {"absorbed": 1, "moved": [1, 2]}
    assert (told[0].primary_id, told[0].contact_id) == (3, 1)
    assert primary.created_at == datetime(1975, 11, 5, 6, tzinfo=UTC)
    cluster = see("doc@hillvalley.edu")
    assert cluster.primary_id == 3
    assert cluster.emails[0] == "emmett@brown.org"


@pytest.mark.parametrize("batch", [1, 1000])
def test_a_primary_that_lost_its_place_gets_it_back_by_an_older_date(
    see: See, monkeypatch: pytest.MonkeyPatch, batch: int
) -> None:
    monkeypatch.setattr(reading, "BATCH", batch)
    see("doc@hillvalley.edu", "5554385")
    rows: list[Row] = [
        ("emmett@brown.org", "5554385", None, "1985-10-26"),
        ("doc@hillvalley.edu", "5554385", None, "1975-11-05"),
        ("emmett@brown.org", "5554385", None, "1972-09-02"),
        ("doc@hillvalley.edu", "5554385", None, "1971-01-01"),
    ]

    imagined = rehearse(as_file(rows))
    tally = bring(as_file(rows))

    assert see("emmett@brown.org", "5554385").primary_id == 1
    assert (tally.customers, tally.merged, tally.overtaken) == (0, 0, 0)
    assert imagined.counts() == tally.counts()
    assert verify().problems == []


def test_a_secondary_that_turns_out_to_be_the_oldest_makes_no_two_customers_one(see: See) -> None:
    see("doc@hillvalley.edu", "5554385")
    see("emmett@brown.org", "5554385")
    content = b"email,phone,created at\nemmett@brown.org,5554385,1975-11-05\n"

    imagined = rehearse(content)
    tally = bring(content)

    assert see("doc@hillvalley.edu").primary_id == 2
    assert (tally.customers, tally.merged, tally.overtaken) == (0, 0, 1)
    assert tally.unions() == []
    assert imagined.counts() == tally.counts()


@pytest.mark.parametrize("batch", [1, 1000])
def test_a_merge_is_told_of_whoever_is_absorbed_in_the_end(
    see: See, monkeypatch: pytest.MonkeyPatch, batch: int
) -> None:
    monkeypatch.setattr(reading, "BATCH", batch)
    see("doc@hillvalley.edu", "5554385")
    see("marty@hillvalley.edu", "5551985")
    rows: list[Row] = [
        ("doc@hillvalley.edu", "5551985", None, ""),
        ("marty@hillvalley.edu", "5551985", None, "1975-11-05"),
    ]

    imagined = rehearse(as_file(rows))
    tally = bring(as_file(rows))

    assert see("doc@hillvalley.edu", "5554385").primary_id == 2
    assert imagined.counts() == tally.counts()
    assert tally.merged == 1
    assert [union.members for union in tally.unions()] == [(1, 2)]
    with db.engine.connect() as connection:
        told = connection.execute(select(Event).order_by(Event.id.desc()).limit(1)).one()
        absorbed = connection.scalars(
            select(Event.contact_id).where(Event.contact_id == Event.primary_id, Event.id > 2)
        ).all()
    assert (told.primary_id, told.contact_id) == (2, 1)
    assert absorbed == []
    assert verify().problems == []


def test_the_contacts_of_a_customer_are_told_oldest_first_whatever_their_ids(
    client: FlaskClient, see: See
) -> None:
    see("doc@hillvalley.edu", "5554385")
    see("einstein@hillvalley.edu", "5554385")
    bring(
        b"email,phone,created at\nemmett@brown.org,5554385,1985-10-26\n"
        b"doc@hillvalley.edu,5554385,1975-11-05\n"
    )
    in_order = [1, 3, 2]

    found = see("doc@hillvalley.edu", "5554385")
    told = client.get("/clusters/3.json").get_json()
    exported = b"".join(exporting.parts(What.CONTACTS)).decode().splitlines()[1:]
    joined = see("clara@hillvalley.edu", "5554385")

    assert [member.id for member in found.members] == in_order
    assert found.emails == ("doc@hillvalley.edu", "emmett@brown.org", "einstein@hillvalley.edu")
    assert [contact["id"] for contact in told["contacts"]] == in_order
    assert told["contact"]["secondaryContactIds"] == in_order[1:]
    assert [int(line.split(",")[0]) for line in exported] == in_order
    assert [member.id for member in joined.members] == [*in_order, 4]


def test_a_merge_answers_oldest_first_whatever_the_ids(see: See) -> None:
    see("marty@hillvalley.edu", "5551985")
    see("doc@hillvalley.edu", "5554385")
    bring(
        b"email,phone,created at\nemmett@brown.org,5554385,1985-10-26\n"
        b"doc@hillvalley.edu,5554385,1975-11-05\n"
    )

    joined = see("marty@hillvalley.edu", "5554385")

    assert [member.id for member in joined.members] == [2, 3, 1]
    assert see("marty@hillvalley.edu") == joined


def test_whoever_is_dated_or_moved_by_an_import_was_updated_then_and_nobody_else(see: See) -> None:
    see("doc@hillvalley.edu", "5554385")
    see("einstein@hillvalley.edu", "5554385")
    see("strickland@hillvalley.edu", "1955")
    before = updates()

    bring(
        b"email,phone,created at\nemmett@brown.org,5554385,1972-09-02\n"
        b"strickland@hillvalley.edu,1955,1972-09-02\n"
    )

    after = updates()
    assert all(after[id_] > before[id_] for id_ in (1, 2, 3))
    bring(b"email,phone\ndoc@hillvalley.edu,5554385\njennifer@hillvalley.edu,1955\n")
    assert {id_: updates()[id_] for id_ in after} == after


def test_everything_an_import_did_names_it(see: See) -> None:
    see("doc@hillvalley.edu")
    see("mcfly@hillvalley.edu")

    bring(b"email,phone\ndoc@hillvalley.edu,1955\nmcfly@hillvalley.edu,1955\nnobody@x.org,\n")

    with db.engine.connect() as connection:
        sources = connection.scalars(select(Event.source).order_by(Event.id)).all()
        told = connection.execute(select(Claim.source, Claim.import_id).order_by(Claim.id)).all()
    assert sources == ["test", "test", "import:1", "import:1", "import:1"]
    assert [tuple(each) for each in told] == [("test", None)] * 2 + [("feed:plain", 1)] * 3
    listed = register.get(1)
    assert listed.file_name == "customers.csv"
    assert listed.feed == "feed:plain"
    assert listed.finished_at
    assert listed.counts["merged"] == 1
    assert listed.counts["contacts"] == 2


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


@pytest.mark.usefixtures("app")
def test_what_links_nobody_makes_no_import_that_is_alone_lose_a_race() -> None:
    shared = {1500: "5550001", 4500: "5550002", 8000: "5550003"}
    for number in shared.values():
        applying.rule(LinksNobody(Value(Kind.PHONE, number)), Ordered("steward"))
    lines = (f"{n}@hillvalley.edu,{shared.get(n, '')}\n" for n in range(9_000))
    content = f"email,phone\n{''.join(lines)}".encode()
    lost: list[object] = []

    with trying.retried.connected_to(lost.append):
        tally = bring(content)

    assert tally.contacts == 9_000
    assert lost == []


def test_others_who_came_first_are_met_again_in_smaller_parts(
    see: See, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock, losses = taking._lock, iter(range(3))

    def interrupted(connection: Any, found: Any, calls: Any, source: str) -> Any:
        # Whoever has more than one row loses, three times in a row.
        if len(calls) > 1 and next(losses, None) is not None:
            raise LostRace
        return lock(connection, found, calls, source)

    monkeypatch.setattr(taking, "_lock", interrupted)

    tally = bring(b"email\na@hillvalley.edu\nb@hillvalley.edu\nc@hillvalley.edu\n")

    assert tally.contacts == 3
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


def test_a_transaction_is_as_large_as_is_done_in_less_than_half_a_second() -> None:
    pace = Pace()
    calls = range(50_000)

    sizes = [len(next(pace.parts(calls)))]
    for calls_taken, work in (
        *((20_000, 0.2), (2000, 0.2), (4000, 4.0)),
        *((LEAST, 4.0), (3, 0.001), (LEAST, 0.2)),
    ):
        pace.took(calls_taken, work, work)
        sizes.append(len(next(pace.parts(calls))))

    assert sizes == [1000, 2000, 4000, LEAST, LEAST, LEAST, 1000]


def test_a_transaction_lasts_no_longer_than_callers_wait_whoever_has_the_machine() -> None:
    pace = Pace()

    pace.took(6000, 6.0, 0.1)

    assert len(next(pace.parts(range(50_000)))) == 1200


def test_the_collector_rests_until_whoever_sent_it_first_wakes_it() -> None:
    with without_collecting():
        with without_collecting():
            assert not gc.isenabled()

        assert not gc.isenabled()

    assert gc.isenabled()
