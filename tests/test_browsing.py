"""The lists: orders, pages, search, figures, and the way between two identifiers."""

import pytest
from flask.testing import FlaskClient

from identity import browsing, database
from identity.browsing import Order
from identity.portraying.graphs import graph_of
from identity.web.pages import picture as drawing
from tests.conftest import Make, See
from tests.pages import add, folded, text


def ids(order: Order) -> list[int]:
    page = database.read(lambda connection: browsing.customers(connection, order))
    return [customer.primary_id for customer in page.customers]


def walk(order: Order) -> list[int]:
    """Every customer, page by page."""
    with database.reading() as connection:
        page = browsing.customers(connection, order)
        found = page.customers
        while page.after is not None:
            page = browsing.customers(connection, order, after=page.after)
            found += page.customers
    return [customer.primary_id for customer in found]


@pytest.fixture
def town(see: See) -> None:
    """Contacts 1, 4 and 5 are Marty's; 2 is Doc, 3 is Strickland, 6 is Doc again."""
    see("marty@hillvalley.edu", "555-1985")
    see("doc@hillvalley.edu", "555-4385")
    see("strickland@hillvalley.edu")
    see("calvin@hillvalley.edu", "555-1985")
    see("clint@hillvalley.edu", "555-1985")
    see("emmett@brown.org", "555-4385")


@pytest.mark.usefixtures("town")
def test_the_orders() -> None:
    assert ids(Order.NEWEST) == [3, 2, 1]
    assert ids(Order.ACTIVE) == [2, 1, 3]
    assert ids(Order.LARGEST) == [1, 2]


@pytest.mark.parametrize("order", Order)
def test_every_customer_is_on_exactly_one_page(
    see: See, order: Order, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(browsing, "PAGE", 3)
    for number in range(11):
        for contact in range(1 + number % 4):
            see(f"{number}-{contact}@town.example", f"55{number}")

    found = walk(order)

    several = {number for number in range(11) if order is not Order.LARGEST or number % 4}
    assert len(found) == len(set(found)) == len(several)


@pytest.mark.usefixtures("town")
def test_a_merge_is_activity(see: See) -> None:
    see("strickland@hillvalley.edu", "555-4385")
    assert ids(Order.ACTIVE) == [2, 1]

    see("marty@hillvalley.edu", "555-4385")
    see("needles@hillvalley.edu")
    assert ids(Order.ACTIVE) == [7, 1]


@pytest.mark.parametrize("chunks", [1, 50])
def test_a_customer_of_whom_much_was_told_is_on_one_page(
    see: See, chunks: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(browsing, "PAGE", 2)
    monkeypatch.setattr(browsing, "CHUNK", 3)
    monkeypatch.setattr(browsing, "CHUNKS", chunks)
    for name in ("doc", "strickland", "needles"):
        see(f"{name}@hillvalley.edu", phone_of(name))
    for number in range(10):
        see(f"marty{number}@hillvalley.edu", "555-1985")
    see("emmett@brown.org", phone_of("doc"))

    assert walk(Order.ACTIVE) == [1, 4, 3, 2]


def phone_of(name: str) -> str:
    return f"555-{len(name):04}"


@pytest.mark.usefixtures("town")
def test_a_summary_counts_the_contacts() -> None:
    page = database.read(lambda connection: browsing.customers(connection, Order.LARGEST))

    marty = page.customers[0]
    assert (marty.email, marty.phone_number, marty.contacts) == (
        "marty@hillvalley.edu",
        "5551985",
        3,
    )
    assert marty.last_activity_at > marty.created_at


@pytest.mark.usefixtures("town")
def test_the_figures() -> None:
    figures = database.read(browsing.figures)

    assert (figures.customers, figures.contacts, figures.merges) == (3, 6, 0)


def test_the_way_between_two_identifiers_is_the_shortest(see: See) -> None:
    see("a@x.example", "1")
    see("b@x.example", "1")
    see("b@x.example", "2")
    see("c@x.example", "2")
    customer = see("c@x.example", "1")
    graph = database.read(lambda connection: graph_of(connection, customer))
    points = {point.value: point for point in graph.points}

    way = graph.way(points["a@x.example"], points["2"])

    assert [(edge.email.value, edge.phone.value) for edge in way] in (
        [("a@x.example", "1"), ("b@x.example", "1"), ("b@x.example", "2")],
        [("a@x.example", "1"), ("c@x.example", "1"), ("c@x.example", "2")],
    )
    assert graph.way(points["1"], points["1"]) == []


def test_a_large_customer_is_drawn_in_part_and_the_page_says_so(
    client: FlaskClient, see: See
) -> None:
    for number in range(80):
        customer = see(f"{number}@crowd.example", "1")
    graph = database.read(lambda connection: graph_of(connection, customer))

    picture = drawing.picture(graph, customer.primary_id, (graph.points[70],), None)

    assert len(picture.places) == drawing.SHOWN
    assert graph.points[70] in [place.point for place in picture.places]
    assert "60 of 81 identifiers are drawn" in folded(client.get("/clusters/1"))


@pytest.mark.usefixtures("town")
def test_the_pages_of_the_lists(client: FlaskClient) -> None:
    assert "emmett@brown.org" in folded(client.get("/events"))
    assert "Nothing of this kind" in folded(client.get("/events?kind=clusters_merged"))
    assert "strickland" in folded(client.get("/clusters"))
    assert "strickland" not in folded(client.get("/clusters?order=largest"))
    for path in ("/events?kind=x&before=x", "/clusters?order=x&after=" + "9" * 30):
        assert client.get(path).status_code == 200


def test_an_empty_house_says_what_to_do_first(client: FlaskClient) -> None:
    assert "There is nobody here yet." in folded(client.get("/clusters"))
    folded(client.get("/events"))
    folded(client.get("/"))


@pytest.mark.usefixtures("town")
def test_the_ledger_tells_of_a_merge_on_the_page(client: FlaskClient) -> None:
    page = folded(add(client, "doc@hillvalley.edu", "555-1985"))

    assert "customer 2, with 2 contacts, became part of" in page
    assert "Two customers turned out to be one" in page


@pytest.mark.usefixtures("town")
def test_a_marked_contact_and_the_way_are_on_the_page(client: FlaskClient) -> None:
    page = folded(client.get("/clusters/5", follow_redirects=True))
    assert '<tr id="contact-5" class="marked">' in page

    page = folded(client.get("/clusters/1?at=e4&and=e5"))
    assert page.count("were given together:") == 2


@pytest.mark.usefixtures("town")
def test_the_end_of_a_list_is_not_an_empty_house(client: FlaskClient) -> None:
    assert "There are no more." in folded(client.get("/clusters?after=1"))
    assert "There is nothing older." in folded(client.get("/events?before=1"))


def test_the_first_page_says_that_numbers_without_a_country_code_arrive(
    client: FlaskClient, see: See, make: Make
) -> None:
    see(phone="+1 617 253 1014")
    assert "DEFAULT_PHONE_REGION" not in folded(client.get("/"))

    see(phone="617 253 1014")
    see(phone="123456")

    assert "1 phone number came without a country code, and no country is set." in text(
        client.get("/")
    )
    with_one = make(DEFAULT_PHONE_REGION="US").test_client()
    assert "DEFAULT_PHONE_REGION" not in folded(with_one.get("/"))


@pytest.mark.usefixtures("town")
def test_the_first_page_counts_and_leads_on(client: FlaskClient) -> None:
    page = text(client.get("/"))

    # A figure stands right after its name.
    assert all(figure in page for figure in ("Customers3", "Contacts6", "Merges0"))
    assert "Add a contact" in page


def test_a_customer_is_listed_with_its_names(client: FlaskClient, see: See) -> None:
    see("marty@hillvalley.edu", "555-1985")
    see("doc@hillvalley.edu")
    assert "Name" not in text(client.get("/clusters"))

    client.post("/identify", json={"email": "marty@hillvalley.edu", "name": "Marty McFly"})

    assert "Customer 1 Marty McFly marty@hillvalley.edu" in text(client.get("/clusters"))
    assert "First" in text(client.get("/clusters?after=2"))
