"""Strangers are not made one customer silently: what an import finds, rules and tells."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import pytest
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select

from identity.caution import calls, names, running
from identity.caution.choosing import DEFAULT, Choices
from identity.caution.planning import Plan, identifiers_of
from identity.clusters import Cluster, Member
from identity.database import db
from identity.errors import Conflict
from identity.identifiers import Identifiers, Kind, Value, parse_one
from identity.importing import reading, register
from identity.importing.tally import Tally
from identity.models import Claim, Contact, Ruling
from identity.reconciliation import Outcome, identify
from identity.rulings import applying
from identity.rulings import register as rulings
from identity.rulings.applying import Ordered
from identity.rulings.kinds import LinksNobody
from identity.verification import verify
from tests.bringing import Watcher, as_file, on
from tests.conftest import Make, See
from tests.examples import BATCHES, INTERPLAY, Row
from tests.oracle import Call
from tests.tables import empty

ZEROS = Value(Kind.PHONE, "0000000000")
OFFICE = "+16172531014"


def rehearse(content: bytes, choices: Choices = DEFAULT, feed: str = "") -> Plan:
    return running.rehearse(on(content, feed=feed), Watcher(), choices)


def bring(content: bytes, choices: Choices = DEFAULT, feed: str = "") -> Tally:
    import_id = register.give("customers.csv", "test")
    return running.carry_out(on(content, feed=feed), Watcher(), import_id, choices)


def shared(value: str, people: int, header: str = "email,phone") -> bytes:
    """Return a file of as many people who give the same phone number."""
    rows = "".join(f"p{number}@hillvalley.edu,{value}\n" for number in range(people))
    return f"{header}\n{rows}".encode()


def named(value: str, people: Iterable[str]) -> bytes:
    """Return a file of people with names who give the same phone number."""
    rows = "".join(f"p{n}@hillvalley.edu,{value},{name}\n" for n, name in enumerate(people))
    return f"email,phone,full name\n{rows}".encode()


def customers() -> int:
    live = select(func.count()).where(Contact.linked_id.is_(None), Contact.deleted_at.is_(None))
    with db.engine.connect() as connection:
        return connection.scalar(live) or 0


def ruled() -> list[tuple[str, str | None, bool]]:
    with db.engine.connect() as connection:
        rows = connection.execute(select(Ruling).order_by(Ruling.id)).all()
    return [(row.by, row.reason, row.withdrawn_at is None) for row in rows]


@pytest.mark.usefixtures("app")
def test_a_filler_of_many_strangers_links_nobody_by_a_ruling_of_that_import() -> None:
    tally = bring(shared("0000000000", 20))

    assert (tally.customers, customers()) == (20, 20)
    because = "20 rows with 20 different emails; it ends with one digit, repeated"
    assert ruled() == [("import:1", because, True)]
    assert verify().problems == []


@pytest.mark.usefixtures("app")
def test_undoing_the_ruling_makes_them_one_and_no_later_import_rules_it_again() -> None:
    bring(shared("0000000000", 20))
    applying.withdraw(1, Ordered("Doc"))
    assert customers() == 1

    plan = rehearse(shared("0000000000", 30))
    bring(shared("0000000000", 30))

    (suspect,) = plan.found.suspects
    assert suspect.undone == 1
    assert plan.nobody == ()
    assert customers() == 1
    assert len(ruled()) == 1


@pytest.mark.usefixtures("app")
def test_what_was_undone_may_be_chosen_again() -> None:
    bring(shared("0000000000", 20))
    applying.withdraw(1, Ordered("Doc"))

    bring(shared("0000000000", 30), Choices(nobody=frozenset({ZEROS})))

    assert customers() == 30


@pytest.mark.usefixtures("app")
def test_as_it_is_they_are_one_customer() -> None:
    bring(shared("0000000000", 20), Choices(as_it_is=True))

    assert (customers(), ruled()) == (1, [])


@pytest.mark.usefixtures("app")
def test_a_value_that_somebody_lets_link_does() -> None:
    bring(shared("0000000000", 20), Choices(linking=frozenset({ZEROS})))

    assert (customers(), ruled()) == (1, [])


def test_the_examples_of_the_contract_join_two_in_a_file_as_in_a_call(see: See) -> None:
    content = (
        b"email,phone\nlorraine@hillvalley.edu,123456\nmcfly@hillvalley.edu,123456\n"
        b"biffsucks@hillvalley.edu,717171\nmcfly@hillvalley.edu,717171\n"
    )

    bring(content)

    assert ruled() == []
    assert len(see("lorraine@hillvalley.edu").members) == 3


@pytest.mark.usefixtures("app")
def test_one_customer_with_many_phones_and_one_name_is_no_crowd() -> None:
    rows = "".join(f"doc@brown.org,+1617253{n:04},Emmett Brown\n" for n in range(10))

    plan = rehearse(f"email,phone,full name\n{rows}".encode())

    assert plan.found.suspects == ()
    assert plan.tally.customers == 1


@pytest.mark.usefixtures("app")
@pytest.mark.parametrize(
    "people",
    [
        ["Zara Thompson", "Sarah Tompson", "Sahra Thompson", "Thompson, Sara", "S Thompson"],
        ["Bob Smith", "B Smith", "Bob J Smith", "SMITH Bob"],
        ["Marty McFly", "Jennifer Parker", "Emmett Brown"],
    ],
)
def test_names_that_may_be_one_persons_and_households_are_joined(people: list[str]) -> None:
    assert rehearse(named(OFFICE, people)).found.suspects == ()


@pytest.mark.usefixtures("app")
def test_four_people_with_names_of_their_own_are_too_many() -> None:
    people = ["Edward Kusha", "Mary Kusha", "Mark Kusha", "Marsha Kusha"]

    plan = rehearse(named(OFFICE, people))

    (suspect,) = plan.found.suspects
    assert str(suspect) == f"{OFFICE} is the phone number of 4 rows with 4 different names"
    assert (plan.more, plan.more_otherwise) == (4, 1)


@pytest.mark.usefixtures("app")
def test_where_no_names_tell_it_takes_more_of_them() -> None:
    assert rehearse(shared(OFFICE, 11)).found.suspects == ()
    assert len(rehearse(shared(OFFICE, 12)).found.suspects) == 1


@pytest.mark.usefixtures("app")
def test_many_references_to_one_email_are_one_customer_who_came_often() -> None:
    rows = "".join(f"R{number},doc@brown.org\n" for number in range(50))

    assert rehearse(f"reference,email\n{rows}".encode()).found.suspects == ()


def test_those_who_are_one_customer_already_are_no_strangers(see: See) -> None:
    for number in range(20):
        see(f"p{number}@hillvalley.edu", "5554385")

    assert rehearse(shared(OFFICE, 20)).found.suspects == ()


@pytest.mark.usefixtures("app")
def test_a_name_that_everybody_has_makes_nobody_one() -> None:
    (suspect,) = rehearse(named(OFFICE, ["Guest"] * 50)).found.suspects

    assert suspect.strangers == 50


@pytest.mark.usefixtures("app")
def test_what_links_nobody_already_does_not_hide_who_are_strangers() -> None:
    applying.rule(LinksNobody(ZEROS), Ordered("Doc"))
    people = ["Marty McFly", "Jennifer Parker", "Emmett Brown", "Biff Tannen"]
    rows = "".join(f"desk@hotel.com,0000000000,{name}\n" for name in people)

    plan = rehearse(f"email,phone,full name\n{rows}".encode())

    assert [each.value.text for each in plan.found.suspects] == ["desk@hotel.com"]


def test_who_has_become_one_since_the_plan_is_not_taken_apart(see: See) -> None:
    doc, marty = see("doc@hillvalley.edu", "5554385"), see("marty@hillvalley.edu", "5551985")
    content = b"email,phone\ndoc@hillvalley.edu,5551985\n"
    chosen = Choices(apart=(identifiers_of([doc, marty]),))
    see("doc@hillvalley.edu", "5551985")

    plan = rehearse(content, chosen)
    tally = bring(content, chosen)

    assert plan.tally.counts() == tally.counts()
    assert (tally.held, customers(), ruled()) == (0, 1, [])


def test_a_customer_known_by_a_value_of_strangers_is_kept_apart_by_another(see: See) -> None:
    see("desk@hotel.com", "5554385")
    see("marty@hillvalley.edu", "5551985")
    people = ["Marty McFly", "Jennifer Parker", "Emmett Brown", "Biff Tannen"]
    rows = "".join(f"desk@hotel.com,+1617253000{n},{name}\n" for n, name in enumerate(people))
    content = f"email,phone,full name\n{rows}marty@hillvalley.edu,5554385,Marty\n".encode()
    both = parse_one("desk@hotel.com"), parse_one("marty@hillvalley.edu")
    chosen = Choices(apart=(both,))

    plan = rehearse(content, chosen)
    tally = bring(content, chosen)

    assert plan.tally.counts() == tally.counts()
    assert tally.held == 1


@pytest.mark.usefixtures("app")
def test_two_values_that_are_shared_by_the_same_strangers_do_not_hide_each_other() -> None:
    people = ["Marty McFly", "Jennifer Parker", "Emmett Brown", "Biff Tannen", "George Douglas"]
    rows = "".join(f"none@none.com,0000000000,{name}\n" for name in people)

    plan = rehearse(f"email,phone,full name\n{rows}".encode())

    assert {each.value.text for each in plan.found.suspects} == {"none@none.com", "0000000000"}


@pytest.mark.usefixtures("app")
def test_a_nightly_file_that_brings_one_such_row_a_night_is_found_out() -> None:
    for night in range(2):
        assert bring(f"email,phone\nnight{night}@hillvalley.edu,0000000000\n".encode()).rows == 1
    assert ruled() == []

    plan = rehearse(b"email,phone\nnight2@hillvalley.edu,0000000000\n")
    bring(b"email,phone\nnight2@hillvalley.edu,0000000000\n")

    assert plan.split == (1, 2)
    assert customers() == 3
    assert "2 more told before" in str(ruled()[0][1])


def test_a_value_of_known_customers_takes_them_apart_as_the_plan_says(see: See) -> None:
    for number in range(5):
        see(f"old{number}@hillvalley.edu", "0000000000")
    assert customers() == 1

    plan = rehearse(shared("0000000000", 10))
    tally = bring(shared("0000000000", 10))

    assert plan.split == (1, 5)
    assert plan.more == 14
    assert customers() == 15
    assert plan.tally.counts() == tally.counts()


def test_a_merge_that_is_left_out_is_held(see: See) -> None:
    doc, marty = see("doc@hillvalley.edu", "5554385"), see("marty@hillvalley.edu", "5551985")
    content = b"email,phone\ndoc@hillvalley.edu,5551985\neinstein@hillvalley.edu,5554385\n"
    (merge,) = rehearse(content).merges(10)
    assert merge.customers == (doc, marty)
    assert [(call.line, call.email) for call in merge.joins] == [(2, "doc@hillvalley.edu")]
    assert merge.may_be_left_out
    chosen = Choices(apart=(identifiers_of(merge.customers),))

    plan = rehearse(content, chosen)
    tally = bring(content, chosen)

    assert plan.merges(10) == []
    assert plan.tally.counts() == tally.counts()
    assert (tally.held, customers()) == (1, 2)
    assert ruled() == [("import:1", running.LEFT_OUT, True)]


def test_choices_are_kept_as_they_were_made() -> None:
    email = parse_one("doc@hillvalley.edu")
    chosen = Choices(True, frozenset({ZEROS}), frozenset({email}), ((email, ZEROS),))

    assert Choices.from_json(chosen.as_json()) == chosen
    assert Choices.from_json(None) == Choices()


PHONES = st.sampled_from(["0000000000", "123456", "5554385", "5551985", "5551955"])
EMAILS = st.sampled_from(
    [None, "none@none.com", *(f"{name}@hillvalley.edu" for name in "abcdefghij")]
)
MOMENTS = st.sampled_from(["", "", "1975-11-05", "1985-10-26", "2015-10-21"])
TOLD = st.tuples(EMAILS, PHONES)
BROUGHT = st.lists(st.tuples(EMAILS, PHONES, st.none() | PHONES, MOMENTS), min_size=3, max_size=14)


def usable(rows: list[tuple[str | None, str, str | None, str]]) -> list[Row]:
    return [row for row in rows if row[0] or not row[2] or row[1] == row[2]]


@pytest.mark.usefixtures("app")
def test_a_rehearsal_says_what_the_import_does_rulings_included(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    @INTERPLAY
    @given(st.lists(TOLD, max_size=16), BROUGHT.map(usable), BATCHES, st.booleans(), st.data())
    def check(
        before: list[Call], rows: list[Row], batch: int, leave_out: bool, data: st.DataObject
    ) -> None:
        monkeypatch.setattr(reading, "BATCH", batch)
        empty()
        for call in before:
            identify(Identifiers(*call), source="test")
        content = as_file(rows)
        choices = Choices()
        plan = rehearse(content)
        if leave_out and (merges := plan.merges(10)):
            merge = data.draw(st.sampled_from(merges))
            nobody = [each.value for each in plan.nobody]
            choices = Choices(apart=(identifiers_of(merge.customers, nobody),))
            plan = rehearse(content, choices)
        stood = customers()

        tally = bring(content, choices)

        assert plan.tally.counts() == tally.counts()
        assert customers() == stood + plan.more
        assert verify().problems == []

    check()


@pytest.mark.usefixtures("app")
def test_a_row_that_says_one_thing_again_is_not_rejected_for_the_other() -> None:
    mailbox = parse_one("info@hillvalley.edu")
    for nobodys in (mailbox, ZEROS):
        applying.rule(LinksNobody(nobodys), Ordered("Doc"))
    content = as_file([(mailbox.text, "5554385", ZEROS.text, "")])
    bring(content)

    plan, again = rehearse(content), bring(content)

    assert (again.rejected, again.repeats) == (0, 1)
    assert plan.tally.counts() == again.counts()


@pytest.mark.usefixtures("app")
def test_what_an_import_rules_again_is_said_once() -> None:
    bring(shared("0000000000", 20))

    again = rehearse(shared("0000000000", 25))
    bring(shared("0000000000", 25))

    assert again.found.suspects == ()
    assert (customers(), len(ruled())) == (25, 1)
    with pytest.raises(Conflict):
        applying.rule(LinksNobody(ZEROS), Ordered("Doc"))
    with db.engine.connect() as connection:
        assert [each.id for each in rulings.by(connection, "import:1")] == [1]
        assert connection.scalar(select(func.count(Claim.id))) == 25


def post(client: FlaskClient, number: int, **more: str) -> Any:
    told = {"email": f"p{number}@hillvalley.edu", "phoneNumber": "0000000000"} | more
    return client.post("/identify", json=told).get_json()


def test_calls_join_as_the_contract_says(make: Make) -> None:
    client = make().test_client()

    answers = [post(client, number) for number in range(4)]

    assert len(answers[-1]["contact"]["secondaryContactIds"]) == 3


@pytest.mark.usefixtures("app")
def test_careful_calls_let_what_strangers_share_link_nobody(make: Make) -> None:
    client = make(CAREFUL="1").test_client()

    answers = [post(client, number) for number in range(4)]

    assert "linksNobody" not in answers[1]
    assert answers[2]["linksNobody"] == answers[3]["linksNobody"] == "phoneNumber"
    assert answers[2]["contact"]["emails"] == ["p2@hillvalley.edu"]
    assert ruled() == [
        ("caution", "3 rows with 3 different emails; it ends with one digit, repeated", True)
    ]
    assert customers() == 4
    assert verify().problems == []


def test_a_careful_call_that_brings_nothing_new_asks_nothing_more() -> None:
    doc = Member(1, None, "doc@hillvalley.edu", "0000000000", datetime.now(UTC))
    known = Outcome(Cluster.of([doc]), None)

    # Without an app there is no database to be asked.
    assert not calls.check(Identifiers("doc@hillvalley.edu", "0000000000"), known, "api")


def test_careful_calls_about_one_person_are_joined(make: Make) -> None:
    client = make(CAREFUL="1").test_client()

    for number in range(5):
        answer = post(client, number, name="Emmett Brown", phoneNumber=OFFICE)

    assert len(answer["contact"]["emails"]) == 5


@pytest.mark.usefixtures("app")
def test_what_a_person_let_link_again_is_not_ruled_by_a_call(make: Make) -> None:
    client = make(CAREFUL="1").test_client()
    for number in range(3):
        post(client, number)
    applying.withdraw(1, Ordered("Doc"))

    answer = post(client, 4)

    assert "linksNobody" not in answer
    assert customers() == 1


@pytest.mark.parametrize("words", [("O'Hare Ellie", "Ellie Ohare"), ("Dr. Brown", "Brown")])
def test_names_are_compared_without_their_spelling(words: tuple[str, str]) -> None:
    assert names.may_be_one(*map(names.words, words))


def test_one_name_alone_is_that_of_many() -> None:
    assert not names.may_be_one(names.words("Kusha"), names.words("Mary Kusha"))
    assert not names.may_be_one(names.words("Customer 1"), names.words("Customer 12"))


@pytest.mark.usefixtures("app")
def test_a_file_that_was_imported_as_it_is_may_be_imported_with_caution() -> None:
    bring(shared("0000000000", 20), Choices(as_it_is=True))

    plan = rehearse(shared("0000000000", 20))
    bring(shared("0000000000", 20))

    (suspect,) = plan.found.suspects
    assert suspect.told_before == 0
    assert plan.split == (1, 20)
    assert customers() == 20
