"""The report as a page: counted anew, with orders, and printed; each figure leads to customers."""

import io
import re
from datetime import UTC, datetime

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import update
from werkzeug.test import TestResponse

from identity.access import Role
from identity.database import db
from identity.duplicates import kept, making
from identity.duplicates.kept import Kind
from identity.erasing import applying as erasing
from identity.erasing.reach import Wanted
from identity.identifiers import parse_one
from identity.models import Report
from identity.rulings import applying
from identity.rulings.applying import Ordered
from identity.rulings.kinds import ImportWithdrawn
from tests.bringing import bring
from tests.callers import person
from tests.pages import PAGES, field, folded, send, text
from tests.shopify import as_orders, order

SHOP = b"""Customer ID,Email,Phone,Accepts Email Marketing,Tax Exempt,First Name,Last Name
1,lorraine@hillvalley.edu,+17755550101,yes,no,Lorraine,Baines
2,mcfly@hillvalley.edu,+17755550101,yes,no,Lorraine,McFly
3,george@hillvalley.edu,+17755550102,yes,no,,
"""


@pytest.fixture
def town(app: Flask) -> None:
    with app.app_context():
        bring(SHOP)


def count(client: FlaskClient) -> TestResponse:
    return send(client, "/report", {"csrf_token": field(client.get("/report"), "csrf_token")})


def upload(client: FlaskClient, *contents: bytes, name: str = "orders.csv") -> TestResponse:
    files = [(io.BytesIO(content), name) for content in contents]
    token = field(client.get("/report"), "csrf_token")
    return send(client, "/report/orders", {"csrf_token": token, "files": files})


def figure(page: TestResponse, label: str) -> str:
    (found,) = re.findall(rf"<dt>{label}</dt><dd>(.*?)</dd>", folded(page))
    return re.sub(r"<[^>]+>", "", str(found))


def behind(page: TestResponse, label: str) -> str:
    (found,) = re.findall(rf'<dt>{label}</dt><dd><a href="([^"]+)"', folded(page))
    return str(found)


def test_before_anything_was_counted_it_says_so(client: FlaskClient) -> None:
    page = client.get("/report")

    assert "Nothing was counted yet." in text(page)
    assert "What the words mean" in text(page)


@pytest.mark.usefixtures("town")
def test_what_is_on_record_is_counted_and_leads_to_customers(client: FlaskClient) -> None:
    page = count(client)

    assert [figure(page, each) for each in ("Records", "People", "Duplicates")] == [
        *("3", "2", "1 33.3 %")
    ]
    assert figure(page, "Sent twice in each mailing") == "1 33.3 %"
    behind_it = text(client.get(behind(page, "People of several records")))
    assert "Customer 1 Lorraine Baines, Lorraine McFly lorraine@hillvalley.edu" in behind_it
    assert "Customer 3" not in behind_it


@pytest.mark.usefixtures("town")
def test_every_number_that_is_a_link_leads_to_a_list(client: FlaskClient) -> None:
    bring(b"email,phone\nmcfly@hillvalley.edu,\nbiff@hillvalley.edu,\n", feed="A&B/50% off?")
    page = upload(client, as_orders([order("lorraine@hillvalley.edu", "1")]))

    links = set(re.findall(r'href="(/report/customers[^"]+)"', page.text))

    assert len(links) == 7
    for link in links:
        assert client.get(link.replace("&amp;", "&")).status_code == 200


@pytest.mark.usefixtures("town")
def test_orders_are_ranked_as_records_and_as_people(client: FlaskClient) -> None:
    page = upload(
        client,
        as_orders([order("george@hillvalley.edu", "4209.00"), order("biff@till.shop", "1")]),
        as_orders([order("lorraine@hillvalley.edu", "4200"), order("mcfly@hillvalley.edu", "10")]),
    )

    said = text(page)
    assert "1st Customer 1, Lorraine Baines 4,210.00 2 2nd and 3rd" in said
    assert "2nd Customer 3, george@hillvalley.edu 4,209.00 1 1st" in said
    assert "3rd Not on record 1.00 1 4th" in said
    assert "1 buyer is not on record" in said
    assert figure(page, "Came back, as people") == "33.3 %"
    # What was on record is counted with them, of the same moment.
    assert figure(page, "Records") == "3"


@pytest.mark.usefixtures("town")
def test_what_was_counted_of_orders_stays_when_customers_are_counted_again(
    client: FlaskClient,
) -> None:
    upload(client, as_orders([order("george@hillvalley.edu", "7.00")]))

    assert "EUR 7.00 in 1 order" in text(count(client))


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (SHOP, "is no export of orders from Shopify, but: Shopify customers"),
        (b"", "orders.csv: The file is empty."),
        (b"PK\x03\x04 and then nothing", "orders.csv: "),
        (b"\xff" * 2000, "orders.csv: "),
    ],
)
def test_a_file_that_is_none_of_orders_is_refused_beside_its_field(
    client: FlaskClient, content: bytes, sentence: str
) -> None:
    page = upload(client, content)

    assert page.status_code == 400
    assert sentence in text(page)
    assert "being counted" not in text(page)


def test_no_file_is_asked_for(client: FlaskClient) -> None:
    token = field(client.get("/report"), "csrf_token")

    page = client.post("/report/orders", data={"csrf_token": token}, headers=PAGES)

    assert page.status_code == 400
    assert "Choose a file." in page.text


def test_what_is_not_understood_is_named_with_its_lines(client: FlaskClient) -> None:
    page = upload(client, as_orders([order("george@hillvalley.edu", "ten")]))

    assert "1 line not understood: Total: this is not an amount of money." in folded(page)
    assert "No order counts." in text(page)


def test_whoever_counts_is_seen_and_nobody_else_counts_meanwhile(client: FlaskClient) -> None:
    by = kept.begin(Kind.CUSTOMERS)

    page = client.get("/report")
    again = count(client)

    assert by
    assert "What is on record is being counted." in text(page)
    assert 'http-equiv="refresh"' in page.text
    assert making.UNDER_WAY in text(again)
    assert kept.get()[Kind.CUSTOMERS].content is None


def test_a_process_that_was_killed_while_it_counted_holds_up_nobody(client: FlaskClient) -> None:
    kept.begin(Kind.CUSTOMERS)
    long_ago = {"by": "x", "seen_at": datetime(2024, 1, 1, tzinfo=UTC).isoformat(), "failed": None}
    with db.engine.begin() as connection:
        connection.execute(update(Report).values(work=long_ago))

    page = client.get("/report")

    assert "could not be counted: The process that was counting ended" in text(page)
    assert figure(count(client), "Records") == "0"


def test_why_it_could_not_be_counted_is_kept(app: Flask) -> None:
    def fail() -> dict[str, object]:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        making.make(Kind.CUSTOMERS, "Doc", fail)

    assert making.FAILED in text(app.test_client().get("/report"))


@pytest.mark.usefixtures("town")
def test_an_erasure_forgets_what_was_counted(client: FlaskClient) -> None:
    upload(client, as_orders([order("george@hillvalley.edu", "7.00")]))

    erasing.erase(Wanted(frozenset([parse_one("george@hillvalley.edu")])), Ordered("Doc"))

    assert "Nothing was counted yet." in text(client.get("/report"))


@pytest.mark.usefixtures("town")
def test_a_list_leads_to_who_the_customers_are_by_now(client: FlaskClient) -> None:
    page = count(client)
    # George becomes the older one, and then the same as Lorraine.
    bring(b"email,phone,created at\ngeorge@hillvalley.edu,+17755550102,1985-10-26\n")
    bring(b"email,phone\ngeorge@hillvalley.edu,+17755550101\n")

    listed = text(client.get(behind(page, "People of several records")))

    assert "Customer 3 Lorraine Baines" in listed
    assert "Customer 1" not in listed
    assert client.get("/report/customers?of=nothing").status_code == 404


@pytest.mark.usefixtures("town")
def test_whoever_is_gone_is_said_to_be(client: FlaskClient) -> None:
    page = upload(client, as_orders([order("lorraine@hillvalley.edu", "7.00")]))
    applying.rule(ImportWithdrawn(1), Ordered("Doc"))

    listed = client.get(behind(page, "People of several records"))

    assert "1 of these is gone since." in text(listed)
    assert "1st Customer 1 7.00" in text(client.get("/report"))


@pytest.mark.usefixtures("town")
def test_it_is_for_stewards(app: Flask) -> None:
    viewer = person(app, "Marty", Role.VIEWER)

    assert viewer.get("/report", headers=PAGES).status_code == 403
    assert "What duplicates cost" not in viewer.get("/").text
