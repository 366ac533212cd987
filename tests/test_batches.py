"""Many calls in one request end as the same calls one by one, and are answered as they are."""

import json
from contextlib import suppress
from typing import Any

import psycopg
import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import event as happening
from sqlalchemy import select, update
from werkzeug.test import TestResponse

from identity.access import Scope
from identity.batching import answering, taking, telling
from identity.database import db
from identity.errors import Conflict, Contended, InvalidInput, NotFound, Unavailable
from identity.identifiers import Kind, Value
from identity.models import Claim, Contact, Event, Identifier, Reference
from identity.rulings import applying
from identity.rulings.applying import Ordered
from identity.rulings.kinds import Apart, LinksNobody
from identity.verification import verify
from identity.web.api.schemas import BatchAnswered
from tests.bringing import as_file, bring
from tests.callers import KEY, bearing, from_outside, key
from tests.conftest import Make, See
from tests.examples import BATCHES, CALLS, EMAILS, INTERPLAY, PHONES, Row, many
from tests.oracle import Call
from tests.tables import count, empty, state

Body = dict[str, Any]
LINES = "application/x-ndjson"
DOC = {"email": "doc@hillvalley.edu", "phoneNumber": "555-4385"}
MARTY = {"email": "marty@hillvalley.edu", "phoneNumber": "555-1985"}


def send(client: FlaskClient, *calls: object, **how: Any) -> list[Any]:
    """Send calls as a batch and return their answers."""
    response = client.post("/identify/batch", json={"calls": calls}, **how)
    assert response.status_code == 200, response.text
    told: dict[str, list[Any]] = response.get_json()
    BatchAnswered.model_validate(told)
    return told["answers"]


def in_lines(client: FlaskClient, text: str, **how: Any) -> TestResponse:
    return client.post("/identify/batch", data=text, content_type=LINES, **how)


def statuses(answers: list[Any]) -> list[int]:
    return [each["status"] for each in answers]


def test_a_batch_answers_each_call_as_identify_would(client: FlaskClient) -> None:
    emmett = {"email": "emmett@brown.org", "phoneNumber": 5554385}

    answers = send(client, DOC, MARTY, emmett, DOC)

    assert statuses(answers) == [200] * 4
    for body, answer in zip((DOC, MARTY, emmett, DOC), answers, strict=True):
        del answer["status"]
        assert answer == client.post("/identify", json=body).get_json()
    # As it is once all are decided, so the first answer knows of the third call.
    assert answers[0]["contact"]["emails"] == ["doc@hillvalley.edu", "emmett@brown.org"]
    assert answers[1]["contact"]["primaryContactId"] == 2


def test_what_is_sent_in_lines_is_answered_in_lines(client: FlaskClient) -> None:
    text = f"{json.dumps(DOC)}\r\n\n{{nonsense\n{json.dumps(MARTY)}"

    response = in_lines(client, text)

    assert response.status_code == 200
    assert response.mimetype == LINES
    told = [json.loads(line) for line in response.text.splitlines()]
    assert statuses(told) == [200, 400, 200]
    assert told[1]["error"].startswith("A call is not valid JSON: ")
    assert told[2] == send(client, MARTY)[0]


def test_a_call_that_is_wrong_fails_no_other(client: FlaskClient) -> None:
    wrong: list[Any] = [{}, {"email": "doc"}, {"phoneNumber": True}, {"email": 1}, None, [], "doc"]
    wrong += [{"email": "doc@hillvalley.edu", "name": "x" * 201}, {"email": "a@b.org\0"}]

    answers = send(client, DOC, *wrong, MARTY)

    assert statuses(answers) == [200, *[400] * len(wrong), 200]
    for body, answer in zip(wrong, answers[1:-1], strict=True):
        alone = client.post("/identify", data=json.dumps(body), content_type="application/json")
        assert alone.status_code == 400
        assert answer["fields"] == alone.get_json()["fields"]
        assert answer["error"] == alone.get_json()["error"].replace("The body", "A call")
    assert count(Contact) == 2


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"7", b"{}", b'{"calls": {}}', b"\xff"])
def test_what_is_no_batch_is_refused_whole(client: FlaskClient, body: bytes) -> None:
    response = client.post("/identify/batch", data=body, content_type="application/json")

    assert response.status_code == 400
    assert response.get_json()["error"].endswith(".")
    assert count(Contact) == 0


def test_a_batch_may_be_empty_and_may_not_be_anything_else(client: FlaskClient) -> None:
    assert send(client) == []
    assert in_lines(client, "\n").text == ""
    assert client.post("/identify/batch", data="email=a@b.org").status_code == 415


def test_a_thousand_calls_fit_and_more_are_too_large(client: FlaskClient) -> None:
    assert statuses(send(client, *[DOC] * 1000)) == [200] * 1000

    for response in (
        client.post("/identify/batch", json={"calls": [DOC] * 1001}),
        in_lines(client, f"{json.dumps(DOC)}\n" * 1001),
        in_lines(client, " " * 1024 * 1025),
    ):
        assert response.status_code == 413
        assert "1,000 calls and one megabyte" in response.get_json()["error"]


def ranked() -> dict[str, list[Any]]:
    """Return what is stored in its order, with ranks for ids."""
    with db.engine.connect() as connection:
        contacts = connection.execute(select(Contact).order_by(Contact.id)).all()
        rank: dict[int | None, int | None] = {each.id: n for n, each in enumerate(contacts)}
        rank[None] = None
        claims = connection.execute(select(Claim).order_by(Claim.id)).all()
        place = {each.id: n for n, each in enumerate(claims)}
        references = connection.execute(select(Reference)).all()
        lines = connection.execute(select(Event).order_by(Event.id)).all()
    return {
        "contacts": [
            (each.email, each.phone_number, rank[each.linked_id], each.link_precedence)
            for each in contacts
        ],
        "claims": [
            (each.email, each.phone_number, each.source, rank[each.contact_id], each.brought,
             rank[each.other_contact_id], each.held_by is not None, each.import_id)
            for each in claims
        ],
        "references": sorted((place[each.claim_id], each.reference, each.name)
                             for each in references),
        "told of": [
            rank[each.contact_id]
            for each in lines if each.kind in ("contact_created", "contact_linked")
        ],
        "lines": [
            (each.kind, each.source, rank.get(each.primary_id), rank.get(each.contact_id),
             each.email, each.phone_number)
            for each in lines
        ],
    }  # fmt: skip


def by_rank(answer: Body) -> Body:
    """Return an answer with ranks for ids."""
    with db.engine.connect() as connection:
        ids = connection.scalars(select(Contact.id).order_by(Contact.id)).all()
    contact = dict(answer["contact"])
    for name in "primaryContactId", "primaryContatctId":
        contact[name] = ids.index(contact[name])
    contact["secondaryContactIds"] = [ids.index(id_) for id_ in contact["secondaryContactIds"]]
    told = answer | {"contact": contact}
    if "keptApartFrom" in told:
        told["keptApartFrom"] = ids.index(told["keptApartFrom"])
    return told


BODIES = st.one_of(
    CALLS.map(lambda call: {"email": call[0], "phoneNumber": call[1]}),
    st.builds(
        lambda call, reference, name: {
            "email": call[0], "phoneNumber": call[1], "reference": reference, "name": name,
        },
        CALLS,
        st.sampled_from(["7", 8, None]),
        st.sampled_from(["Doc", None]),
    ),
    st.sampled_from([{}, {"email": "doc"}, {"email": " ", "phoneNumber": ""}]),
)  # fmt: skip
APARTS = st.lists(st.tuples(EMAILS, PHONES), max_size=2, unique=True)
NOBODIES = st.lists(PHONES, max_size=1)


def rule(aparts: list[tuple[str, str]], nobodies: list[str]) -> None:
    for email, phone in aparts:
        what = Apart(Value(Kind.EMAIL, email), Value(Kind.PHONE, phone))
        # There may be nobody to keep apart, or one of them links nobody.
        with suppress(NotFound, Conflict, InvalidInput):
            applying.rule(what, Ordered("test"))
    for phone in nobodies:
        applying.rule(LinksNobody(Value(Kind.PHONE, phone)), Ordered("test"))


def test_a_batch_ends_as_its_calls_one_by_one(
    client: FlaskClient, backend: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    @settings(INTERPLAY, max_examples=many(backend, 25))
    @given(st.lists(CALLS, max_size=6), APARTS, NOBODIES, st.lists(BODIES, max_size=10), BATCHES)
    def check(
        before: list[Call],
        aparts: list[tuple[str, str]],
        nobodies: list[str],
        bodies: list[Body],
        part: int,
    ) -> None:
        monkeypatch.setattr(telling, "PART", part)
        monkeypatch.setattr(telling, "LOOKED", 2 * part)

        def begin() -> None:
            empty()
            for email, phone in before:
                client.post("/identify", json={"email": email, "phoneNumber": phone})
            rule(aparts, nobodies)

        begin()
        for body in bodies:
            client.post("/identify", json=body)
        # As the customers are once all is told.
        expected = [client.post("/identify", json=body) for body in bodies]
        one_by_one, stored = state(), ranked()
        answers = [
            by_rank(each.get_json()) if each.status_code == 200 else each.get_json()
            for each in expected
        ]
        begin()

        told = send(client, *bodies)

        assert state() == one_by_one
        assert verify().problems == []
        together = ranked()
        assert together["contacts"] == stored["contacts"]
        assert together["claims"] == stored["claims"]
        assert together["references"] == stored["references"]
        # What is new and joined within a part was never seen apart, and is told so.
        assert together["told of"] == stored["told of"]
        if part == 1:
            assert together["lines"] == stored["lines"]
        assert statuses(told) == [each.status_code for each in expected]
        assert [by_rank(each) if each.pop("status") == 200 else each for each in told] == answers

        counted = ranked()
        again = send(client, *bodies)
        assert ranked() == counted
        assert statuses(again) == [each.status_code for each in expected]

    check()


def test_a_key_that_resolves_is_answered_masked(make: Make, see: See) -> None:
    see(email="doc@hillvalley.edu", phone="555-4385")
    client = from_outside(make())
    token = key(client, Scope.RESOLVE)

    (answer,) = send(client, DOC, headers=bearing(token))

    assert answer["contact"]["emails"] == ["d***@hillvalley.edu"]
    assert answer["contact"]["contactCount"] == 1
    with db.engine.connect() as connection:
        sources = connection.scalars(select(Claim.source).order_by(Claim.id)).all()
    assert sources == ["test", "shop"]


def test_a_batch_counts_as_its_calls_and_is_refused_whole(make: Make) -> None:
    client = from_outside(make(IDENTITY_API_KEY=KEY, RATE_LIMIT_KEY="40/minute"))

    def send_all(calls: int) -> TestResponse:
        body = {"calls": [DOC] * calls}
        return client.post("/identify/batch", json=body, headers=bearing(KEY))

    assert [send_all(calls).status_code for calls in (30, 11)] == [200, 429]
    # What was refused has taken no more than a call.
    refused = send_all(41)
    assert refused.status_code == 429
    assert "These are 41 calls, and 40 may be made in 60 seconds." in refused.get_json()["error"]
    assert [send_all(calls).status_code for calls in (8, 1)] == [200, 429]


def test_what_a_batch_brings_is_counted_as_what_calls_bring(make: Make) -> None:
    client = from_outside(make(IDENTITY_API_KEY=KEY, RATE_LIMIT_KEY="100/minute"))
    new = [{"email": f"{n}@hillvalley.edu", "phoneNumber": "1955"} for n in range(20)]

    assert statuses(send(client, *new, headers=bearing(KEY))) == [200] * 20

    for path, body in ("/identify/batch", {"calls": new}), ("/identify", new[0]):
        response = client.post(path, json=body, headers=bearing(KEY))
        assert response.status_code == 429
        assert "unknown emails and phone numbers" in response.get_json()["error"]


def test_answers_about_a_large_customer_are_charged_for_their_size(make: Make) -> None:
    client = from_outside(make(IDENTITY_API_KEY=KEY, RATE_LIMIT_KEY="20/minute"))
    rows: list[Row] = [(f"{n}@crowd.example", "1955", None, "") for n in range(500)]
    with client.application.app_context():
        bring(as_file(rows))
    crowd = {"phoneNumber": "1955"}

    # Each counts for three.
    assert statuses(send(client, *[crowd] * 5, headers=bearing(KEY))) == [200] * 5

    refused = client.post("/identify/batch", json={"calls": [DOC] * 6}, headers=bearing(KEY))
    assert refused.status_code == 429


def test_the_answers_hold_so_many_contacts_and_no_more(
    client: FlaskClient, see: See, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answering, "MOST", 20)
    for number in range(9):
        see(f"{number}@crowd.example", "1955")
    for number in range(25):
        see(f"{number}@mob.example", "1885")
    crowd, mob = {"phoneNumber": "1955"}, {"phoneNumber": "1885"}

    answers = send(client, DOC, mob, crowd, crowd, crowd, MARTY)

    assert statuses(answers) == [200, 413, 200, 200, 413, 200]
    assert "send it by itself" in answers[1]["error"]
    assert len(answers[2]["contact"]["secondaryContactIds"]) == 8
    assert client.post("/identify", json=mob).status_code == 200
    with db.engine.connect() as connection:
        told = select(Claim.phone_number).where(Claim.source == "api").order_by(Claim.id)
        assert "1885" in connection.scalars(told).all()


def test_whom_others_keep_changing_is_told_to_come_back_and_no_other(
    client: FlaskClient, see: See, monkeypatch: pytest.MonkeyPatch
) -> None:
    see("doc@hillvalley.edu", "555-4385")
    take = taking.take

    def losing(calls: Any, source: str, **how: Any) -> Any:
        if any(call.email == "emmett@brown.org" for call in calls):
            raise Contended("Try again.")
        return take(calls, source, **how)

    monkeypatch.setattr(taking, "take", losing)
    emmett = {"email": "emmett@brown.org", "phoneNumber": "555-4385"}

    answers = send(client, DOC, emmett, {}, MARTY)

    assert statuses(answers) == [200, 503, 400, 200]
    assert answers[1]["error"] == "Try again."
    assert verify().contacts == 2
    alone = client.post("/identify/batch", json={"calls": [emmett]})
    assert alone.status_code == 503
    assert alone.headers["Retry-After"] == "1"


def test_when_the_database_goes_away_in_the_middle_the_rest_is_left_out(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(telling, "PART", 2)
    take, asked = taking.take, []

    def going_away(calls: Any, source: str, **how: Any) -> Any:
        asked.append(len(calls))
        if len(asked) > 1:
            raise Unavailable("The database does not answer.")
        return take(calls, source, **how)

    monkeypatch.setattr(taking, "take", going_away)
    bodies = [{"email": f"{number}@hillvalley.edu"} for number in range(6)]

    assert statuses(send(client, *bodies)) == [200, 200, 503, 503, 503, 503]
    assert asked == [2, 2]


@pytest.mark.parametrize("backend", ["postgresql"])
def test_connections_that_died_are_made_anew(client: FlaskClient, database_url: str) -> None:
    send(client, DOC)
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )

    assert statuses(send(client, DOC, MARTY)) == [200, 200]


def test_a_ruling_that_comes_between_is_asked_about_again(
    client: FlaskClient, see: See, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = telling.answer

    def interrupted(*given: Any) -> Any:
        applying.rule(LinksNobody(Value(Kind.PHONE, "5554385")), Ordered("test"))
        return answer(*given)

    monkeypatch.setattr(telling, "answer", interrupted)

    answers = send(client, DOC, {"phoneNumber": "555-4385"})

    assert statuses(answers) == [200, 503]
    assert answers[0]["linksNobody"] == "phoneNumber"


def test_a_call_of_which_nothing_is_left_leaves_no_reference(client: FlaskClient, see: See) -> None:
    see(phone="555-4385", source="api")
    applying.rule(LinksNobody(Value(Kind.PHONE, "5554385")), Ordered("test"))

    answers = send(client, {"phoneNumber": "555-4385", "reference": "7"}, MARTY)

    assert statuses(answers) == [400, 200]
    assert count(Reference) == 0


def test_careful_batches_let_what_strangers_share_link_nobody(make: Make) -> None:
    client = make(CAREFUL="1").test_client()
    names = "Emmett Brown", "Marty McFly", "Lorraine Baines", "Biff Tannen", "Clara Clayton"

    answers = send(
        client,
        *(
            {
                "email": f"{name.split()[0]}@hillvalley.edu",
                "phoneNumber": "0000000000",
                "name": name,
            }
            for name in names
        ),
    )

    assert {each.get("linksNobody") for each in answers} == {"phoneNumber"}
    assert len({each["contact"]["primaryContactId"] for each in answers}) == len(names)


def test_tables_that_contradict_the_evidence_are_put_right(client: FlaskClient, see: See) -> None:
    see("doc@hillvalley.edu", "555-4385")
    see("marty@hillvalley.edu", "555-1985")
    with db.engine.begin() as connection:
        moved = update(Identifier).where(Identifier.value == "5554385").values(contact_id=2)
        connection.execute(moved)

    answers = send(client, DOC, MARTY)

    assert [each["contact"]["primaryContactId"] for each in answers] == [1, 2]
    assert verify().problems == []


@pytest.mark.parametrize("calls", [10, 50])
def test_a_batch_takes_as_many_statements_however_many_calls_it_has(
    app: Flask, client: FlaskClient, calls: int, backend: str
) -> None:
    sent: list[str] = []
    listening = [
        (engine, "after_cursor_execute", lambda *given: sent.append(given[2]))
        for engine in db.engines.values()
    ]
    send(client, DOC)
    for each in listening:
        happening.listen(*each)
    try:
        send(client, *({"email": f"{n}@hillvalley.edu", "phoneNumber": n + 1955}
                       for n in range(calls)))  # fmt: skip
        brought = len(sent)
        sent.clear()
        send(client, *({"email": f"{n}@hillvalley.edu", "phoneNumber": n + 1955}
                       for n in range(calls)))  # fmt: skip
    finally:
        for each in listening:
            happening.remove(*each)
    assert brought <= 40
    assert len(sent) <= 20
    # Nobody waits for who repeats what is known.
    assert not [text for text in sent if "FOR UPDATE" in text or "INSERT" in text]
