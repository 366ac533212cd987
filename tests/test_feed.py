"""The feed: each change once, those of one customer in order, whoever commits when."""

from typing import Any

import psycopg
import pytest

from identity import database, feed
from identity.comparing import Became
from identity.database import db
from identity.feed import publishing
from identity.identifiers import Kind, Value
from identity.rulings import applying
from identity.rulings.applying import Ordered
from identity.rulings.kinds import Apart
from tests.bringing import as_file, bring
from tests.conftest import See
from tests.feeding import Copy, changes, customers


def told(after: int = 0) -> list[tuple[Any, ...]]:
    return [(each.kind, each.before, each.after) for each in changes(after)]


@pytest.mark.usefixtures("app")
def test_what_calls_bring_is_told(see: See) -> None:
    marty = see("mcfly@hillvalley.edu").primary_id
    phone = see("mcfly@hillvalley.edu", "5550001").secondary_ids[0]
    see("mcfly@hillvalley.edu", "5550001")
    biff = see("biffsucks@hillvalley.edu").primary_id
    see("biffsucks@hillvalley.edu", "5550001", source="till")

    created, grown, _, merged = changes()

    assert [each.as_json()["kind"] for each in (created, grown, merged)] == [
        "customer.created",
        "customer.grown",
        "customer.merged",
    ]
    assert created.moved == [(marty, None, marty)]
    assert grown.moved == [(phone, None, marty)]
    assert (merged.before, merged.after, merged.customer) == ([marty, biff], [marty], marty)
    assert merged.moved == [(biff, biff, marty)]
    assert merged.cause == {"kind": "call", "source": "till"}
    assert [each.number for each in changes()] == [1, 2, 3, 4]


@pytest.mark.usefixtures("app")
def test_a_ruling_is_one_change_of_all_it_takes_apart(see: See) -> None:
    first = see("mcfly@hillvalley.edu", "5550001").primary_id
    other = see("lorraine@hillvalley.edu", "5550001").secondary_ids[0]
    before = len(changes())
    apart = Apart(
        Value(Kind.EMAIL, "mcfly@hillvalley.edu"), Value(Kind.EMAIL, "lorraine@hillvalley.edu")
    )

    ruling, _ = applying.rule(apart, Ordered("Doc"))
    applying.withdraw(ruling.id, Ordered("Strickland"))

    taken_apart, merged = changes(before)
    assert (taken_apart.kind, taken_apart.customer) == (Became.TAKEN_APART, first)
    assert (taken_apart.before, taken_apart.after) == ([first], [first, other])
    assert taken_apart.moved == [(other, first, other)]
    assert taken_apart.cause == {"kind": "ruling", "ruling": ruling.id, "by": "Doc"}
    assert (merged.kind, merged.moved) == (Became.MERGED, [(other, other, first)])
    assert merged.cause == {"kind": "ruling", "ruling": ruling.id, "by": "Strickland"}


@pytest.mark.usefixtures("app")
def test_a_file_with_an_older_date_changes_the_primary(see: See) -> None:
    marty = see("mcfly@hillvalley.edu", "5550001").primary_id
    copy = Copy()
    copy.follow()

    bring(as_file([("mcfly@hillvalley.edu", "5550002", None, "1985-10-26")]))

    change = changes()[-1]
    assert (change.kind, change.before) == (Became.PRIMARY_CHANGED, [marty])
    assert change.cause == {"kind": "import", "import": 1}
    copy.follow()
    assert copy.customers == customers()
    assert len(copy.customers) == 2


@pytest.mark.usefixtures("app")
def test_more_than_fits_into_one_transaction_is_numbered_in_several(
    see: See, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(publishing, "MOST", 2)
    ids = [see(f"{number}@hillvalley.edu").primary_id for number in range(5)]

    assert [feed.publish() for _ in range(4)] == [2, 2, 1, 0]

    assert [each.customer for each in changes()] == ids


@pytest.mark.usefixtures("app")
def test_what_is_kept_no_more_is_said(see: See) -> None:
    for number in range(3):
        see(f"{number}@hillvalley.edu")
    second = changes()[1]
    with database.transaction() as connection:
        line = connection.exec_driver_sql("SELECT event_id FROM change WHERE number = 2")

        feed.drop(connection, line.scalar_one())

    with database.reading() as connection:
        assert feed.begins_after(connection) == second.number
        assert feed.latest(connection) == 3
    assert [each.number for each in changes()] == [3]


INSERT = (
    "INSERT INTO event (occurred_at, kind, source, primary_id, contact_id)"
    " VALUES (now(), 'contact_created', 'test', %s, %s)"
)


@pytest.mark.parametrize("backend", ["postgresql"])
@pytest.mark.usefixtures("app")
def test_who_draws_first_and_commits_last_is_read_all_the_same(database_url: str) -> None:
    address = database_url.replace("+psycopg", "")
    with psycopg.connect(address) as slow, psycopg.connect(address) as quick:
        slow.execute(INSERT, (1, 1))
        quick.execute(INSERT, (2, 2))
        quick.commit()
        seen = [each.customer for each in changes()]
        quick.execute(INSERT, (3, 3))
        quick.commit()
        seen += [each.customer for each in changes(1)]
        slow.commit()

    assert seen == [2, 3]
    assert [each.customer for each in changes(2)] == [1]
    with db.engine.connect() as connection:
        # Nothing is looked through again.
        assert connection.exec_driver_sql("SELECT settled FROM feed").scalar() == 3


@pytest.mark.parametrize("backend", ["postgresql"])
@pytest.mark.usefixtures("app")
def test_a_feed_brought_from_another_server_goes_on(see: See) -> None:
    see("mcfly@hillvalley.edu")
    feed.publish()
    with db.engine.begin() as connection:
        connection.exec_driver_sql(f"UPDATE feed SET settled = 0, noted = 0, horizon = {2**60}")

    see("lorraine@hillvalley.edu")

    assert len(changes()) == 2


@pytest.mark.parametrize("backend", ["postgresql"])
@pytest.mark.usefixtures("app")
def test_one_publisher_at_a_time(see: See, database_url: str) -> None:
    see("mcfly@hillvalley.edu")
    feed.publish()
    see("lorraine@hillvalley.edu")
    with psycopg.connect(database_url.replace("+psycopg", "")) as other:
        other.execute("SELECT 1 FROM feed FOR UPDATE")

        assert feed.publish() == 0

    assert feed.publish() == 1


@pytest.mark.usefixtures("app")
def test_lines_of_before_there_was_a_feed_are_told_as_well_as_they_can(see: See) -> None:
    see("mcfly@hillvalley.edu")
    see("lorraine@hillvalley.edu")
    old = "INSERT INTO event (occurred_at, kind, source, primary_id, detail) VALUES"
    with db.engine.begin() as connection:
        for primary, detail in (
            (1, '{"ruling": 7, "before": [1, 2]}'),
            (2, '{"ruling": 7, "before": [1]}'),
            (1, '{"ruling": 7, "before": [1]}'),
            (2, '{"ruling": 7, "before": [2], "after": []}'),
            (2, '{"ruling": 7, "before": []}'),
        ):
            line = f"{old} ('2026-01-01', 'customer_changed', 'Doc', {primary}, "
            connection.exec_driver_sql(f"{line}'{detail}')")

    assert told(2) == [
        (Became.MERGED, [1, 2], [1]),
        (Became.TAKEN_APART, [1], [1, 2]),
        (Became.GROWN, [1], [1]),
        (Became.TAKEN_APART, [2], []),
        (Became.CREATED, [], [2]),
    ]


@pytest.mark.usefixtures("app")
def test_nothing_that_customers_gave_is_in_a_change(see: See) -> None:
    see("mcfly@hillvalley.edu", "5550001")
    see("lorraine@hillvalley.edu", "5550001")

    for change in changes():
        text = str(change.as_json())
        assert "hillvalley" not in text
        assert "5550001" not in text
