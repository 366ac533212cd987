"""The page of one customer: facts first, what holds it together, and what can be done about it."""

import csv
import io
import json
import random
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import networkx
import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event, update
from werkzeug.test import TestResponse

from identity import database
from identity.database import READING, db
from identity.identifiers import Kind, Value
from identity.models import Claim, Contact, Event, Identifier
from identity.portraying import history, membership, portraits, surroundings
from identity.portraying.graphs import Edge, Graph, Point
from identity.portraying.holding import holding, without
from identity.rulings import applying
from identity.rulings.applying import Ordered
from identity.rulings.kinds import Apart, ClaimWithdrawn, LinksNobody
from tests.conftest import See
from tests.crowding import large_customer
from tests.pages import folded, text

HTML = {"Accept": "text/html"}
LORRAINE, BAINES = "lorraine@hillvalley.edu", "baines@hillvalley.edu"
GEORGE, MCFLY = "george@hillvalley.edu", "mcfly@hillvalley.edu"
NOW = datetime(2026, 11, 21, tzinfo=UTC)


@pytest.fixture
def family(see: See) -> None:
    """Lorraine's two emails and two numbers, and George's two emails, joined by one link.

    Contacts 1 to 3 are hers, 4 and 5 his; of hers each link is confirmed by another way.
    """
    see(LORRAINE, "1955", source="checkout")
    see(BAINES, "1955", source="crm")
    see(BAINES, "1985", source="crm")
    see(LORRAINE, "1985", source="newsletter")
    see(GEORGE, "8888", source="checkout")
    see(MCFLY, "8888", source="checkout")
    see(MCFLY, "1985", source="form")


def heading(page: TestResponse) -> str:
    found = re.search("<h1>(.*?)</h1>", page.text)
    assert found
    return found[1]


def panel(page: TestResponse) -> str:
    """What is told of what was chosen."""
    start = page.text.index('<section class="card chosen-here"')
    cut = page.text[start : page.text.index("</section>", start)]
    return re.sub(r"\s+", " ", re.sub("<[^>]+>", "", cut))


def link(page: TestResponse, label: str) -> str:
    """Where a button or link with that label leads."""
    found = re.search(rf'href="([^"]+)"[^>]*>{re.escape(label)}', page.text)
    assert found, label
    return found[1].replace("&amp;", "&")


# Facts


@pytest.mark.usefixtures("family")
def test_a_customer_without_a_name_is_called_by_email_and_phone_number(
    client: FlaskClient,
) -> None:
    page = client.get("/clusters/1")

    assert heading(page) == f"{LORRAINE} · 1955"
    assert (
        "5 contacts; weakest link: mcfly@hillvalley.edu and 1985, given together once, by form"
    ) in text(page)


def test_a_name_and_references_come_first_with_their_source(client: FlaskClient) -> None:
    body = {"email": MCFLY, "reference": "<R-88>", "name": "Calvin Klein"}
    client.post("/identify", json=body)

    page = client.get("/clusters/1")

    assert heading(page) == "Calvin Klein"
    facts = page.text[page.text.index('aria-label="Facts"') : page.text.index('id="together"')]
    assert "&lt;R-88&gt;" in facts
    assert '<a href="/events?source=api"><bdi>api</bdi></a>' in facts


@pytest.mark.usefixtures("family")
def test_a_merge_is_the_last_that_was_heard(client: FlaskClient) -> None:
    earlier = datetime.now(UTC) - timedelta(days=400)
    with db.engine.begin() as connection:
        connection.execute(update(Contact).values(created_at=earlier))
        connection.execute(update(Claim).values(told_at=earlier, dated_at=earlier))
        connection.execute(
            update(Event).values(occurred_at=earlier).where(Event.kind != "clusters_merged")
        )

    assert re.search(
        r"since \S+ 1 year ago · last heard of \S+ \S+ just now", text(client.get("/clusters/1"))
    )


def test_a_value_that_most_contacts_have_is_named(client: FlaskClient, see: See) -> None:
    for number in range(6):
        see(f"{number}@crowd.example", "0000000000")

    assert "6 contacts, 6 of them by one phone number, 0000000000;" in text(
        client.get("/clusters/1")
    )


@pytest.mark.usefixtures("family")
def test_what_links_nobody_stands_with_its_ruling(app: Flask, client: FlaskClient) -> None:
    applying.rule(LinksNobody(Value(Kind.PHONE, "8888")), Ordered("Doc"))

    assert "Links nobody 8888 ruling 1" in text(client.get("/clusters/5", follow_redirects=True))


# What holds it together


def graph_of(edges: list[tuple[int, int]]) -> Graph:
    points: dict[tuple[Kind, int], Point] = {}
    for email, phone in edges:
        points.setdefault((Kind.EMAIL, email), Point(Kind.EMAIL, f"{email}@x", email))
        points.setdefault((Kind.PHONE, phone), Point(Kind.PHONE, str(phone), phone))
    return Graph(
        tuple(points.values()),
        tuple(
            Edge(points[Kind.EMAIL, one], points[Kind.PHONE, other], ("x",), NOW)
            for one, other in edges
        ),
    )


@pytest.mark.parametrize("seed", range(30))
def test_bridges_and_shared_values_are_those_of_the_textbook(seed: int) -> None:
    chance = random.Random(seed)
    pairs = {(chance.randrange(12), chance.randrange(12)) for _ in range(chance.randrange(1, 30))}
    graph = graph_of(sorted(pairs))
    network = networkx.Graph([(edge.email, edge.phone) for edge in graph.edges])

    held = holding(graph)

    bridges = {frozenset(pair) for pair in networkx.bridges(network)}
    assert {frozenset((edge.email, edge.phone)) for edge in held.bridges} == bridges
    assert held.shared.keys() == set(networkx.articulation_points(network))
    for edge, sizes in held.bridges.items():
        ends = {edge.email, edge.phone}
        halves = [part for part in without(graph, edge=edge) if ends & set(part.points)]
        assert tuple(sorted(len(part.points) for part in halves)) == sizes
    whole = networkx.number_connected_components(network)
    for point, parts in held.shared.items():
        assert len(without(graph, point=point)) == whole - 1 + parts


def test_a_chain_longer_than_pythons_stack_is_walked() -> None:
    graph = graph_of([(n // 2 + n % 2, n // 2) for n in range(5_000)])

    assert len(holding(graph).bridges) == 5_000


@pytest.mark.usefixtures("family")
def test_the_picture_marks_what_holds_two_parts_together(client: FlaskClient) -> None:
    page = client.get("/clusters/1").text

    edges = re.findall(r'<a href="[^"]*link=([^"#]+)#together"[^>]*class="(edge[^"]*)"', page)
    assert dict(edges)["e5.p3"] == "edge bridge holds weakest"
    assert dict(edges)["e1.p1"] == "edge"
    assert dict(edges)["e4.p4"] == "edge bridge"
    assert "without it, 3 identifiers on one side and 4 on the other." in page
    assert "Without it they would still be joined." in page
    assert "Without it there would be 2 customers." in page


@pytest.mark.usefixtures("family")
def test_a_link_tells_who_told_it_and_what_would_be_left(client: FlaskClient) -> None:
    page = client.get("/clusters/1?link=e5.p3")

    told = panel(page)
    assert "Given together once: form" in told
    assert "Nothing else joins the two. Without it there would be 2 customers:" in told
    assert folded(client.get(link(page, "Take apart…"))).count("Take apart into 2 customers") == 1


@pytest.mark.usefixtures("family")
def test_a_link_that_is_confirmed_says_so(client: FlaskClient) -> None:
    assert "Without it they would still be joined" in panel(client.get("/clusters/1?link=e1.p1"))


@pytest.mark.usefixtures("family")
def test_an_identifier_tells_what_it_joins(client: FlaskClient) -> None:
    page = client.get("/clusters/1?at=p3")

    told = panel(page)
    assert "Joined with 3 emails." in told
    assert "Told 3 times:" in told
    assert "It holds 2 parts together." in told
    preview = folded(client.get(link(page, "Links nobody…")))
    assert "Let <bdi>1985</bdi> link nobody: 1 customer becomes 2" in preview
    assert "/clusters/1?at=p3#together" in preview


@pytest.mark.usefixtures("family")
def test_two_identifiers_tell_why_they_are_together(client: FlaskClient) -> None:
    page = client.get("/clusters/1?at=e4&and=e1")

    told = panel(page)
    assert told.count("were given together:") == 4
    assert told.count("Nothing else joins the two") == 3
    assert "Keep apart…" in told
    assert folded(client.get(link(page, "Keep apart…"))).count("Take apart into 2 customers") == 1


@pytest.mark.usefixtures("family")
def test_a_click_on_a_second_identifier_asks_about_both(client: FlaskClient) -> None:
    first, second = client.get("/clusters/1").text, client.get("/clusters/1?at=e1").text

    assert 'href="/clusters/1?at=e5#together"' in first
    assert 'href="/clusters/1?at=e1&amp;and=e5#together"' in second
    assert 'href="/clusters/1?at=e1#together"' in second


@pytest.mark.usefixtures("family")
@pytest.mark.parametrize(
    "query",
    [
        *(
            "at=e88",
            "at=x",
            "at=e1&and=e88",
            "at=e1&and=e1",
            "link=e1",
            "link=p1.e1",
            "link=e1.p88",
        ),
        *(
            "at=e" + "9" * 19,
            "contact=x",
            "contacts=" + "9" * 40,
            "before=-1",
            "at=&and=",
            "link=.",
        ),
    ],
)
def test_what_makes_no_sense_counts_as_not_said(client: FlaskClient, query: str) -> None:
    assert client.get(f"/clusters/1?{query}").status_code == 200


def test_no_address_on_the_page_names_anybody(client: FlaskClient, family: None) -> None:
    for query in ("", "?at=e1", "?link=e5.p3", "?at=e1&and=e4"):
        page = client.get(f"/clusters/1{query}").text
        assert not [a for a in re.findall('(?:href|action)="([^"]*)"', page) if "hillvalley" in a]


# Contacts, history, all of it


def test_a_contact_further_down_is_shown_when_it_is_looked_for(
    client: FlaskClient, see: See
) -> None:
    for number in range(40):
        see(f"{number}@crowd.example", "1")

    assert 'id="contact-40"' not in client.get("/clusters/1").text
    assert '<tr id="contact-40" class="marked">' in client.get("/clusters/1?contact=40").text
    assert 'id="contact-39"' in client.get("/clusters/1?all=1").text


@pytest.mark.usefixtures("family")
def test_all_of_it_stands_on_one_page(client: FlaskClient) -> None:
    assert "Everything that was told" not in text(client.get("/clusters/1"))

    page = text(client.get("/clusters/1?all=1"))

    assert "Everything that was told 7" in page
    assert f"{MCFLY} 1985 form" in page


@pytest.mark.usefixtures("family")
def test_what_happened_before_a_merge_is_part_of_the_history(client: FlaskClient) -> None:
    told = text(client.get("/clusters/1")).partition("History")[2]

    assert "mcfly@hillvalley.edu and 1985 came together: customer 4, with 2 contacts" in told
    assert "george@hillvalley.edu and 8888 came from somebody new: customer 4." in told
    assert told.index("came together: customer") < told.index("came from somebody new: customer 4")


def happened(primary_id: int, limit: int, before: int | None = None) -> list[int]:
    page = database.read(lambda connection: history.page(connection, primary_id, limit, before))
    return [entry.id for entry in page.entries]


@pytest.mark.parametrize("size", [1, 2, 3, 50])
def test_a_history_is_the_same_page_by_page(see: See, size: int) -> None:
    """Each customer was absorbed by the one before, the last first."""
    for number in range(6):
        see(f"{number}@a.example", f"{number}")
        see(f"{number}@b.example", f"{number}")
    for number in range(5, 0, -1):
        see(f"{number}@a.example", f"{number - 1}")
    whole = happened(1, 100)

    pages, before = [], None
    while found := happened(1, size, before):
        pages += found
        before = found[-1]

    assert pages == whole == sorted(whole, reverse=True)
    assert len(whole) == 17


@pytest.mark.usefixtures("family")
def test_whoever_was_taken_apart_has_a_history_of_their_own(
    app: Flask, client: FlaskClient
) -> None:
    before = happened(1, 100)
    ruling, _ = applying.rule(
        Apart(Value(Kind.EMAIL, LORRAINE), Value(Kind.EMAIL, GEORGE)), Ordered("Doc")
    )

    assert "came from somebody new: customer 4" not in text(client.get("/clusters/1"))
    assert "came from somebody new: customer 4" in text(client.get("/clusters/4"))

    applying.withdraw(ruling.id, Ordered("Doc"))
    assert set(before) < set(happened(1, 100))


def test_a_long_history_is_turned_page_by_page(client: FlaskClient, see: See) -> None:
    for number in range(30):
        see(f"{number}@crowd.example", "1")

    first = client.get("/clusters/1")
    second = client.get(link(first, "Older"))

    assert first.text.count('<li class="contact_') == 20
    assert second.text.count('<li class="contact_') == 10
    assert ">Newest</a>" in second.text
    assert ">Older</a>" not in second.text


# Large customers


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """A customer of more than 20 contacts is a large one."""
    monkeypatch.setattr(portraits, "WHOLE", 20)


@pytest.fixture
def crowd(see: See) -> None:
    """Seventy strangers by one phone number, each with a number of their own as well."""
    for number in range(70):
        see(f"{number}@crowd.example", "0000000000", source="till")
        see(f"{number}@crowd.example", f"555-{1000 + number}", source="crm")


@pytest.mark.usefixtures("few", "crowd")
def test_a_large_customer_says_what_it_leaves_out(client: FlaskClient) -> None:
    page = text(client.get("/clusters/1"))

    assert "140 contacts, 70 of them by one phone number, 0000000000;" in page
    assert "60 of 141 identifiers are drawn" in page
    assert "50 of 140 contacts, the oldest first." in page
    assert "0@crowd.example · 0000000000" in page


@pytest.mark.usefixtures("few", "crowd")
def test_what_is_far_in_a_large_customer_can_be_reached(client: FlaskClient) -> None:
    told = panel(client.get("/clusters/1?link=e139.p140"))
    assert "69@crowd.example and 5551069 Given together once: crm" in told

    page = client.get("/clusters/1?at=e139")
    assert "Joined with 2 phone numbers" in panel(page)
    assert "5551069" in page.text

    far = client.get("/clusters/1?at=e139&and=p2")
    assert panel(far).count("were given together:") == 3
    assert "/clusters/1?at=p2#together" in far.text


@pytest.mark.usefixtures("few", "crowd")
def test_the_contacts_of_a_large_customer_are_turned_page_by_page(client: FlaskClient) -> None:
    seen: list[int] = []
    page = client.get("/clusters/1")
    for _ in range(3):
        seen += [int(id_) for id_ in re.findall('id="contact-([0-9]+)"', page.text)]
        if ">Next</a>" in page.text:
            page = client.get(link(page, "Next"))

    assert seen == list(range(1, 141))
    assert membership.LISTED == 50
    assert '<tr id="contact-120" class="marked">' in client.get("/clusters/1?contact=120").text


@pytest.mark.usefixtures("few", "crowd")
def test_what_a_ruling_holds_of_a_large_customer_is_told(
    app: Flask, client: FlaskClient, see: See
) -> None:
    see("doc@hillvalley.edu", "1885")
    applying.rule(
        Apart(Value(Kind.EMAIL, "3@crowd.example"), Value(Kind.PHONE, "1885")), Ordered("Doc")
    )
    see("5@crowd.example", "1885")

    assert "5@crowd.example 1885 customer 141 ruling 1 test" in text(client.get("/clusters/1"))


@contextmanager
def sent() -> Iterator[list[tuple[str, Any]]]:
    """Note what is sent to the database for a page."""
    noted: list[tuple[str, Any]] = []

    def note(_: object, __: object, statement: str, parameters: object, *___: object) -> None:
        # Who may ask, and how much there is to review, is asked now and then.
        if not re.search("api_key|staff|finding", statement):
            noted.append((statement, parameters))

    event.listen(db.engines[READING], "before_cursor_execute", note)
    yield noted
    event.remove(db.engines[READING], "before_cursor_execute", note)


WHOLE_TABLE = re.compile(r"(Seq Scan on|^SCAN) (claim|event|contact|identifier)\b(?!.*INDEX)")
WAYS = ("", "?at=p1", "?at=e900&and=e77", "?link=e900.p1", "?contact=900", "?before=40")


def test_the_page_of_a_large_customer_reads_no_table_from_end_to_end(
    app: Flask, client: FlaskClient, backend: str
) -> None:
    large_customer(3_000)
    with sent() as noted:
        for way in WAYS:
            assert client.get(f"/clusters/1{way}").status_code == 200

    selects = {text: bound for text, bound in noted if text.startswith(("SELECT", "WITH"))}
    with database.lookups() as connection:
        for statement, bound in selects.items():
            if "set_config" in statement:
                continue
            explain = "EXPLAIN" if backend == "postgresql" else "EXPLAIN QUERY PLAN"
            plan = [row[-1] for row in connection.exec_driver_sql(f"{explain} {statement}", bound)]
            assert not [step for step in plan if WHOLE_TABLE.search(step)], (statement, plan)


def test_a_larger_customer_costs_no_more_statements(app: Flask, client: FlaskClient) -> None:
    def taken() -> list[int]:
        counts = []
        for way in WAYS:
            with sent() as noted:
                client.get(f"/clusters/1{way}")
            counts.append(len(noted))
        return counts

    large_customer(3_000)
    few = taken()
    with db.engine.begin() as connection:
        for table in (Event, Claim, Identifier):
            connection.execute(table.table().delete())
        connection.execute(Contact.table().delete().where(Contact.linked_id.is_not(None)))
        connection.execute(Contact.table().delete())
    large_customer(6_000)

    assert taken() == few
    assert max(few) <= 30
    assert surroundings.ROOM == 60


# The record


def record(client: FlaskClient, customer: int = 1) -> Any:
    response = client.get(f"/clusters/{customer}/record.json")
    assert (
        response.headers["Content-Disposition"] == f"attachment; filename=customer-{customer}.json"
    )
    return json.loads(response.text)


@pytest.mark.usefixtures("family")
def test_the_record_holds_everything_about_a_customer_and_nobody_else(
    app: Flask, client: FlaskClient, see: See
) -> None:
    body = {"email": LORRAINE, "reference": "R-1", "name": "Lorraine"}
    client.post("/identify", json=body)
    see("strickland@hillvalley.edu", "555-0001")
    applying.rule(ClaimWithdrawn(LORRAINE, "1985", None), Ordered("Doc", "Misheard."))
    applying.rule(LinksNobody(Value(Kind.PHONE, "8888")), Ordered("Doc"))
    applying.rule(LinksNobody(Value(Kind.PHONE, "5550001")), Ordered("Doc"))

    told = record(client)

    assert [contact["id"] for contact in told["contacts"]] == [1, 2, 3, 5]
    stands = {(e["email"], e["phoneNumber"], e["source"]): e["stands"] for e in told["told"]}
    assert stands == {
        (LORRAINE, "1955", "checkout"): True,
        (BAINES, "1955", "crm"): True,
        (BAINES, "1985", "crm"): True,
        (LORRAINE, "1985", "newsletter"): False,
        (MCFLY, "8888", "checkout"): True,
        (MCFLY, "1985", "form"): True,
        (LORRAINE, None, "api"): True,
    }
    references = [each for claim in told["told"] for each in claim["references"]]
    assert references == [{"reference": "R-1", "name": "Lorraine", "import": None}]
    assert [ruling["id"] for ruling in told["rulings"]] == [1, 2]
    assert told["history"][0]["kind"] == "customer_changed"
    assert "strickland" not in json.dumps(told)


@pytest.mark.usefixtures("family")
def test_the_record_as_csv_is_safe_for_spreadsheets(client: FlaskClient) -> None:
    body = {"email": LORRAINE, "reference": "=1+1", "name": "@SUM(A1)"}
    client.post("/identify", json=body)
    client.post("/identify", json={"email": LORRAINE, "phoneNumber": "+1 617 253 1014"})

    response = client.get("/clusters/1/record.csv")
    rows = list(csv.DictReader(io.StringIO(response.text)))

    assert response.headers["Content-Disposition"] == "attachment; filename=customer-1.csv"
    assert {row["what"] for row in rows} == {"contact", "told", "history"}
    assert [(r["reference"], r["name"]) for r in rows if r["reference"]] == [("'=1+1", "'@SUM(A1)")]
    assert "+16172531014" in [row["phone_number"] for row in rows]
    assert len([row for row in rows if row["what"] == "contact"]) == 6


def test_the_record_of_nobody_is_not_found(client: FlaskClient) -> None:
    for kind in ("json", "csv"):
        assert client.get(f"/clusters/8/record.{kind}").status_code == 404


@pytest.mark.usefixtures("family")
def test_a_secondary_leads_to_the_record_of_its_customer(client: FlaskClient) -> None:
    response = client.get("/clusters/4/record.json")

    assert response.headers["Content-Disposition"] == "attachment; filename=customer-1.json"


def test_a_record_longer_than_what_is_read_at_a_time_is_whole(
    app: Flask, client: FlaskClient
) -> None:
    large_customer(2_100)

    told = record(client)

    assert {name: len(told[name]) for name in ("contacts", "told", "rulings", "history")} == {
        "contacts": 2_100,
        "told": 2_100,
        "rulings": 0,
        "history": 2_100,
    }
