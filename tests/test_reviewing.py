"""Findings, at the domain: what looks wrong is found by itself, and goes when it is right."""

from datetime import UTC, datetime, timedelta

import pytest

from identity.database import db
from identity.errors import NotFound
from identity.identifiers import Identifiers, Value
from identity.identifiers import Kind as Of
from identity.reconciliation import identify
from identity.reviewing import findings, joints, sweeping
from identity.reviewing import values as shared_values
from identity.reviewing.findings import Kind, Noted
from identity.rulings import applying
from identity.rulings.applying import Ordered
from identity.rulings.kinds import Apart, ClaimWithdrawn, LinksNobody, SourceWithdrawn
from tests.conftest import See

MANY_NAMED, MANY = 2, 6
"""Strangers that are too many, in these tests: with names, and without."""
STEWARD = Ordered("Doc")
ZEROES, SHARED = "0000000000", "+16172531000"


def swept() -> dict[Kind, list[Noted]]:
    """Sweep, and return what there is to look at."""
    assert sweeping.sweep(MANY_NAMED).finished
    return opened()


def opened() -> dict[Kind, list[Noted]]:
    with db.engine.connect() as connection:
        found = {kind: findings.largest(connection, kind) for kind in Kind}
    return {kind: kept for kind, kept in found.items() if kept}


def strangers(see: See, phone: str, count: int, first: int = 0) -> None:
    for number in range(first, first + count):
        see(f"stranger{number}@hillvalley.edu", phone)


def phone(number: str) -> Value:
    return Value(Of.PHONE, number)


def email(address: str) -> Value:
    return Value(Of.EMAIL, address)


def two_families(see: See) -> tuple[str, str]:
    """Make two customers of three contacts, and join them by one pair, which is returned."""
    for name in "abc":
        see(f"{name}@mcfly.example", "555-0101")
    for name in "xyz":
        see(f"{name}@tannen.example", "555-0202")
    see("a@mcfly.example", "555-0202", source="till")
    return "a@mcfly.example", "5550202"


def test_nothing_is_found_where_nothing_is_wrong(see: See) -> None:
    assert swept() == {}

    strangers(see, SHARED, MANY - 1)

    assert swept() == {}


def test_a_value_that_too_many_strangers_share_is_found(see: See) -> None:
    strangers(see, SHARED, MANY)

    (kept,) = swept()[Kind.SHARED]

    assert (kept.subject, kept.many) == (f"phone:{SHARED}", MANY)
    assert kept.detail["examples"] == [f"stranger{number}@hillvalley.edu" for number in range(3)]


def test_those_on_other_values_are_not_counted(see: See) -> None:
    for number in range(MANY):
        strangers(see, f"+1617253100{number}", 2, first=10 * number)

    with db.engine.connect() as connection:
        values = [phone(f"+1617253100{number}") for number in range(MANY)]
        counted = list(shared_values.suspicious(connection, values, 3, shared_values.MOST))
    assert counted == []


def test_an_email_may_be_shared_too(see: See) -> None:
    for number in range(MANY):
        see("info@hillvalley.edu", f"555-010{number}")

    (kept,) = swept()[Kind.SHARED]

    assert (kept.subject, kept.many) == ("email:info@hillvalley.edu", MANY)


def test_what_looks_like_nobodys_is_found_with_fewer(see: See) -> None:
    strangers(see, ZEROES, 3)

    found = swept()

    assert list(found) == [Kind.FILLER]
    assert found[Kind.FILLER][0].many == 3
    assert found[Kind.FILLER][0].detail["reason"]


def test_what_is_told_later_counts_too(see: See) -> None:
    strangers(see, SHARED, MANY - 1)
    assert swept() == {}

    strangers(see, SHARED, 2, first=MANY)

    assert swept()[Kind.SHARED][0].many == MANY + 1


def tell_named(address: str | None, number: str | None, name: str) -> None:
    identify(Identifiers.parse(address, number), source="shop", reference=name, name=name)


def test_one_person_of_many_addresses_is_no_stranger(see: See) -> None:
    for number in range(MANY + 3):
        tell_named(f"doc{number}@hillvalley.edu", SHARED, "Emmett Brown")

    assert swept() == {}


def test_a_mailbox_that_many_people_gave_is_found_by_their_names(see: See) -> None:
    for number in range(MANY):
        tell_named("office@hillvalley.edu", None, f"Teacher {'abcdefgh'[number]}")

    (kept,) = swept()[Kind.SHARED]

    assert (kept.subject, kept.many) == ("email:office@hillvalley.edu", MANY)


def test_the_ruling_that_fits_ends_it_and_its_withdrawal_brings_it_back(see: See) -> None:
    strangers(see, SHARED, MANY)
    strangers(see, ZEROES, 3, first=20)
    assert set(swept()) == {Kind.SHARED, Kind.FILLER}

    for value in (SHARED, ZEROES):
        applying.rule(LinksNobody(phone(value)), STEWARD)
    assert swept() == {}

    for ruling in (1, 2):
        applying.withdraw(ruling, STEWARD)
    assert set(swept()) == {Kind.SHARED, Kind.FILLER}


def test_what_was_ruled_before_anybody_looked_is_found_when_that_is_withdrawn(see: See) -> None:
    strangers(see, SHARED, MANY)
    applying.rule(LinksNobody(phone(SHARED)), STEWARD)
    now, day = datetime.now(UTC), timedelta(days=1)
    applying.rule(SourceWithdrawn("test", now - day, now + day), STEWARD)
    assert swept() == {}

    applying.withdraw(1, STEWARD)
    assert swept() == {}
    applying.withdraw(2, STEWARD)

    assert set(swept()) == {Kind.SHARED}


def test_fine_is_remembered_until_it_has_doubled(see: See) -> None:
    strangers(see, SHARED, MANY)
    (kept,) = swept()[Kind.SHARED]

    said = findings.say_fine(kept.id, "Doc")
    assert (said.fine_by, said.fine_many) == ("Doc", MANY)
    assert opened() == {}
    strangers(see, SHARED, MANY - 1, first=MANY)
    assert swept() == {}
    strangers(see, SHARED, 1, first=2 * MANY)

    assert swept()[Kind.SHARED][0].many == 2 * MANY


def test_fine_may_be_taken_back(see: See) -> None:
    strangers(see, SHARED, MANY)
    (kept,) = swept()[Kind.SHARED]
    findings.say_fine(kept.id, "Doc")

    findings.look_again(kept.id)

    assert opened()[Kind.SHARED][0].fine_by is None
    for change in (findings.look_again, lambda id_: findings.say_fine(id_, "Doc")):
        with pytest.raises(NotFound):
            change(kept.id + 1)


def test_a_customer_that_one_pair_holds_together_is_found(see: See) -> None:
    pair = two_families(see)

    (kept,) = swept()[Kind.BRIDGE]

    assert joints.named(kept.subject) == pair
    assert kept.detail["email_side"] == {"contacts": 3, "emails": 3, "phones": 1}
    assert kept.detail["phone_side"] == {"contacts": 3, "emails": 3, "phones": 1}
    assert kept.many == 3


def test_it_is_no_more_when_another_pair_or_another_source_says_the_same(see: See) -> None:
    pair = two_families(see)
    assert Kind.BRIDGE in swept()

    see(*pair, source="checkout")

    assert swept() == {}


def test_nor_when_there_is_a_second_way(see: See) -> None:
    two_families(see)
    assert Kind.BRIDGE in swept()

    see("b@mcfly.example", "555-0202")

    assert swept() == {}


def test_keeping_the_two_apart_ends_it_and_undoing_that_brings_it_back(see: See) -> None:
    one, other = two_families(see)
    assert Kind.BRIDGE in swept()

    applying.rule(Apart(email(one), phone(other)), STEWARD)
    assert swept() == {}
    applying.withdraw(1, STEWARD)

    assert Kind.BRIDGE in swept()


def test_so_does_withdrawing_the_pair(see: See) -> None:
    two_families(see)
    assert Kind.BRIDGE in swept()

    applying.rule(ClaimWithdrawn("a@mcfly.example", "5550202", None), STEWARD)
    assert swept() == {}
    applying.withdraw(1, STEWARD)

    assert Kind.BRIDGE in swept()


def test_two_contacts_on_a_side_are_no_customer_of_their_own(see: See) -> None:
    for name in "abcdef":
        see(f"{name}@mcfly.example", "555-0101")
    see("a@mcfly.example", "555-0202")
    see("g@mcfly.example", "555-0202")

    assert Kind.BRIDGE not in swept()


def test_a_merge_that_moved_many_contacts_is_found(see: See) -> None:
    see("lorraine@hillvalley.edu", "555-0101")
    for number in range(10):
        see("office@hillvalley.edu", f"555-020{number}")
    see("lorraine@hillvalley.edu", "555-0200", source="till")

    (kept,) = swept()[Kind.LARGE_MERGE]

    assert kept.many == 10
    assert (kept.detail["customer"], kept.detail["absorbed"]) == (1, 2)
    assert kept.detail["source"] == "till"

    applying.rule(Apart(email("lorraine@hillvalley.edu"), phone("5550200")), STEWARD)
    assert Kind.LARGE_MERGE not in swept()
    applying.withdraw(1, STEWARD)
    assert Kind.LARGE_MERGE in swept()


def test_what_was_kept_apart_and_tried_again_is_found(see: See) -> None:
    see("doc@hillvalley.edu", "555-0101")
    see("doc@hillvalley.edu", "555-0202")
    see("marty@hillvalley.edu", "555-0202")
    applying.rule(Apart(email("doc@hillvalley.edu"), phone("5550202")), STEWARD)
    # What was told before is what the ruling is about.
    assert swept() == {}

    see("doc@hillvalley.edu", "555-0202", source="till")
    see("marty@hillvalley.edu", "555-0101", source="till")
    see("doc@hillvalley.edu", "555-0202", source="checkout")

    (kept,) = swept()[Kind.HELD_AGAIN]
    assert (kept.subject, kept.many) == ("1", 3)
    assert kept.detail == {"sources": ["till", "checkout"], "more": 0}
    applying.withdraw(1, STEWARD)
    assert swept() == {}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("+1 617 253 1014", "617-253-1014"),
        ("617-253-1014", "+1 617 253 1014"),
        ("+1 617 253 1014", "1 617 253 1014"),
        ("+49 30 123456", "030 123456"),
        ("030 123456", "+49 30 123456"),
        ("0049 30 123456", "+49 30 123456"),
    ],
)
def test_numbers_that_are_equal_but_for_the_country_code_are_found(
    see: See, one: str, other: str
) -> None:
    see("doc@hillvalley.edu", one)
    see("emmett@brown.example", other)

    (kept,) = swept()[Kind.COUNTRY_CODE]

    assert kept.detail == {
        "customers": [2, 1] if other.startswith("+") else [1, 2],
        "contacts": [1, 1],
    }
    see("doc@hillvalley.edu", other)
    assert swept() == {}


def test_numbers_of_one_customer_or_that_are_too_short_are_not(see: See) -> None:
    see("doc@hillvalley.edu", "+1 617 253 1014")
    see("doc@hillvalley.edu", "617-253-1014")
    see("marty@hillvalley.edu", "+49 123456")
    see("jennifer@hillvalley.edu", "123456")

    assert swept() == {}


def test_a_sweep_writes_nothing_when_there_is_nothing_new(see: See) -> None:
    strangers(see, SHARED, MANY)
    swept()

    assert sweeping.sweep(MANY_NAMED).steps == 0


def test_a_sweep_may_begin_with_the_first_claim_again(see: See) -> None:
    strangers(see, SHARED, MANY - 1)
    assert swept() == {}
    sweeping.again()

    assert sweeping.sweep(MANY_NAMED - 1).steps > 0

    assert Kind.SHARED in opened()
