"""Every kind of event is told, and told as what it is."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from flask import Flask

from identity.events import Entry, EventKind
from identity.web import telling

DETAIL = {"moved": [2, 3], "ruling": 7, "reason": "<shared>", "before": [1], "after": [1, 4]}


def entry(kind: str, **different: Any) -> Entry:
    told: dict[str, Any] = {
        "id": 88,
        "occurred_at": datetime(1985, 10, 26, tzinfo=UTC),
        "kind": kind,
        "source": "test",
        "primary_id": 1,
        "contact_id": 2,
        "email": "doc@hillvalley.edu",
        "phone_number": "5554385",
        "detail": DETAIL,
    }
    return Entry(**told | different)


@pytest.fixture
def backend() -> str:
    """Nothing here depends on the database."""
    return "sqlite"


@pytest.fixture(autouse=True)
def _asked(app: Flask) -> Iterator[None]:
    with app.test_request_context():
        yield


def test_every_kind_is_told() -> None:
    assert set(EventKind) <= set(telling.TOLD)
    assert set(telling.kinds()) == set(EventKind)


@pytest.mark.parametrize("kind", telling.TOLD)
def test_every_sentence_can_be_said(kind: str) -> None:
    said = telling.sentence(entry(kind))

    assert said.endswith(".")
    assert not set(said) & set("{}")


def test_no_two_kinds_are_told_alike() -> None:
    for how in ("label", "sentence"):
        assert len({getattr(each, how) for each in telling.TOLD.values()}) == len(telling.TOLD)


def test_a_kind_that_nobody_told_of_is_not_told_as_another() -> None:
    with pytest.raises(KeyError):
        telling.sentence(entry("erased"))


def test_what_a_submission_cannot_do_is_not_said_of_one() -> None:
    with pytest.raises(LookupError):
        telling.flash("ruled")


def test_a_merge_tells_who_became_part_of_whom() -> None:
    assert telling.sentence(entry("clusters_merged", detail={"moved": [2]})) == (
        "<bdi>doc@hillvalley.edu</bdi> and <bdi>5554385</bdi> came together: customer 2, with "
        '1 contact, became part of <a href="/clusters/1">customer 1</a>.'
    )


def test_a_change_tells_of_all_customers_or_of_nobody() -> None:
    said = telling.sentence(entry("customer_changed", detail=DETAIL | {"before": []}))

    assert said == (
        "Customers changed because of ruling 7. Before: nobody. After: "
        '<a href="/clusters/1">customer 1</a>, <a href="/clusters/4">customer 4</a>.'
    )


def test_a_reason_is_told_where_there_is_one() -> None:
    given, none = entry("ruled"), entry("ruled", detail={"ruling": 7, "reason": None})

    assert telling.sentence(given) == "Ruling 7 was applied: “&lt;shared&gt;”."
    assert telling.sentence(none) == "Ruling 7 was applied."


def test_what_somebody_gave_is_not_read_as_a_page() -> None:
    said = telling.sentence(entry("contact_created", email="<b>@hillvalley.edu"))

    assert "<bdi>&lt;b&gt;@hillvalley.edu</bdi>" in said
