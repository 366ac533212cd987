"""The contract at the door: status codes, shapes, and bad input of every kind."""

import logging
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from identity import reconciliation
from identity.database import db
from identity.models import Contact
from tests.conftest import See

REQUIRED = "Either email or phoneNumber is required."


def post(client: FlaskClient, body: object, **kwargs: Any) -> TestResponse:
    kwargs.setdefault("content_type", "application/json")
    if isinstance(body, bytes):
        return client.post("/identify", data=body, **kwargs)
    return client.post("/identify", json=body)


def stored() -> int:
    with db.engine.connect() as connection:
        return connection.scalar(select(func.count()).select_from(Contact)) or 0


def test_identify_answers_as_the_contract_says(client: FlaskClient) -> None:
    post(client, {"email": "lorraine@hillvalley.edu", "phoneNumber": "123456"})

    response = post(client, {"email": "mcfly@hillvalley.edu", "phoneNumber": "123456"})

    assert response.status_code == 200
    assert response.get_json() == {
        "contact": {
            "primaryContatctId": 1,
            "primaryContactId": 1,
            "emails": ["lorraine@hillvalley.edu", "mcfly@hillvalley.edu"],
            "phoneNumbers": ["123456"],
            "secondaryContactIds": [2],
        }
    }


@pytest.mark.parametrize(
    "body",
    [
        {"email": "doc@hillvalley.edu", "phoneNumber": None},
        {"email": "doc@hillvalley.edu", "phoneNumber": ""},
        {"email": "doc@hillvalley.edu", "phoneNumber": "  "},
        {"email": "doc@hillvalley.edu"},
        {"email": "doc@hillvalley.edu", "flux": {"capacitor": [1.21]}},
    ],
)
def test_absent_fields_and_unknown_fields_do_no_harm(
    client: FlaskClient, body: dict[str, object]
) -> None:
    response = post(client, body)

    assert response.status_code == 200
    assert response.get_json()["contact"]["phoneNumbers"] == []


def test_a_phone_number_may_be_an_integer(client: FlaskClient) -> None:
    as_text = post(client, {"phoneNumber": "123456"})

    as_number = post(client, {"phoneNumber": 123456})

    assert as_number.get_json() == as_text.get_json()


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({}, ["email", "phoneNumber"]),
        ({"email": None, "phoneNumber": " "}, ["email", "phoneNumber"]),
        ({"email": "nobody"}, ["email"]),
        ({"email": 7}, ["email"]),
        ({"email": ["doc@hillvalley.edu"]}, ["email"]),
        ({"email": "d" * 300 + "@hillvalley.edu"}, ["email"]),
        ({"email": "doc\x00@hillvalley.edu"}, ["email"]),
        ({"email": "doc@hillvalley.edu", "phoneNumber": "call me"}, ["phoneNumber"]),
        ({"email": "nobody", "phoneNumber": "call me"}, ["email", "phoneNumber"]),
        ({"phoneNumber": True}, ["phoneNumber"]),
        ({"phoneNumber": 1.5}, ["phoneNumber"]),
        ({"phoneNumber": 123456.0}, ["phoneNumber"]),
        ({"phoneNumber": {"digits": "123456"}}, ["phoneNumber"]),
        ({"phoneNumber": "1" * 33}, ["phoneNumber"]),
        ({"phoneNumber": "12\x0034"}, ["phoneNumber"]),
        (b'{"phoneNumber": NaN}', ["phoneNumber"]),
        (b'{"phoneNumber": 1e400}', ["phoneNumber"]),
        (b'{"phoneNumber": ' + b"9" * 5000 + b"}", []),
        (b'{"email": "doc\\ud800@hillvalley.edu"}', []),
        (b'{"phoneNumber": "12\\u000034"}', ["phoneNumber"]),
        (b"", []),
        (b"{", []),
        (b"null", []),
        (b'"doc@hillvalley.edu"', []),
        (b'["doc@hillvalley.edu"]', []),
        (b"\xff\xfe{\x00}\x00", []),
        (b"[" * 100_000, []),
        (b'{"email":' * 20_000, []),
    ],
    ids=lambda value: repr(value)[:40],
)
def test_bad_input_is_a_400_that_names_the_field(
    client: FlaskClient, body: object, fields: list[str]
) -> None:
    response = post(client, body)

    assert response.status_code == 400
    told = response.get_json()
    assert told["error"].endswith(".")
    assert sorted(told["fields"]) == fields
    assert stored() == 0
    assert post(client, {"email": "doc@hillvalley.edu"}).status_code == 200


def test_both_absent_says_so(client: FlaskClient) -> None:
    assert post(client, {}).get_json()["error"] == REQUIRED


def test_a_large_body_is_refused(client: FlaskClient) -> None:
    response = post(client, b'{"email": "' + b"d" * 5_000_000 + b'"}')

    assert response.status_code == 413
    assert response.get_json()["error"] == "The request is too large."


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", ""])
def test_another_content_type_is_refused(client: FlaskClient, content_type: str) -> None:
    response = post(client, b'{"email": "doc@hillvalley.edu"}', content_type=content_type)

    assert response.status_code == 415
    assert stored() == 0


def test_a_charset_is_no_other_content_type(client: FlaskClient) -> None:
    body = b'{"email": "doc@hillvalley.edu"}'

    response = post(client, body, content_type="application/json; charset=utf-8")

    assert response.status_code == 200


@pytest.mark.parametrize("method", ["get", "put", "delete", "patch"])
def test_other_methods_are_refused_and_told_which_is_allowed(
    client: FlaskClient, method: str
) -> None:
    response = client.open("/identify", method=method.upper())

    assert response.status_code == 405
    assert set(response.headers["Allow"].split(", ")) == {"POST", "OPTIONS"}


def test_a_browser_gets_a_page_and_everybody_else_gets_json(client: FlaskClient) -> None:
    page = client.get("/clusters/404", headers={"Accept": "text/html,*/*;q=0.8"})
    told = client.get("/clusters/404")

    assert page.status_code == told.status_code == 404
    assert b"<h1>There is no contact 404.</h1>" in page.data
    assert told.get_json() == {"error": "There is no contact 404.", "fields": {}}


def test_a_cluster_answers_to_the_id_of_any_of_its_contacts(client: FlaskClient, see: See) -> None:
    see("lorraine@hillvalley.edu", "123456")
    mcfly = see("mcfly@hillvalley.edu", "123456")

    response = client.get(f"/clusters/{mcfly.secondary_ids[0]}.json")

    told = response.get_json()
    assert told["contact"]["primaryContactId"] == mcfly.primary_id
    assert [(contact["id"], contact["linkPrecedence"]) for contact in told["contacts"]] == [
        (1, "primary"),
        (2, "secondary"),
    ]
    assert told["contacts"][1]["linkedId"] == 1
    assert told["contacts"][0]["createdAt"].endswith("+00:00")


@pytest.mark.parametrize("contact_id", ["7", "0", str(2**63 - 1), str(2**63), "9" * 40, "doc"])
def test_an_unknown_contact_is_a_404(client: FlaskClient, contact_id: str) -> None:
    assert client.get(f"/clusters/{contact_id}.json").status_code == 404


def test_looking_up_finds_and_writes_nothing(client: FlaskClient, see: See) -> None:
    see("lorraine@hillvalley.edu", "123456")

    response = client.get("/lookup?email=LORRAINE@hillvalley.edu&phoneNumber=999")

    assert response.status_code == 200
    assert response.get_json()["contact"]["emails"] == ["lorraine@hillvalley.edu"]
    assert response.get_json()["wouldMergeWith"] is None
    assert stored() == 1


def test_looking_up_two_customers_answers_both(client: FlaskClient, see: See) -> None:
    see("biffsucks@hillvalley.edu", "717171")
    see("george@hillvalley.edu", "919191")

    told = client.get("/lookup?email=george@hillvalley.edu&phoneNumber=717171").get_json()

    assert told["contact"]["emails"] == ["biffsucks@hillvalley.edu"]
    assert told["wouldMergeWith"]["emails"] == ["george@hillvalley.edu"]
    assert stored() == 2


def test_what_is_looked_up_need_not_stand_in_the_address(client: FlaskClient, see: See) -> None:
    see("lorraine@hillvalley.edu", "123456")
    see("biffsucks@hillvalley.edu", "717171")
    both = {"email": "Lorraine@hillvalley.edu", "phoneNumber": 717171}

    response = client.post("/lookup", json=both)

    assert response.status_code == 200
    assert response.get_json() == client.get("/lookup", query_string=both).get_json()
    assert response.get_json()["wouldMergeWith"]["emails"] == ["biffsucks@hillvalley.edu"]
    assert stored() == 2


@pytest.mark.parametrize(
    ("body", "status", "fields"),
    [
        ({"email": "doc@hillvalley.edu"}, 404, set()),
        ({}, 400, {"email", "phoneNumber"}),
        ({"email": " ", "phoneNumber": None}, 400, {"email", "phoneNumber"}),
        ({"email": "doc"}, 400, {"email"}),
        ({"phoneNumber": True}, 400, {"phoneNumber"}),
        ([], 400, set()),
    ],
)
def test_looking_up_nobody_by_a_body(
    client: FlaskClient, body: object, status: int, fields: set[str]
) -> None:
    response = client.post("/lookup", json=body)

    assert response.status_code == status
    assert set(response.get_json()["fields"]) == fields
    assert client.post("/lookup", data="email=doc@hillvalley.edu").status_code == 415


def test_looking_up_an_unescaped_plus_finds_the_number(client: FlaskClient, see: See) -> None:
    see(phone="+17755550154")

    assert client.get("/lookup?phoneNumber=+17755550154").status_code == 200


def test_a_blank_is_no_plus(client: FlaskClient, see: See) -> None:
    see("doc@hillvalley.edu", "4242")

    assert client.get("/lookup?phoneNumber=%204242").status_code == 200
    assert client.get("/lookup?email=doc@hillvalley.edu&phoneNumber=%20").status_code == 200


def test_a_name_that_is_not_ours_is_refused(client: FlaskClient, see: See) -> None:
    see("doc@hillvalley.edu")

    response = client.get("/lookup?email=doc@hillvalley.edu", headers={"Host": "evil.example"})

    assert response.status_code == 403
    assert response.get_json()["error"].startswith("This service answers on this machine only")


@pytest.mark.parametrize(
    ("query", "status"),
    [("email=doc@hillvalley.edu", 404), ("phoneNumber=1", 404), ("", 400), ("email=doc", 400)],
)
def test_looking_up_nobody(client: FlaskClient, query: str, status: int) -> None:
    assert client.get(f"/lookup?{query}").status_code == status


def test_an_unforeseen_error_tells_nobody_what_it_was_about(
    app: Flask, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    secrets = ["mcfly@hillvalley.edu", "123456"]

    def fail(*_: object, **__: object) -> None:
        try:
            raise KeyError(secrets[0])
        except KeyError as error:
            outer = RuntimeError(secrets[1])
            # An error may even be its own cause's cause.
            error.__cause__ = outer
            raise outer from error

    monkeypatch.setattr(reconciliation, "identify", fail)
    app.testing = False
    with caplog.at_level(logging.DEBUG):
        response = post(app.test_client(), {"email": "mcfly@hillvalley.edu"})

    assert response.status_code == 500
    assert not any(secret in response.text for secret in secrets)
    assert "RuntimeError" not in response.text
    assert response.get_json()["request_id"] in caplog.text
    assert "RuntimeError" in caplog.text
    assert not any(secret in caplog.text for secret in secrets)


def test_the_answer_does_not_travel_with_the_page_that_links_away(client: FlaskClient) -> None:
    headers = client.get("/").headers

    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert "default-src 'self'" in headers["Content-Security-Policy"]
    assert "unsafe" not in headers["Content-Security-Policy"]
