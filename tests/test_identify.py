"""The rules of the contract, at the workshop."""

import itertools
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, update

from identity.database import db
from identity.identifiers import Identifiers
from identity.models import Claim, Contact, Event
from identity.reconciliation import identify
from identity.verification import verify
from tests.conftest import See
from tests.tables import updates


def contacts() -> list[tuple[int, int | None, str]]:
    """Every contact's id, what it is linked to, and its precedence."""
    with db.engine.connect() as connection:
        rows = connection.execute(
            select(Contact.id, Contact.linked_id, Contact.link_precedence).order_by(Contact.id)
        )
        return [(row.id, row.linked_id, row.link_precedence) for row in rows]


def ledger() -> list[str]:
    with db.engine.connect() as connection:
        return list(connection.scalars(select(Event.kind).order_by(Event.id)))


def test_a_stranger_becomes_a_primary_contact(see: See) -> None:
    doc = see("doc@hillvalley.edu", "555-4385")

    assert doc.emails == ("doc@hillvalley.edu",)
    assert doc.phone_numbers == ("5554385",)
    assert doc.secondary_ids == []
    assert contacts() == [(doc.primary_id, None, "primary")]


def test_something_known_and_something_new_make_a_secondary(see: See) -> None:
    lorraine = see("lorraine@hillvalley.edu", "123456")

    mcfly = see("mcfly@hillvalley.edu", "123456")

    assert mcfly.primary_id == lorraine.primary_id
    assert mcfly.emails == ("lorraine@hillvalley.edu", "mcfly@hillvalley.edu")
    assert mcfly.phone_numbers == ("123456",)
    assert len(mcfly.secondary_ids) == 1


@pytest.mark.parametrize(
    ("email", "phone"),
    [
        ("lorraine@hillvalley.edu", "123456"),
        ("mcfly@hillvalley.edu", "123456"),
        ("mcfly@hillvalley.edu", None),
        (None, "123456"),
        ("  McFly@HillValley.EDU ", " 123-456 "),
    ],
)
def test_nothing_new_adds_no_contact(see: See, email: str | None, phone: str | None) -> None:
    see("lorraine@hillvalley.edu", "123456")
    before = see("mcfly@hillvalley.edu", "123456")

    after = see(email, phone)

    assert after == before
    assert len(contacts()) == 2


def test_a_call_that_joins_two_customers_demotes_the_younger(see: See) -> None:
    george = see("george@hillvalley.edu", "919191")
    biff = see("biffsucks@hillvalley.edu", "717171")

    joined = see("george@hillvalley.edu", "717171")

    assert joined.primary_id == george.primary_id
    assert joined.emails == ("george@hillvalley.edu", "biffsucks@hillvalley.edu")
    assert joined.phone_numbers == ("919191", "717171")
    assert joined.secondary_ids == [biff.primary_id]
    assert contacts() == [
        (george.primary_id, None, "primary"),
        (biff.primary_id, george.primary_id, "secondary"),
    ]


def test_a_merge_moves_everything_that_was_linked_to_the_younger(see: See) -> None:
    marty = see("marty@hillvalley.edu", "555-1985")
    doc = see("doc@hillvalley.edu", "555-4385")
    see("doc@brown.org", "555-4385")
    see("emmett@brown.org", "555-4385")

    joined = see("marty@hillvalley.edu", "555-4385")

    assert joined.primary_id == marty.primary_id
    assert all(
        linked_id == marty.primary_id for id_, linked_id, _ in contacts() if id_ != marty.primary_id
    )
    assert doc.primary_id in joined.secondary_ids
    assert joined.emails[0] == "marty@hillvalley.edu"


def test_the_answer_of_a_merge_is_the_answer_of_the_next_reading(see: See) -> None:
    see("marty@hillvalley.edu", "555-1985")
    see("doc@hillvalley.edu", "555-4385")
    see("jennifer@hillvalley.edu", "555-1985")
    see("doc@brown.org", "555-4385")

    joined = see("marty@hillvalley.edu", "555-4385")

    assert see("doc@brown.org") == joined


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_a_chain_of_merges_ends_the_same_in_every_order(see: See, order: tuple[int]) -> None:
    for number in range(4):
        see(f"{number}@clocktower.org", f"55{number}")
    bridges = [(f"{number}@clocktower.org", f"55{number + 1}") for number in range(3)]

    for index in order:
        joined = see(*bridges[index])

    assert see("0@clocktower.org") == see("3@clocktower.org")
    assert joined.primary_id == 1
    assert contacts() == [(1, None, "primary")] + [(id_, 1, "secondary") for id_ in (2, 3, 4)]
    assert verify().problems == []


def test_a_missing_email_does_not_match_other_missing_emails(see: See) -> None:
    strickland = see(phone="555-0001")

    doc = see(phone="555-4385")

    assert doc.primary_id != strickland.primary_id


def test_a_missing_phone_does_not_match_other_missing_phones(see: See) -> None:
    strickland = see("strickland@hillvalley.edu")

    doc = see("doc@hillvalley.edu")

    assert doc.primary_id != strickland.primary_id


def test_a_new_pair_of_known_identifiers_leaves_a_link_and_no_contact(see: See) -> None:
    see("lorraine@hillvalley.edu", "123456")
    see("mcfly@hillvalley.edu", "123456")
    see("mcfly@hillvalley.edu", "654321")

    see("lorraine@hillvalley.edu", "654321")

    assert len(contacts()) == 3
    assert ledger()[-1] == "link_seen"


def test_each_decision_is_told_once_and_a_repeat_is_not(see: See) -> None:
    see("george@hillvalley.edu", "919191")
    see("george@hillvalley.edu", "919192")
    see("biffsucks@hillvalley.edu", "717171")
    see("george@hillvalley.edu", "717171")
    see("george@hillvalley.edu", "717171")

    assert ledger() == ["contact_created", "contact_linked", "contact_created", "clusters_merged"]


def test_a_merge_writes_down_what_an_undo_needs(see: See) -> None:
    george = see("george@hillvalley.edu", "919191")
    biff = see("biffsucks@hillvalley.edu", "717171")
    griff = see("griff@hillvalley.edu", "717171")

    see("george@hillvalley.edu", "717171", source="checkout")

    with db.engine.connect() as connection:
        event = connection.execute(select(Event).order_by(Event.id.desc()).limit(1)).one()
        told = connection.execute(select(Claim).where(Claim.email == event.email)).all()
    assert event.detail == {
        "absorbed": biff.primary_id,
        "moved": [biff.primary_id, *griff.secondary_ids],
    }
    assert (event.primary_id, event.source) == (george.primary_id, "checkout")
    assert ("717171", "checkout") in [(row.phone_number, row.source) for row in told]


def test_whoever_a_merge_moves_was_updated_then_and_nobody_else(see: See) -> None:
    see("george@hillvalley.edu", "919191")
    see("biffsucks@hillvalley.edu", "717171")
    see("griff@hillvalley.edu", "717171")
    see("strickland@hillvalley.edu")
    before = updates()

    see("george@hillvalley.edu", "717171")

    after = updates()
    with db.engine.connect() as connection:
        told = connection.scalars(select(Event.occurred_at).order_by(Event.id)).all()[-1]
    assert {id_ for id_ in after if after[id_] != before[id_]} == {2, 3}
    assert after[2] == after[3] == told


def test_a_new_contact_leaves_the_others_as_they_were(see: See) -> None:
    see("lorraine@hillvalley.edu", "123456")
    before = updates()

    see("mcfly@hillvalley.edu", "123456")
    see("mcfly@hillvalley.edu", source="till")

    assert updates()[1] == before[1]


def test_what_was_told_is_kept_by_source_and_in_order(see: See) -> None:
    see("doc@hillvalley.edu", "5554385", source="till")
    see("doc@hillvalley.edu", source="till")
    see("doc@hillvalley.edu", "5554385", source="checkout")
    for source in ("till", "checkout", "till"):
        see("doc@hillvalley.edu", "5554385", source=source)

    with db.engine.connect() as connection:
        told = connection.execute(
            select(Claim.email, Claim.phone_number, Claim.source, Claim.contact_id).order_by(
                Claim.id
            )
        ).all()
    assert [tuple(each) for each in told] == [
        ("doc@hillvalley.edu", "5554385", "till", 1),
        ("doc@hillvalley.edu", None, "till", None),
        ("doc@hillvalley.edu", "5554385", "checkout", None),
    ]
    assert ledger() == ["contact_created"]


def test_a_clock_that_is_behind_never_makes_a_secondary_older_than_its_primary(see: See) -> None:
    primary = see("doc@hillvalley.edu", "555-4385").primary
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    with db.engine.begin() as connection:
        connection.execute(update(Contact).values(created_at=tomorrow))
        connection.execute(update(Claim).values(dated_at=tomorrow))

    joined = see("emmett@brown.org", "555-4385")

    assert joined.primary_id == primary.id
    assert joined.members[1].created_at > tomorrow
    assert verify().problems == []


def test_the_outcome_tells_what_happened(see: See) -> None:
    see("doc@hillvalley.edu")

    new = identify(Identifiers("doc@hillvalley.edu", "5554385"), source="test")
    known = identify(Identifiers("doc@hillvalley.edu", "5554385"), source="test")

    assert new.event == "contact_linked"
    assert known.event is None


def test_reprs_hold_no_email_and_no_phone(see: See) -> None:
    doc = see("doc@hillvalley.edu", "555-4385")

    told = repr(doc.primary) + repr(Identifiers("doc@hillvalley.edu", "5554385")) + repr(Contact())

    assert "doc" not in told
    assert "5554385" not in told
