"""Why two identifiers are one customer's, as it is told to programs, at the terminal, on pages."""

import logging
import re
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from identity.web.api import ruling_schemas, schemas
from tests.bringing import bring
from tests.callers import from_outside
from tests.conftest import Make, See
from tests.tables import everything
from tests.terminal import run

DOC, EMMETT, CLARA = "doc@hillvalley.edu", "emmett@brown.org", "clara@school.org"


@pytest.fixture
def chain(see: See) -> None:
    """Doc, then Emmett by a shared number, then another number by Emmett's email."""
    see(DOC, "1955", source="checkout")
    see(EMMETT, "1955", source="till")
    see(EMMETT, "1955", source="newsletter")
    see(EMMETT, "1985", source="till")


def why(client: FlaskClient, **query: object) -> Any:
    response = client.get("/why", query_string=query)
    assert response.status_code == 200, response.text
    ruling_schemas.WhyTold.model_validate_json(response.data)
    return response.get_json()


def pairs(told: Any) -> list[tuple[str, str, bool]]:
    return [(step["email"], step["phoneNumber"], step["bridge"]) for step in told["chain"]]


@pytest.mark.usefixtures("chain")
def test_the_chain_tells_who_said_each_pair_and_when(client: FlaskClient) -> None:
    told = why(client, one=DOC, other="1985")

    assert told["one"] == {"email": DOC}
    assert told["other"] == {"phoneNumber": "1985"}
    assert told["customers"] == [1]
    assert told["held"] == []
    assert pairs(told) == [(DOC, "1955", True), (EMMETT, "1955", True), (EMMETT, "1985", True)]
    tellings = told["chain"][1]["tellings"]
    assert [each["source"] for each in tellings] == ["till", "newsletter"]
    assert tellings[0]["date"] == tellings[0]["toldAt"] < tellings[1]["toldAt"]


@pytest.mark.usefixtures("chain")
def test_a_bridge_tells_the_two_customers_that_would_be_left(client: FlaskClient) -> None:
    left = why(client, one=DOC, other="1985")["chain"][1]["left"]

    assert [(each["emails"], each["phoneNumbers"]) for each in left] == [
        ([DOC], ["1955"]),
        ([EMMETT], ["1985"]),
    ]
    assert [each["primaryContactId"] for each in left] == [1, 3]


@pytest.mark.usefixtures("chain")
def test_what_another_pair_would_join_too_is_no_bridge(client: FlaskClient, see: See) -> None:
    see(DOC, "1985")

    told = why(client, one=EMMETT, other="1955")

    assert pairs(told) == [(EMMETT, "1955", False)]
    assert told["chain"][0]["left"] is None


def test_the_only_pair_is_a_bridge_of_which_nothing_would_be_left(
    client: FlaskClient, see: See
) -> None:
    see(DOC, "1955")

    (step,) = why(client, one="1955", other=DOC)["chain"]

    assert step["bridge"]
    assert step["left"] == []


def test_what_a_file_told_names_its_import_and_its_date(client: FlaskClient) -> None:
    bring(b"email,phone,created at\ndoc@hillvalley.edu,1955,1985-10-26\n", feed="shop")

    (step,) = why(client, one=DOC, other="1955")["chain"]

    (telling,) = step["tellings"]
    assert (telling["source"], telling["import"]) == ("feed:shop", 1)
    assert telling["date"] == "1985-10-26T00:00:00+00:00"
    assert telling["toldAt"] > telling["date"]


@pytest.mark.usefixtures("chain")
def test_two_customers_have_no_chain_and_what_is_held_between_them(
    client: FlaskClient, see: See
) -> None:
    see(CLARA, "1885")
    assert why(client, one=DOC, other=CLARA)["held"] == []
    ruling = {"kind": "apart", "one": {"email": DOC}, "other": {"email": CLARA}}
    assert client.post("/rulings", json=ruling).status_code == 201
    see(CLARA, "1985", source="till")

    told = why(client, one=DOC, other="1885")

    assert told["chain"] == []
    assert told["customers"] == [1, 4]
    assert told["held"] == [
        {
            "email": CLARA,
            "phoneNumber": "1985",
            "sources": ["till"],
            "keptApartFrom": 4,
            "ruling": 1,
        }
    ]


@pytest.mark.usefixtures("chain")
def test_contacts_are_told_of_by_what_they_said(client: FlaskClient) -> None:
    told = why(client, oneContact=3, otherContact=1)

    assert pairs(told) == [(EMMETT, "1955", True), (DOC, "1955", True)]
    assert told["one"] == {"email": EMMETT}
    assert told["other"] == {"email": DOC}


@pytest.mark.usefixtures("chain")
def test_contacts_that_share_an_identifier_need_no_chain(client: FlaskClient) -> None:
    told = why(client, oneContact=1, otherContact=2)

    assert told["one"] == told["other"] == {"phoneNumber": "1955"}
    assert told["chain"] == []
    assert told["customers"] == [1]


@pytest.mark.parametrize("spelling", ["+17755550154", "%2B1%20775%20555%200154"])
def test_an_unescaped_plus_is_one(client: FlaskClient, see: See, spelling: str) -> None:
    see(DOC, "+17755550154")

    for query in f"one={spelling}&other={DOC}", f"one={DOC}&other={spelling}":
        response = client.get(f"/why?{query}")
        assert response.status_code == 200
        assert len(response.get_json()["chain"]) == 1


@pytest.mark.usefixtures("chain")
@pytest.mark.parametrize(
    ("query", "fields"),
    [
        ("", ["one", "other"]),
        ("one=1955", ["other"]),
        ("other=1955", ["one"]),
        ("oneContact=1", ["otherContact"]),
        ("one=1955&other=1985&oneContact=1", ["one", "oneContact", "other"]),
        ("one=1955&otherContact=1", ["one", "otherContact"]),
        (f"one={DOC}&other={DOC.upper()}", ["other"]),
        ("one=1955&other=19-55", ["other"]),
        ("oneContact=1&otherContact=1", ["otherContact"]),
        ("one=&other=1955", ["one"]),
        ("one=1955&other=@", ["other"]),
        ("one=call+me&other=1955", ["one"]),
        ("one=19%0055&other=1955", ["one"]),
        ("one=%ff&other=1955", ["one"]),
        ("oneContact=x&otherContact=1", ["oneContact"]),
        ("oneContact=1&otherContact=-1", ["otherContact"]),
        (f"oneContact={2**63}&otherContact=1", ["oneContact"]),
    ],
)
def test_a_question_that_makes_no_sense_is_a_400_that_names_the_field(
    client: FlaskClient, query: str, fields: list[str]
) -> None:
    response = client.get(f"/why?{query}")

    assert response.status_code == 400, response.text
    schemas.Problem.model_validate_json(response.data)
    assert sorted(response.get_json()["fields"]) == fields


@pytest.mark.usefixtures("chain")
@pytest.mark.parametrize(
    "query", [f"one={DOC}&other=88", f"one=88&other={DOC}", "oneContact=1&otherContact=88"]
)
def test_whoever_is_unknown_is_a_404(client: FlaskClient, query: str) -> None:
    assert client.get(f"/why?{query}").status_code == 404


@pytest.mark.usefixtures("chain")
def test_a_contact_that_ceased_is_gone(client: FlaskClient) -> None:
    ruling = {"kind": "withdrawn", "email": EMMETT, "phoneNumber": "1985"}
    assert client.post("/rulings", json=ruling).status_code == 201

    response = client.get("/why?oneContact=1&otherContact=3")

    assert response.status_code == 410
    schemas.Ceased.model_validate_json(response.data)
    assert response.get_json()["now"] == [1]


def test_guessing_costs_as_much_as_looking_up(make: Make) -> None:
    client = from_outside(make(IDENTITY_OPEN="1", RATE_LIMIT_ADDRESS="25/minute"))

    statuses = [client.get("/why?one=1955&other=1985").status_code for _ in range(4)]

    assert statuses == [404, 404, 429, 429]


@pytest.mark.usefixtures("chain")
def test_asking_writes_nothing_and_leaves_no_identifier_in_the_log(
    client: FlaskClient, caplog: pytest.LogCaptureFixture
) -> None:
    before = everything()

    with caplog.at_level(logging.DEBUG):
        why(client, one=DOC, other="1985")
        client.get("/why?one=nobody@hillvalley.edu&other=1985")

    assert everything() == before
    lines = [vars(record)["told"] for record in caplog.records if "told" in vars(record)]
    assert [line["route"] for line in lines] == ["/why", "/why"]
    assert "hillvalley" not in caplog.text + str(lines)


@pytest.mark.usefixtures("chain")
def test_the_terminal_tells_the_same(app: Flask, see: See) -> None:
    result = run(app, "why", DOC, "1985")

    assert result.exit_code == 0
    lines = result.output.splitlines()
    assert lines[0] == "Both are customer 1's. Given together were:"
    assert re.fullmatch(rf"  {EMMETT} and 1955: till \(.{{10}}\), newsletter \(.{{10}}\)", lines[4])
    assert lines[5:8] == [
        "    a bridge: nothing else joins the two. Without it there would be",
        f"      customer 1 ({DOC}, 1955) with 1 contact",
        f"      customer 3 ({EMMETT}, 1985) with 1 contact",
    ]


def test_the_terminal_tells_what_keeps_two_apart(app: Flask, see: See) -> None:
    see(DOC, "1955")
    see(CLARA, "1885")
    assert "Nothing that was told joins them." in run(app, "why", DOC, CLARA).output
    run(app, "apart", DOC, CLARA, "--yes")
    see(CLARA, "1955", source="till")

    result = run(app, "why", DOC, CLARA)

    assert result.output.splitlines() == [
        "They are those of customers 1 and 2.",
        f"  {CLARA} and 1955 were given together (till), and ruling 1 keeps them apart",
    ]


@pytest.mark.parametrize(
    ("ends", "status", "sentence"),
    [
        ((DOC, "88"), 6, "No customer has the identifier named as other."),
        ((DOC, DOC.upper()), 2, "These are the same."),
        ((DOC, "call me"), 2, "phoneNumber must hold digits"),
    ],
)
def test_what_the_terminal_cannot_tell_is_one_sentence(
    app: Flask, see: See, ends: tuple[str, str], status: int, sentence: str
) -> None:
    see(DOC)

    result = run(app, "why", *ends)

    assert result.exit_code == status
    assert sentence in result.output
