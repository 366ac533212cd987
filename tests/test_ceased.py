"""A contact that ceased is nobody's: no list, no look-up, no count and no export has it."""

from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text

from identity import browsing, database, exporting, searching
from identity.batching import looking
from identity.browsing import Order
from identity.database import db
from identity.deciding import Call
from identity.exporting import What
from identity.identifiers import Kind, Value
from identity.rulings import applying
from identity.rulings.applying import Ordered
from identity.rulings.kinds import LinksNobody
from identity.verification import verify
from tests.conftest import See
from tests.pages import folded


def by_hand() -> None:
    """As the published table lets anybody do it: contacts 3, 4 and 5 are deleted."""
    with db.engine.begin() as connection:
        deleted = "UPDATE contact SET deleted_at = created_at WHERE id IN (3, 4, 5)"
        connection.execute(text(deleted))


def by_rulings() -> None:
    """Nothing is left of contacts 3, 4 and 5."""
    for kind, value in (
        (Kind.PHONE, "5551985"),
        (Kind.EMAIL, "marty@hillvalley.edu"),
        (Kind.EMAIL, "calvin@hillvalley.edu"),
        (Kind.EMAIL, "strickland@hillvalley.edu"),
    ):
        applying.rule(LinksNobody(Value(kind, value)), Ordered("test"))


@pytest.fixture(params=[by_hand, by_rulings])
def town(request: pytest.FixtureRequest, see: See) -> None:
    """Contacts 1 and 2 are Doc; 3 and 4 were Marty, 5 was Strickland, and they ceased."""
    see("doc@hillvalley.edu", "5554385")
    see("emmett@brown.org", "5554385")
    see("marty@hillvalley.edu", "5551985")
    see("calvin@hillvalley.edu", "5551985")
    see("strickland@hillvalley.edu")
    ceased: Callable[[], None] = request.param
    ceased()


GONE = ("marty@hillvalley.edu", "calvin@hillvalley.edu", "strickland@hillvalley.edu", "5551985")


@pytest.mark.usefixtures("town")
@pytest.mark.parametrize("order", Order)
def test_it_is_in_no_list_and_not_counted_in_one(order: Order) -> None:
    page = database.read(lambda connection: browsing.customers(connection, order))

    assert [(each.primary_id, each.contacts) for each in page.customers] == [(1, 2)]


@pytest.mark.usefixtures("town")
def test_the_newest_is_nobody_who_ceased(see: See) -> None:
    with database.reading() as connection:
        (doc,) = browsing.customers(connection, Order.ACTIVE).customers

    assert doc.last_activity_at == see("doc@hillvalley.edu").members[-1].created_at


def test_a_secondary_that_ceased_is_counted_no_more(see: See) -> None:
    see("doc@hillvalley.edu", "5554385")
    see("einstein@hillvalley.edu")
    see("emmett@brown.org", "5554385")
    with db.engine.begin() as connection:
        connection.execute(text("UPDATE contact SET deleted_at = created_at WHERE id = 3"))

    with database.reading() as connection:
        found = browsing.customers(connection, Order.ACTIVE).customers
        largest = browsing.customers(connection, Order.LARGEST).customers
    searched = searching.search(searching.read("emmett")).matches

    # That it came stays what happened last.
    assert [(each.primary_id, each.contacts) for each in found] == [(1, 1), (2, 1)]
    assert largest == []
    assert searched == []


@pytest.mark.usefixtures("town")
@pytest.mark.parametrize("part", ["marty", "calvin", "strickland", "5551985"])
def test_it_is_not_found_by_any_part_of_what_it_said(part: str) -> None:
    assert searching.search(searching.read(part)).matches == []
    assert len(searching.search(searching.read("emmett")).matches) == 1


@pytest.mark.usefixtures("town")
@pytest.mark.parametrize("value", GONE)
def test_looking_it_up_finds_nobody(client: FlaskClient, value: str) -> None:
    asked = {"email" if "@" in value else "phoneNumber": value}

    assert client.get("/lookup", query_string=asked).status_code == 404


@pytest.mark.usefixtures("town")
def test_nobody_would_be_merged_with_it(client: FlaskClient) -> None:
    asked = {"email": "doc@hillvalley.edu", "phoneNumber": "5551985"}

    told = client.get("/lookup", query_string=asked).get_json()

    assert told["wouldMergeWith"] is None
    assert told["contact"]["primaryContactId"] == 1


@pytest.mark.usefixtures("town")
@pytest.mark.parametrize("contact_id", [3, 4, 5])
def test_its_id_is_gone(client: FlaskClient, contact_id: int) -> None:
    for path in (f"/clusters/{contact_id}.json", f"/clusters/{contact_id}/graph.json"):
        response = client.get(path)
        assert response.status_code == 410, path
        assert response.get_json()["now"] == []
    assert client.get("/clusters/1.json").status_code == 200


@pytest.mark.usefixtures("town")
def test_it_is_counted_nowhere(app: Flask, client: FlaskClient) -> None:
    figures = database.read(browsing.figures)
    report = verify()

    assert (figures.customers, figures.contacts) == (1, 2)
    assert (report.clusters, report.contacts) == (1, 2)
    assert [exporting.count(what) for what in What] == [1, 2]
    assert "strickland" not in folded(client.get("/clusters"))


@pytest.mark.usefixtures("town")
def test_no_export_has_it() -> None:
    for what in What:
        exported = b"".join(exporting.parts(what)).decode()
        assert "doc@hillvalley.edu" in exported
        assert not [value for value in GONE if value in exported], what


@pytest.mark.usefixtures("town")
def test_an_import_knows_nobody_who_ceased() -> None:
    found = looking.look_now([Call("marty@hillvalley.edu", "5551985")], "feed:plain")

    assert found.known.holders == {}
    assert found.known.contents == {}
