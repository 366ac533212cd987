"""An erasure holds: whoever brings the value again is answered as if it had not been given."""

from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select

from identity import database, reconciliation
from identity.batching import taking, telling
from identity.deciding import Call
from identity.errors import InvalidInput
from identity.identifiers import Identifiers
from identity.importing import reading, register, run
from identity.models import Claim, Contact, Erased, Event, Identifier, Reference
from identity.web.pages import import_readings
from tests.bringing import Watcher, as_file, bring, calls_of, on, rehearse
from tests.conftest import ERASURE_KEY, Make, See
from tests.erasing import all_texts, nobody_erased, remember
from tests.examples import BATCHES, CALLS, EMAILS, INTERPLAY, PHONES, ROWS, Row
from tests.tables import empty, rows_in_all_tables, state

DOC = "doc@hillvalley.edu"
NOT_GIVEN = {
    "error": "Either email or phoneNumber is required.",
    "fields": {
        "email": "Either email or phoneNumber is required.",
        "phoneNumber": "Either email or phoneNumber is required.",
    },
}


def tries() -> list[int]:
    with database.reading() as connection:
        return sorted(connection.scalars(select(Erased.tries)))


def identify(client: FlaskClient, **body: object) -> Any:
    return client.post("/identify", json=body)


def test_what_was_erased_is_not_taken_in(client: FlaskClient) -> None:
    remember(DOC)

    for _ in range(2):
        answer = identify(client, email="Doc@HillValley.edu", reference="7", name="Emmett Brown")

        assert (answer.status_code, answer.json) == (400, NOT_GIVEN)
    assert DOC not in all_texts()
    assert "Emmett" not in all_texts()
    assert tries() == [2]


def test_the_other_value_is_taken_in_without_its_name(client: FlaskClient) -> None:
    remember(DOC)

    answer = identify(client, email=DOC, phoneNumber="123456", reference="7", name="Emmett Brown")

    assert answer.json["contact"]["emails"] == []
    assert answer.json["contact"]["phoneNumbers"] == ["123456"]
    assert answer.json.keys() == {"contact"}
    assert DOC not in all_texts()
    with database.reading() as connection:
        assert connection.scalar(select(func.count()).select_from(Reference)) == 0


def test_told_again_it_is_a_repeat(client: FlaskClient) -> None:
    remember(DOC)
    identify(client, email=DOC, phoneNumber="123456")
    before = rows_in_all_tables()

    answer = identify(client, email=DOC, phoneNumber="123456")

    assert answer.status_code == 200
    after = rows_in_all_tables()
    for table in (Contact, Claim, Identifier, Event):
        assert after[table.__tablename__] == before[table.__tablename__]
    assert tries() == [2]


def test_a_known_customer_is_answered_with(client: FlaskClient, see: See) -> None:
    lorraine = see("lorraine@hillvalley.edu", "123456")
    remember(DOC)

    answer = identify(client, email=DOC, phoneNumber="123456")

    assert answer.json["contact"]["primaryContactId"] == lorraine.primary_id
    assert answer.json["contact"]["emails"] == ["lorraine@hillvalley.edu"]


@pytest.mark.usefixtures("app")
def test_who_is_about_to_call_is_told_the_same() -> None:
    remember(DOC)

    foreseen = reconciliation.foresee(Identifiers(DOC, "123456"), source="test")

    assert foreseen.event == "contact_created"
    with pytest.raises(InvalidInput):
        reconciliation.foresee(Identifiers(DOC, None), source="test")


def unaware(make: Make) -> Flask:
    """Return a process that looked when nobody was erased, and has not heard that Doc was."""
    one, other = make(), make()
    with one.app_context():
        reconciliation.identify(Identifiers(None, "555"), source="test")
    with other.app_context():
        remember(DOC)
    return one


def test_a_process_that_knew_of_none_does_not_bring_them_back(make: Make) -> None:
    with unaware(make).app_context(), pytest.raises(InvalidInput):
        reconciliation.identify(Identifiers(DOC, None), source="test")


def test_without_its_key_nobody_new_is_taken_in(make: Make) -> None:
    with make().app_context():
        remember(DOC)
        reconciliation.identify(Identifiers(None, "555"), source="test")
    other = make(ERASURE_KEY=ERASURE_KEY + "x").test_client()

    answer = identify(other, email="marty@hillvalley.edu")

    assert answer.status_code == 503
    assert "ERASURE_KEY" in answer.json["error"]
    assert other.post("/lookup", json={"phoneNumber": "555"}).status_code == 200


def test_calls_sent_together_are_answered_the_same(client: FlaskClient) -> None:
    remember(DOC)
    calls = [
        {"email": DOC},
        {"email": DOC, "phoneNumber": "123456", "name": "Emmett Brown"},
        {"email": "marty@hillvalley.edu"},
    ]

    for _ in range(2):
        answered: Any = client.post("/identify/batch", json={"calls": calls}).json

        assert answered["answers"][0] == {"status": 400} | NOT_GIVEN
        assert answered["answers"][1]["contact"]["phoneNumbers"] == ["123456"]
        assert answered["answers"][1]["contact"]["emails"] == []
        assert answered["answers"][2]["contact"]["emails"] == ["marty@hillvalley.edu"]
    assert DOC not in all_texts()
    assert "Emmett" not in all_texts()
    assert tries() == [4]


@pytest.mark.usefixtures("app")
def test_a_row_of_several_is_told_without_it() -> None:
    remember(DOC)
    row = [
        Call(email, number, line=2, reference="7", name="Emmett Brown")
        for email in (DOC, "emmett@brown.org")
        for number in ("123456", "555")
    ]

    decided, _ = taking.take(row, "feed:test", 1)

    left = [("emmett@brown.org", "123456"), ("emmett@brown.org", "555")]
    assert [call.content for call in decided.sifted[2]] == left
    with database.reading() as connection:
        told = connection.execute(select(Claim.email, Claim.phone_number).order_by(Claim.id))
        assert [tuple(row) for row in told] == left
    assert "Emmett" not in all_texts()


@pytest.mark.usefixtures("app")
def test_of_a_row_without_it_only_what_is_linked_is_told() -> None:
    remember(DOC)
    row = [Call(DOC, number, line=2) for number in ("123456", "555")]

    decided, _ = taking.take(row, "feed:test", 1)

    assert [call.content for call in decided.sifted[2]] == [(None, "123456")]


def test_who_had_looked_before_does_not_bring_it_back(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked = reconciliation._find
    erased: list[int] = []

    def look_and_wait(*given: Any) -> object:
        found = looked(*given)
        if not erased:
            # Meanwhile, and before anything is written.
            erased.append(remember(DOC))
        return found

    monkeypatch.setattr(reconciliation, "_find", look_and_wait)

    with app.app_context(), pytest.raises(InvalidInput):
        reconciliation.identify(Identifiers(DOC, None), source="test")

    assert DOC not in all_texts()


@pytest.mark.parametrize("text", ["Mr Doc@HillValley.edu", "call +1 775-555-0154", DOC])
def test_a_name_or_a_reference_does_not_bring_it_back(client: FlaskClient, text: str) -> None:
    remember(DOC, "+17755550154")

    told = {"email": "new@x.org", "reference": text, "name": "Marty"}
    answer = identify(client, **told)
    batch: Any = client.post(
        "/identify/batch", json={"calls": [{"email": "b@x.org", "name": text, "reference": "7"}]}
    ).json
    tally = bring(f"email,reference,name\nnew@z.org,8,{text}\nc@z.org,9,Lorraine\n".encode())

    assert answer.status_code == 200
    assert batch["answers"][0]["contact"]["emails"] == ["b@x.org"]
    assert (tally.claims, tally.erased, tally.left_out, tally.rejected) == (2, 1, 0, 0)
    with database.reading() as connection:
        kept = connection.execute(select(Reference.reference, Reference.name)).all()
    assert {tuple(row) for row in kept} == {
        *(("", "Marty"), ("7", ""), ("8", ""), ("9", "Lorraine")),
    }
    assert text not in all_texts()
    assert sum(tries()) == 3


@pytest.mark.usefixtures("app")
@pytest.mark.parametrize("name", [f"{DOC}.csv", "old customers 555-4385.csv"])
def test_the_name_of_a_file_does_not_bring_it_back(name: str) -> None:
    remember(DOC, "555-4385")

    assert register.get(register.give(name, "test")).file_name == register.CALLED
    assert register.get(register.give("new@x.org 2.csv", "test")).file_name == "new@x.org 2.csv"


OLD_FILE = (
    b"reference,email,phone,name\n"
    b"1,doc@hillvalley.edu,555-4385,Emmett Brown\n"
    b"2,doc@hillvalley.edu,123456,Emmett Brown\n"
    b"3,marty@hillvalley.edu,555-1985,Marty McFly\n"
    b"4,doc@hillvalley.edu,no number,Emmett Brown\n"
)


@pytest.mark.usefixtures("app")
def test_an_old_file_does_not_bring_them_back() -> None:
    remember(DOC, "555-4385")
    watcher = Watcher()

    imagined = rehearse(OLD_FILE)
    tally = run.carry_out(on(OLD_FILE), watcher, register.give("customers.csv", "test"))

    assert tally.counts() == imagined.counts()
    assert (tally.rows, tally.erased, tally.news, tally.repeats) == (4, 3, 2, 0)
    assert (tally.contacts, tally.claims, tally.rejected, tally.doubtful) == (2, 2, 0, 0)
    assert watcher.lines == []
    assert DOC not in all_texts()
    assert "5554385" not in all_texts()
    assert "Emmett" not in all_texts()
    assert tries() == [1, 3]
    again = bring(OLD_FILE)
    assert (again.contacts, again.claims, again.erased, again.repeats) == (0, 0, 3, 2)


@pytest.mark.usefixtures("app")
def test_the_first_rows_of_an_old_file_do_not_show_them() -> None:
    remember(DOC)

    shown = str(import_readings.shown("customers.csv", OLD_FILE))

    assert "marty@hillvalley.edu" in shown
    assert DOC not in shown
    assert "Emmett" not in shown


@pytest.mark.usefixtures("app")
def test_a_row_that_is_rejected_is_not_kept_when_it_names_them() -> None:
    remember(DOC, "+17755550154")
    content = b"email,phone,note\nnobody,,call doc@hillvalley.edu\nnot an email,,+1 775-555-0154\n"
    watcher = Watcher()

    tally = run.carry_out(on(content), watcher, register.give("customers.csv", "test"))

    assert (tally.erased, tally.rejected, watcher.lines) == (2, 0, [])


@pytest.mark.usefixtures("app")
def test_who_was_erased_while_a_file_was_imported_is_not_brought_back() -> None:
    source = on(OLD_FILE)
    run.rehearse(source, Watcher())
    remember(DOC)

    tally = run.carry_out(source, Watcher(), register.give("customers.csv", "test"))

    assert DOC not in all_texts()
    assert "Emmett" not in all_texts()
    assert (tally.erased, tally.contacts) == (3, 3)


def left_of(row: Row, erased: set[str]) -> Row:
    """Return a row as if what was erased had not been given."""
    email, *phones, moment = row
    left = [phone for phone in dict.fromkeys(phones) if phone and phone not in erased]
    if email in erased:
        return None, left[0] if left else None, None, moment
    one, other = [*left, None, None][:2]
    return email, one, other, moment


ERASED = st.sets(st.one_of(EMAILS, PHONES), max_size=4)


@pytest.mark.usefixtures("app")
def test_a_file_ends_as_its_rows_one_by_one_without_those_who_were_erased(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    @INTERPLAY
    @given(st.lists(CALLS, max_size=4), ROWS, BATCHES, ERASED, st.booleans())
    def check(
        before: list[tuple[str | None, str | None]],
        rows: list[Row],
        batch: int,
        erased: set[str],
        is_read_before: bool,
    ) -> None:
        monkeypatch.setattr(reading, "BATCH", batch)
        nobody_erased()
        before = [call for call in before if not erased.intersection(call)]
        left = [left_of(row, erased) for row in rows]
        for call in [*before, *(call for row in left for call in calls_of(row))]:
            if any(call):
                reconciliation.identify(Identifiers(*call), source="test")
        expected = state()
        empty()
        for call in before:
            reconciliation.identify(Identifiers(*call), source="test")
        source = on(as_file(rows))
        if is_read_before:
            # What is erased after that is found when it is written.
            list(source.reading.batches())
        if erased:
            remember(*erased)

        tally = run.carry_out(source, Watcher(), register.give("customers.csv", "test"))

        assert state() == expected
        assert tally.erased == sum(bool(erased.intersection(row[:3])) for row in rows)
        empty()
        for call in before:
            reconciliation.identify(Identifiers(*call), source="test")
        given_calls = [
            Call(*call, line=line) for line, row in enumerate(rows) for call in one_of(row)
        ]
        if given_calls:
            telling.tell(given_calls, "test")
        assert state() == state_of_calls(before, rows, erased)

    check()


def one_of(row: Row) -> list[tuple[str | None, str | None]]:
    return calls_of(row)[:1]


def state_of_calls(
    before: list[tuple[str | None, str | None]], rows: list[Row], erased: set[str]
) -> Any:
    empty()
    for call in [*before, *(call for row in rows for call in one_of(row))]:
        left = [None if each in erased else each for each in call]
        if any(left):
            reconciliation.identify(Identifiers(*left), source="test")
    return state()


def test_who_has_not_heard_of_it_writes_no_name_of_theirs(make: Make) -> None:
    with unaware(make).app_context():
        # Nothing is new of it but what it is called.
        told = {"reference": "7", "name": f"Emmett <{DOC}>"}
        reconciliation.identify(Identifiers(None, "555"), source="test", **told)
        assert DOC not in all_texts()
        assert tries() == [1]
