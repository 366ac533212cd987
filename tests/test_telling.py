"""Every kind of event is told, and told as what it is."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from flask import Flask

from identity.activity import Imported
from identity.events import Entry
from identity.models import EventKind
from identity.rulings.kinds import RulingKind
from identity.web.pages import telling

DETAIL = {"moved": [2, 3], "ruling": 7, "kind": "apart", "reason": "<shared>", "before": [1]}
DETAIL |= {"until": "2024-10-26T01:21:00+00:00", "lines": 1204, "audit": 1}


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


def link(id_: int) -> str:
    return f'<a href="/clusters/{id_}">customer {id_}</a>'


def ruling(called: str) -> str:
    return f'<a href="/review/rulings/7">{called} 7</a>'


@pytest.mark.parametrize(
    ("detail", "said"),
    [
        ({"before": [1]}, "changed"),
        ({"before": []}, "came to be"),
        ({"before": [1, 2, 5]}, f"took in what was with {link(2)}, {link(5)}"),
        (
            {"before": [1, *range(2, 2002)]},
            f"took in what was with {', '.join(map(link, range(2, 7)))} and 1,995 others",
        ),
        ({"before": [5]}, f"came to be, from {link(5)}"),
        ({"before": [1], "after": []}, "ceased"),
    ],
)
def test_a_change_tells_what_became_of_the_customer(detail: dict[str, Any], said: str) -> None:
    told = telling.sentence(entry("customer_changed", detail={"ruling": 7} | detail))

    assert told == f"Because of {ruling('ruling')}, {link(1)} {said}."


def test_a_mended_customer_tells_who_it_was() -> None:
    told = telling.sentence(entry("customer_mended", detail={"before": [1, 4]}))

    assert told == (
        f"The tables said otherwise than the evidence, and {link(1)} was put right. "
        f"Before, it was {link(1)}, {link(4)}."
    )


def test_a_reason_is_told_where_there_is_one() -> None:
    detail = {"ruling": 7, "kind": "links_nobody", "reason": None}
    given, none = entry("ruled", primary_id=None), entry("ruled", detail=detail)

    assert telling.sentence(given) == (
        f"{ruling('Ruling')} was applied: two identifiers are never of one customer, "
        "because “&lt;shared&gt;”."
    )
    assert telling.sentence(none) == f"{ruling('Ruling')} was applied: a value links nobody."


def test_every_kind_of_ruling_is_told() -> None:
    assert set(telling.RULED) == set(RulingKind)


def test_what_somebody_gave_is_not_read_as_a_page() -> None:
    said = telling.sentence(entry("contact_created", email="<b>@hillvalley.edu"))

    assert "<bdi>&lt;b&gt;@hillvalley.edu</bdi>" in said


@pytest.mark.parametrize(
    ("counts", "said"),
    [
        ({"customers": 20000, "contacts": 1}, "20,000 new customers, 1 contact added"),
        ({"merged": 4, "held": 2, "rejected": 1}, "4 merges, 2 rows kept apart, 1 row rejected"),
        ({"rejected": 7, "rows": 9}, "nothing new, 7 rows rejected"),
        ({}, "nothing new"),
    ],
)
def test_an_import_tells_what_it_brought(counts: dict[str, int], said: str) -> None:
    begun = datetime(1985, 10, 26, tzinfo=UTC)
    line = Imported(7, "<customers>.csv", "Doc", "feed:shop", begun, begun, counts)

    assert telling.imported(line) == (
        f'<a href="/imports/7">Import 7</a> of <bdi>&lt;customers&gt;.csv</bdi>: {said}.'
    )
