"""What looks like nobody's, and how many strangers are too many for it."""

import pytest

from identity.fillers import looks_like_filler, too_many
from identity.identifiers import parse_one

FILLERS = [
    "0000000000", "+1 999 999 9999", "555-555-5555", "0123456789", "1234567890", "9876543210",
    "123456", "12345", "0", "noreply@shop.com", "no-reply@hillvalley.edu", "none@none.com",
    "test@testing.org", "test42@hillvalley.edu", "doc@example.com", "doc@lab.invalid", "na@na.fr",
    "marty@marty.com",
]  # fmt: skip
SOMEBODYS = [
    "+1 617-253-1014", "555-438-5123", "5554385", "+44 20 7946 0958", "doc@hillvalley.edu",
    "testa.rossa@ferrari.it", "info@hillvalley.edu", "noreen@hillvalley.edu",
]  # fmt: skip


@pytest.mark.parametrize("typed", FILLERS)
def test_a_filler_is_recognised_with_a_reason(typed: str) -> None:
    assert looks_like_filler(parse_one(typed, "US"))


@pytest.mark.parametrize("typed", SOMEBODYS)
def test_what_is_somebodys_is_not(typed: str) -> None:
    assert looks_like_filler(parse_one(typed, "US")) is None


def test_the_examples_of_the_contract_may_join_two() -> None:
    assert not too_many(parse_one("123456"), 2, named=2)
    assert not too_many(parse_one("717171"), 2, named=2)


def test_a_filler_needs_few_strangers_names_some_and_nothing_many() -> None:
    filler, office = parse_one("0000000000"), parse_one("+16172531014")

    assert too_many(filler, 3)
    assert not too_many(office, 3, named=3)
    assert too_many(office, 4, named=4)
    assert not too_many(office, 11)
    assert too_many(office, 12)
    assert not too_many(office, 9, named=9, many=10)
