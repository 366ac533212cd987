"""What is older than it is kept goes, in small steps; what anybody relies on stays."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event, insert, select, update

from identity import auditing, database, explaining, feed, retaining
from identity.auditing import Deed
from identity.config import Config
from identity.database import db
from identity.errors import ConfigurationError
from identity.identifiers import Kind, Value
from identity.importing import register, uploads, written
from identity.models import (
    Audit,
    Delivery,
    Event,
    EventKind,
    Finding,
    Import,
    Message,
    MessageState,
    Turn,
    Webhook,
)
from identity.retaining import accounts, history, pace
from identity.reviewing import findings, sweeping
from identity.reviewing.growth import GROWN
from identity.rulings import applying
from identity.rulings.applying import Ordered
from identity.rulings.kinds import LinksNobody
from identity.verification import verify
from identity.webhooks import register as register_of_webhooks
from identity.webhooks import standing
from tests.bringing import bring
from tests.conftest import Make, See
from tests.pages import text
from tests.tables import count, everything
from tests.terminal import run

LONG_AGO = datetime.now(UTC) - timedelta(days=500)
KEPT = Config(retain_history=timedelta(days=400), retain_files=timedelta(days=30))
SOME = 7


def grow_old(model: Any = Event, at: datetime = LONG_AGO) -> None:
    """Let all of that have been told then."""
    moment = {Event: "occurred_at", Audit: "at", Import: "given_at"}[model]
    with db.engine.begin() as connection:
        connection.execute(update(model).values({moment: at}))


def look() -> None:
    """Let the review look at all that was told."""
    assert sweeping.sweep(KEPT.many_strangers, patience=0).finished


def kinds() -> list[str]:
    with db.engine.connect() as connection:
        return list(connection.scalars(select(Event.kind).order_by(Event.id)))


def told() -> list[dict[str, Any]]:
    """What the ledger tells of what went."""
    with db.engine.connect() as connection:
        chosen = select(Event.detail).where(Event.kind == EventKind.SWEPT.value)
        details = [dict(detail or {}) for detail in connection.scalars(chosen.order_by(Event.id))]
    return [{name: many for name, many in each.items() if name != "until"} for each in details]


def sweep(config: Config = KEPT) -> list[str]:
    return [str(swept) for swept in retaining.sweep(config)]


@pytest.fixture
def small_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("FIRST", "LEAST", "MOST"):
        monkeypatch.setattr(pace, name, SOME)


def strangers(see: See, many: int, first: int = 0) -> None:
    for number in range(first, first + many):
        see(f"stranger{number}@hillvalley.edu", f"555{number:04}")


@pytest.mark.parametrize(
    ("spelt", "days"),
    [("7 days", 7), ("400 days", 400), ("1 month", 31), ("13 months", 403), ("2 years", 732)],
)
def test_how_long_is_spelt_as_people_say_it(spelt: str, days: int) -> None:
    assert Config.from_environment({"RETAIN_HISTORY": spelt}).retain_history == timedelta(days)


@pytest.mark.parametrize(
    "spelt", ["400", "400d", "P400D", "0 days", "-1 days", "6 days", "1.5 years", "101 years"]
)
def test_anything_else_is_refused(spelt: str) -> None:
    with pytest.raises(ConfigurationError, match=r"RETAIN_HISTORY must look like 400 days, 13 mon"):
        Config.from_environment({"RETAIN_HISTORY": spelt})


def test_files_may_go_after_a_day() -> None:
    assert Config.from_environment({"RETAIN_FILES": "1 day"}).retain_files == timedelta(1)


def test_without_a_setting_nothing_goes(see: See, app: Flask) -> None:
    strangers(see, SOME)
    grow_old()
    before = everything()

    result = run(app, "retain")

    assert result.output == (
        "Everything is kept: neither RETAIN_HISTORY nor RETAIN_FILES is set. Nothing was removed.\n"
    )
    assert everything() == before


@pytest.mark.usefixtures("small_steps")
def test_old_lines_go_and_the_ledger_tells_how_many(see: See) -> None:
    strangers(see, 3 * SOME)
    grow_old()
    see("doc@hillvalley.edu", "555-4385")

    went, files = sweep()

    before = datetime.now(UTC) - timedelta(days=400)
    assert went == f"Removed: 21 lines of history from before {before:%Y-%m-%d}."
    assert files.startswith("Nothing from before ")
    assert kinds() == ["contact_created", "swept"]
    assert told() == [{"lines": 21}]
    assert sweep()[0].startswith("Nothing")
    assert told() == [{"lines": 21}]


def test_customers_answers_and_reasons_are_what_they_were(see: See, client: FlaskClient) -> None:
    see("lorraine@hillvalley.edu", "123456")
    see("biffsucks@hillvalley.edu", "717171")
    merged = see("lorraine@hillvalley.edu", "717171")
    see("doc@hillvalley.edu", "555-4385")
    grow_old()
    asked = [f"/clusters/{id_}.json" for id_ in (1, 2, 3)]
    before = [client.get(address).json for address in asked]

    sweep()

    assert kinds() == ["swept"]
    assert [client.get(address).json for address in asked] == before
    assert verify().problems == []
    with database.snapshot() as connection:
        ends = Value(Kind.EMAIL, "biffsucks@hillvalley.edu"), Value(Kind.PHONE, "123456")
        assert len(explaining.why(connection, *ends).chain) == 3
    # Nothing new, and nobody new.
    assert see("lorraine@hillvalley.edu", "717171") == merged
    assert "removed: 4 lines of history from before 20" in text(client.get("/events"))


def test_an_id_that_ceased_still_says_whose_its_identifiers_are_now(
    see: See, client: FlaskClient
) -> None:
    see("doc@hillvalley.edu", "0000000000")
    see("doc@hillvalley.edu", "555-4385")
    see(None, "0000000000")
    applying.rule(LinksNobody(Value(Kind.PHONE, "0000000000")), Ordered("Doc"))
    before = [client.get(f"/clusters/{id_}.json").json for id_ in (1, 2, 3)]
    look()
    grow_old()

    sweep()

    assert kinds() == ["swept"]
    assert [client.get(f"/clusters/{id_}.json").json for id_ in (1, 2, 3)] == before


@pytest.mark.usefixtures("small_steps")
def test_whoever_is_killed_half_way_has_told_of_what_went(
    see: See, monkeypatch: pytest.MonkeyPatch
) -> None:
    strangers(see, 3 * SOME + 1)
    grow_old()
    look()

    def die(self: accounts.Swept, remove: Any) -> bool:
        if self.removed["lines"] == 2 * SOME:
            raise KeyboardInterrupt
        return step(self, remove)

    step = accounts.Swept.step
    monkeypatch.setattr(accounts.Swept, "step", die)
    with pytest.raises(KeyboardInterrupt):
        sweep()
    monkeypatch.undo()

    assert (count(Event), told()) == (SOME + 2, [{"lines": 2 * SOME}])
    sweep()
    assert (count(Event), told()) == (2, [{"lines": 2 * SOME}, {"lines": SOME + 1}])


def test_a_line_whose_evidence_is_no_claim_yet_stays(see: See) -> None:
    strangers(see, 2)
    look()
    with db.engine.begin() as connection:
        connection.execute(update(Event).where(Event.id == 1).values(in_claims=False))
    grow_old()

    next(iter(retaining.sweep(KEPT)))

    with db.engine.connect() as connection:
        assert 1 in connection.scalars(select(Event.id)).all()


def test_a_line_of_a_machine_whose_clock_was_fast_stays_until_it_is_old(see: See) -> None:
    strangers(see, 3)
    grow_old()
    with db.engine.begin() as connection:
        today = {"occurred_at": datetime.now(UTC)}
        connection.execute(update(Event).where(Event.id == 2).values(today))
    strangers(see, 2, first=10)
    grow_old_after(3)

    sweep()

    with db.engine.connect() as connection:
        left = connection.scalars(select(Event.id).order_by(Event.id)).all()
    assert 2 in left


def grow_old_after(id_: int) -> None:
    with db.engine.begin() as connection:
        connection.execute(update(Event).where(Event.id > id_).values(occurred_at=LONG_AGO))


def test_the_review_looks_at_lines_before_they_go(see: See) -> None:
    merge(see)
    grow_old()

    sweep()

    with db.engine.connect() as connection:
        assert [each.many for each in findings.largest(connection, findings.Kind.LARGE_MERGE)]


def merge(see: See) -> int:
    """Let two customers of many contacts become one; return the line that tells of it."""
    for number in range(12):
        see(f"doc{number}@hillvalley.edu", "555-4385")
        see(f"biff{number}@hillvalley.edu", "717171")
    see("doc1@hillvalley.edu", "717171")
    with db.engine.connect() as connection:
        chosen = select(Event.id).where(Event.kind == EventKind.CLUSTERS_MERGED.value)
        return connection.scalars(chosen).one()


def test_a_large_merge_stays_until_somebody_said_that_it_is_fine(
    see: See, client: FlaskClient
) -> None:
    line = merge(see)
    look()
    grow_old()

    sweep()

    assert kinds() == ["clusters_merged", "swept"]
    with db.engine.connect() as connection:
        finding = connection.scalars(
            select(Finding.id).where(Finding.subject == str(line), Finding.kind == "large_merge")
        ).one()
    findings.say_fine(finding, "Doc")
    sweep()
    assert kinds() == ["swept", "swept"]
    # Nobody can look at it again, and nobody is asked to.
    findings.look_again(finding)
    sweeping.again()
    look()
    with db.engine.connect() as connection:
        assert findings.largest(connection, findings.Kind.LARGE_MERGE) == []
    assert client.get("/review").status_code == 200


def test_the_audit_trail_goes_with_the_history(see: See) -> None:
    for id_ in range(3):
        auditing.note(Deed.CUSTOMER_OPENED, "Doc", id_)
    grow_old(Audit)
    auditing.note(Deed.CUSTOMER_OPENED, "Doc", 88)

    went, _ = sweep()

    assert went.startswith("Removed: 3 lines of the audit trail from before ")
    assert told() == [{"audit": 3}]
    with db.engine.connect() as connection:
        assert connection.scalars(select(Audit.about)).all() == ["88"]


def test_what_an_import_wrote_that_was_broken_off_is_known_when_its_lines_are_not(
    see: See, client: FlaskClient
) -> None:
    rows = [(f"doc{number}@hillvalley.edu", f"555{number:04}") for number in range(SOME)]
    bring(as_csv(rows))
    with db.engine.begin() as connection:
        broken_off = update(Import).values(
            finished_at=None, seen_at=None, started_at=LONG_AGO, counts={}
        )
        connection.execute(broken_off)
    before = written.by_lines(1)
    grow_old()

    sweep()

    assert kinds() == ["swept"]
    assert before == written.by_lines(1) == {"customers": SOME, "contacts": SOME, "merged": 0}
    assert f"New customers{SOME} " in text(client.get("/imports/1"))


def as_csv(rows: Iterable[tuple[str, str]]) -> bytes:
    return ("email,phone\n" + "".join(f"{email},{phone}\n" for email, phone in rows)).encode()


def given(name: str, at: datetime = LONG_AGO, **values: Any) -> int:
    """Keep a file that was given then."""
    import_id = register.give(name, "Doc", b"email\ndoc@hillvalley.edu\n")
    register.note(import_id, given_at=at, **values)
    return import_id


def test_files_that_nobody_imported_go(app: Flask) -> None:
    given("old.csv", choices={"nobody": [{"email": "doc@hillvalley.edu"}]})
    young = given("young.csv", at=datetime.now(UTC))

    _, went = sweep()

    assert went.startswith("Removed: 1 file from before ")
    assert told() == [{"files": 1}]
    assert [each.id for each in uploads.unfinished()] == [young]
    assert "doc@hillvalley.edu" not in json.dumps(everything()["event"])


def test_a_file_that_somebody_works_on_stays(app: Flask) -> None:
    import_id = given("old.csv")
    assert uploads.begin(import_id, uploads.PLANNING)

    sweep()

    assert register.content(import_id) is not None


def test_of_an_import_its_name_and_what_it_brought_stay(see: See, client: FlaskClient) -> None:
    bring(as_csv([("doc@hillvalley.edu", "555-4385")]))
    choices = {"nobody": [{"email": "doc@hillvalley.edu"}], GROWN: [1]}
    register.note(1, rejects=b"nobody\n", choices=choices, finished_at=LONG_AGO)
    before = register.get(1)

    _, went = sweep()

    assert went.startswith("Removed: 1 file of rejected rows and 1 plan of an import from before ")
    assert register.get(1) == replace(before, choices={GROWN: [1]})
    assert register.rejects(1) is None
    assert "Import of customers.csv" in text(client.get("/imports/1"))
    assert sweep()[1].startswith("Nothing")


def test_the_command_says_what_went(make: Make) -> None:
    app = make(RETAIN_HISTORY="400 days")
    with app.app_context():
        auditing.note(Deed.CUSTOMER_OPENED, "Doc", 1)
        grow_old(Audit)

        result = run(app, "retain")

    assert result.exit_code == 0
    assert result.output.startswith("Removed: 1 line of the audit trail from before ")
    assert result.output.count("\n") == 1


@pytest.fixture
def statements(app: Flask) -> Iterator[list[str]]:
    """Every statement that a sweep sends."""
    sent: list[str] = []

    def note(*given: Any) -> None:
        sent.append(given[2])

    for engine in db.engines.values():
        event.listen(engine, "before_cursor_execute", note)
    yield sent
    for engine in db.engines.values():
        event.remove(engine, "before_cursor_execute", note)


@pytest.mark.usefixtures("small_steps")
def test_each_step_is_as_few_statements_however_much_there_is(
    see: See, statements: list[str]
) -> None:
    needed = []
    for steps in (2, 10):
        strangers(see, steps * SOME, first=1000 * steps)
        look()
        grow_old()
        statements.clear()
        next(iter(retaining.sweep(KEPT)))
        needed.append(
            len([each for each in statements if not each.startswith(("BEGIN", "COMMIT"))])
        )

    # Which lines, whether nobody waits for them, what the feed has of them, removing both, and
    # telling of it.
    assert (needed[1] - needed[0]) / 8 <= 11


def test_the_feed_begins_after_what_went(see: See, client: FlaskClient) -> None:
    strangers(see, 3)
    grow_old()
    strangers(see, 2, first=10)
    look()
    feed.publish()

    sweep()

    with db.engine.connect() as connection:
        assert feed.begins_after(connection) == 3
        assert [change.number for change in feed.after(connection, 3, 10)] == [4, 5]


def webhook(**values: Any) -> int:
    """Make a webhook that was told the first change; return its id."""
    hook: dict[str, Any] = {"url": "https://crm.example", "secret": "sealed", "told": 1}
    hook |= {"created_at": LONG_AGO, "created_by": "Doc"} | values
    with db.engine.begin() as connection:
        return int(connection.execute(insert(Webhook).returning(Webhook.id), hook).scalar_one())


def test_what_a_webhook_is_still_to_be_told_stays(see: See) -> None:
    strangers(see, 3)
    grow_old()
    look()
    feed.publish()
    webhook()

    sweep()

    assert kinds() == ["contact_created", "contact_created", "swept"]


@pytest.mark.usefixtures("small_steps")
def test_a_webhook_that_is_enabled_during_a_sweep_misses_nothing(
    see: See, monkeypatch: pytest.MonkeyPatch
) -> None:
    strangers(see, 2)
    hook = webhook(told=0, disabled_at=LONG_AGO, disabled_why="By Doc.")
    strangers(see, 2 * SOME, first=10)
    feed.publish()
    grow_old()
    look()

    def enable_first(connection: Any, after: int, first: int, rows: int) -> int | None:
        last = choose(connection, after, first, rows)
        if after == 0:
            # What is to go is chosen, and none of it has gone.
            register_of_webhooks.enable(hook)
        return last

    choose = history._last
    monkeypatch.setattr(history, "_last", enable_first)
    sweep()

    with db.engine.connect() as connection:
        assert feed.begins_after(connection) == 0
        assert len(feed.after(connection, 0, 100)) == 2 + 2 * SOME


def message(webhook_id: int, state: MessageState, at: datetime = LONG_AGO, **values: Any) -> None:
    """Make a message that was tried once then, and ended or waits."""
    row: dict[str, Any] = {"ident": f"msg_{count(Message)}", "kind": "customer.grown", "body": "{}"}
    row |= {"webhook_id": webhook_id, "made_at": at, "state": state.value, "number": 1} | values
    with db.engine.begin() as connection:
        made = connection.execute(insert(Message).returning(Message.id), row).scalar_one()
        delivery = {"message_id": made, "at": at, "ms": 1, "status": 500}
        connection.execute(insert(Delivery), delivery)
        if state is MessageState.WAITING:
            turn = {"webhook_id": webhook_id, "customer_id": 1, "message_id": made}
            connection.execute(insert(Turn), turn)


@pytest.mark.usefixtures("small_steps", "app")
def test_messages_go_some_time_after_their_end_whatever_it_was() -> None:
    in_use, removed = webhook(), webhook(removed_at=LONG_AGO)
    for hook in in_use, removed:
        for _ in range(SOME):
            message(hook, MessageState.DELIVERED, ended_at=LONG_AGO)
            message(hook, MessageState.FAILED, ended_at=LONG_AGO)
    message(in_use, MessageState.DELIVERED, ended_at=datetime.now(UTC))
    message(in_use, MessageState.WAITING)

    went, _ = sweep()

    assert went.startswith("Removed: 28 messages of webhooks from before ")
    assert told() == [{"messages": 28}]
    assert count(Message) == count(Delivery) == 2


@pytest.mark.usefixtures("small_steps", "app")
def test_what_waits_for_a_webhook_that_nobody_enables_goes_and_is_not_passed_over() -> None:
    hook = webhook(told=20 + SOME, disabled_at=LONG_AGO, disabled_why="By Doc.")
    for number in range(20, 20 + SOME + 1):
        message(hook, MessageState.WAITING, number=number)

    sweep()

    assert told() == [{"messages": SOME + 1}]
    assert count(Message) == count(Delivery) == count(Turn) == 0
    # The next ones are made from there on, if the feed has them, and else it says so.
    assert database.read(lambda connection: standing.get(connection, hook)).told == 19
