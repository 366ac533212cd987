"""What a receiver of webhooks is sent, in which order, and what becomes of what it refuses."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import select, update
from standardwebhooks.webhooks import Webhook as Verifier
from standardwebhooks.webhooks import WebhookVerificationError

from identity import database, feed
from identity.database import db
from identity.errors import Conflict, InvalidInput, NotFound
from identity.models import Audit, Delivery, Message, MessageState, Turn, Webhook
from identity.webhooks import (
    attempting,
    claiming,
    listing,
    making,
    register,
    sending,
    signing,
    standing,
    turns,
)
from identity.webhooks.addresses import Rules
from identity.webhooks.delivering import Deliverer
from identity.webhooks.listing import Sent
from tests.conftest import See
from tests.receiving import Receiver, receiving

KEY = "hello, McFly"
HERE = Rules(insecure=True)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver


@pytest.fixture
def hook(app: Flask, receiver: Receiver) -> tuple[int, str]:
    """A webhook to the receiver: its id and its secret."""
    return register.add(receiver.address, (), HERE, KEY)


def deliver(key: str = KEY) -> None:
    """Deliver what is due now."""
    Deliverer(key, HERE).once()


def sent(webhook_id: int = 1) -> list[Sent]:
    """Return the messages of a webhook, the oldest first."""
    found, _ = database.read(lambda c: listing.page(c, webhook_id, None, None))
    return found[::-1]


def change(**values: object) -> None:
    """Change the messages as if time had gone by, or something had happened."""
    with db.engine.begin() as connection:
        connection.execute(update(Message).values(values))


def change_hook(**values: object) -> None:
    with db.engine.begin() as connection:
        connection.execute(update(Webhook).values(values))


def due() -> None:
    """Let what waits for another try be tried now."""
    with db.engine.begin() as connection:
        waiting = update(Message).where(Message.next_at.is_not(None))
        connection.execute(waiting.values(next_at=datetime.now(UTC)))
        connection.execute(update(Webhook).values(rests_until=None))


def hooks() -> list[standing.Hook]:
    return database.read(standing.listed)


def test_a_receiver_hears_of_a_customer_and_knows_who_says_so(
    see: See, receiver: Receiver, hook: tuple[int, str]
) -> None:
    doc = see("doc@hillvalley.edu", "5554385")

    deliver()

    (told,) = receiver.verified(hook[1])
    assert told["type"] == "customer.created"
    assert told["data"]["customer"] == doc.primary_id
    assert told["timestamp"] == told["data"]["at"]
    assert "hillvalley" not in receiver.came[0][1]
    assert "5554385" not in receiver.came[0][1]


def test_nobody_else_can_say_so(see: See, receiver: Receiver, hook: tuple[int, str]) -> None:
    see("doc@hillvalley.edu")
    deliver()

    with pytest.raises(WebhookVerificationError):
        receiver.verified(signing.new_secret())
    ((headers, body),) = receiver.came
    with pytest.raises(WebhookVerificationError):
        Verifier(hook[1]).verify(body.replace("created", "erased"), headers)
    with pytest.raises(WebhookVerificationError):
        Verifier(hook[1]).verify(body, headers | {"webhook-id": "msg_another"})


def test_what_happened_before_a_webhook_was_there_is_not_told(
    see: See, receiver: Receiver, app: Flask
) -> None:
    see("doc@hillvalley.edu")
    _, secret = register.add(receiver.address, (), HERE, KEY)
    marty = see("marty@hillvalley.edu")

    deliver()

    (told,) = receiver.verified(secret)
    assert told["data"]["customer"] == marty.primary_id


def test_a_webhook_hears_only_of_what_it_wants_to(see: See, receiver: Receiver, app: Flask) -> None:
    register.add(receiver.address, ["grown"], HERE, KEY)
    see("doc@hillvalley.edu")
    see("doc@hillvalley.edu", "5554385")

    deliver()

    assert [each.kind for each in sent()] == ["customer.grown"]
    assert len(receiver.came) == 1


def test_after_a_rotation_both_secrets_are_good_for_a_day(
    see: See, receiver: Receiver, hook: tuple[int, str]
) -> None:
    fresh = register.rotate(hook[0], KEY)
    see("doc@hillvalley.edu")
    deliver()
    assert receiver.verified(hook[1]) == receiver.verified(fresh)
    signatures = receiver.came[0][0]["webhook-signature"].split(" ")
    assert len(signatures) == 2

    change_hook(old_until=datetime.now(UTC) - timedelta(seconds=1))
    see("marty@hillvalley.edu")
    receiver.came.clear()
    deliver()

    assert receiver.verified(fresh)
    with pytest.raises(WebhookVerificationError):
        receiver.verified(hook[1])


def test_a_secret_that_leaked_is_good_for_nothing_at_once(
    see: See, receiver: Receiver, hook: tuple[int, str]
) -> None:
    fresh = register.rotate(hook[0], KEY, at_once=True)
    see("doc@hillvalley.edu")

    deliver()

    assert receiver.verified(fresh)
    with pytest.raises(WebhookVerificationError):
        receiver.verified(hook[1])


def test_no_secret_stands_in_the_database(hook: tuple[int, str]) -> None:
    with db.engine.connect() as connection:
        kept = connection.scalar(select(Webhook.secret)) or ""

    assert hook[1].removeprefix("whsec_") not in kept
    assert signing.unseal(kept, KEY) == hook[1]


def test_a_process_with_another_secret_key_says_so(
    see: See, receiver: Receiver, hook: tuple[int, str]
) -> None:
    see("doc@hillvalley.edu")

    deliver(key="hello, Biff")

    assert receiver.came == []
    assert "SECRET_KEY" in (sent()[0].deliveries[0].problem or "")


def test_what_failed_is_sent_again_under_the_same_id(
    see: See, receiver: Receiver, hook: tuple[int, str]
) -> None:
    receiver.answer = lambda _: (500, {})
    see("doc@hillvalley.edu")
    deliver()
    (failed,) = sent()
    assert failed.state == MessageState.WAITING
    assert failed.deliveries[0].problem == "The receiver answered 500."
    assert failed.next_at is not None
    assert timedelta(seconds=3) < failed.next_at - datetime.now(UTC) < timedelta(seconds=6)

    receiver.answer = lambda _: (204, {})
    due()
    deliver()

    assert sent()[0].state == MessageState.DELIVERED
    assert len(receiver.idents) == 2
    assert len(set(receiver.idents)) == 1
    assert len({body for _, body in receiver.came}) == 1


def test_the_schedule_is_that_of_the_specification_and_has_an_end(
    see: See, receiver: Receiver, hook: tuple[int, str]
) -> None:
    receiver.answer = lambda _: (500, {})
    see("doc@hillvalley.edu")
    pauses = []
    for _ in range(10):
        due()
        deliver()
        if next_at := sent()[0].next_at:
            pauses.append((next_at - datetime.now(UTC)).total_seconds())

    hours = [2, 5, 10, 14, 20, 24]
    expected = [5, 300, 1800, *(3600 * each for each in hours)]
    assert len(pauses) == len(expected)
    assert all(
        wanted - 5 <= pause <= wanted * 1.1 for pause, wanted in zip(pauses, expected, strict=True)
    )
    assert sent()[0].state == MessageState.FAILED
    assert len(receiver.came) == 10


def test_a_later_message_of_a_customer_waits_for_the_earlier_one(
    see: See, receiver: Receiver, hook: tuple[int, str]
) -> None:
    receiver.answer = lambda told: (200 if told["type"] != "customer.created" else 500, {})
    doc = see("doc@hillvalley.edu")
    see("doc@hillvalley.edu", "5554385")
    see("marty@hillvalley.edu", source="another")
    deliver()
    assert [each.waits_for_another for each in sent()] == [False, True, False]
    assert len(receiver.came) == 2

    receiver.answer = lambda _: (200, {})
    due()
    deliver()

    told = [each["data"] for each in receiver.verified(hook[1])][2:]
    mine = [each["number"] for each in told if each["customer"] == doc.primary_id]
    assert mine == sorted(mine)
    assert len(mine) == 2
    assert {each.state for each in sent()} == {MessageState.DELIVERED}
    with db.engine.connect() as connection:
        assert connection.execute(select(Turn)).all() == []


def test_what_was_tried_to_the_end_lets_the_next_one_go_on(
    see: See, receiver: Receiver, hook: tuple[int, str]
) -> None:
    receiver.answer = lambda told: (200 if told["type"] != "customer.created" else 500, {})
    see("doc@hillvalley.edu")
    see("doc@hillvalley.edu", "5554385")
    deliver()
    change(tries=9)
    due()

    deliver()

    assert [each.state for each in sent()] == [MessageState.FAILED, MessageState.DELIVERED]


def test_a_merge_waits_for_both_of_its_customers(app: Flask, hook: tuple[int, str]) -> None:
    def told(number: int, kind: str, before: list[int], after: list[int]) -> dict[str, object]:
        base = {"number": number, "kind": kind, "at": "1955-11-05T06:00:00Z"}
        return base | {"customer": after[0], "before": before, "after": after}

    with db.engine.begin() as connection:
        making.insert_(
            connection,
            hook[0],
            [
                told(1, "customer.created", [], [1]),
                told(2, "customer.created", [], [3]),
                told(3, "customer.merged", [1, 3], [1]),
                told(4, "customer.grown", [3], [3]),
            ],
        )

    def first() -> list[int]:
        return [each.number or 0 for each in sent() if each.next_at]

    def end(number: int) -> None:
        ended = [each.id for each in sent() if each.number == number]
        with db.engine.begin() as connection:
            change = update(Message).where(Message.id.in_(ended))
            connection.execute(change.values(state="delivered", next_at=None))
            turns.let_in(connection, hook[0], ended)

    assert first() == [1, 2]
    end(2)
    assert first() == [1]
    end(1)
    assert first() == [3]
    end(3)
    assert first() == [4]


def test_gone_disables_the_webhook(see: See, receiver: Receiver, hook: tuple[int, str]) -> None:
    receiver.answer = lambda _: (410, {})
    see("doc@hillvalley.edu")
    deliver()
    see("marty@hillvalley.edu")
    due()
    deliver()

    assert len(receiver.came) == 1
    assert "410" in (hooks()[0].disabled_why or "")
    with db.engine.connect() as connection:
        assert "webhook_disabled" in connection.scalars(select(Audit.what)).all()


def test_a_webhook_that_is_enabled_again_hears_of_what_happened_meanwhile(
    see: See, receiver: Receiver, hook: tuple[int, str]
) -> None:
    register.disable(hook[0])
    see("doc@hillvalley.edu")
    deliver()
    assert receiver.came == []

    register.enable(hook[0])
    deliver()

    assert len(receiver.verified(hook[1])) == 1


def test_what_is_kept_no_more_is_not_passed_over_in_silence(
    see: See, receiver: Receiver, hook: tuple[int, str]
) -> None:
    register.disable(hook[0])
    see("doc@hillvalley.edu")
    see("marty@hillvalley.edu")
    feed.publish()
    with database.transaction() as connection:
        line = connection.exec_driver_sql("SELECT event_id FROM change WHERE number = 1")
        feed.drop(connection, line.scalar_one())

    with pytest.raises(Conflict, match="up to 0, and those up to 1 are kept no more"):
        register.enable(hook[0])
    assert hooks()[0].disabled_at is not None
    register.enable(hook[0], from_now=True)
    see("lorraine@hillvalley.edu")
    deliver()

    assert [told["data"]["number"] for told in receiver.verified(hook[1])] == [3]


def test_or_it_does_not(see: See, receiver: Receiver, hook: tuple[int, str]) -> None:
    receiver.answer = lambda _: (500, {})
    see("doc@hillvalley.edu")
    deliver()
    register.disable(hook[0])
    see("marty@hillvalley.edu")

    register.enable(hook[0], from_now=True)
    receiver.came.clear()
    deliver()

    assert receiver.came == []
    assert [each.state for each in sent()] == [MessageState.FAILED]


def test_after_days_without_success_it_is_disabled(
    see: See, receiver: Receiver, hook: tuple[int, str]
) -> None:
    receiver.answer = lambda _: (500, {})
    now = datetime.now(UTC)
    change_hook(failing_since=now - timedelta(days=6), failed_at=now - timedelta(hours=20))
    see("doc@hillvalley.edu")

    deliver()

    assert hooks()[0].disabled_why == "Nothing could be delivered for five days."


def test_two_failures_with_quiet_days_between_them_are_not_days_of_failing(
    see: See, receiver: Receiver, hook: tuple[int, str]
) -> None:
    receiver.answer = lambda _: (500, {})
    now = datetime.now(UTC)
    change_hook(failing_since=now - timedelta(days=9), failed_at=now - timedelta(days=8))
    see("doc@hillvalley.edu")

    deliver()

    assert hooks()[0].disabled_at is None


@pytest.mark.parametrize(
    ("given", "seconds"),
    [
        ("120", 120),
        ("0", 5),
        ("-5", 5),
        ("soon", 5),
        ("9" * 5000, 86400),
        ("Wed, 21 Oct 1200 07:28:00 GMT", 5),
        ("Wed, 21 Oct 9200 07:28:00 GMT", 86400),
        ("Wed, 99 Foo 2015", 5),
    ],
)
def test_a_receiver_may_say_when_to_come_back(
    see: See, receiver: Receiver, hook: tuple[int, str], given: str, seconds: int
) -> None:
    receiver.answer = lambda _: (503, {"Retry-After": given})
    see("doc@hillvalley.edu")

    deliver()

    pause = ((sent()[0].next_at or datetime.now(UTC)) - datetime.now(UTC)).total_seconds()
    assert seconds - 4 < pause <= seconds * 1.1


def test_who_has_too_much_to_do_is_left_alone(
    see: See, receiver: Receiver, hook: tuple[int, str]
) -> None:
    receiver.answer = lambda _: (429, {"Retry-After": "60"})
    see("doc@hillvalley.edu")
    deliver()

    receiver.answer = lambda _: (200, {})
    see("marty@hillvalley.edu")
    deliver()

    assert len(receiver.came) == 1
    assert hooks()[0].rests_until is not None


def test_redirects_are_not_followed(see: See, hook: tuple[int, str], receiver: Receiver) -> None:
    with receiving() as other:
        receiver.answer = lambda _: (307, {"Location": other.address})
        see("doc@hillvalley.edu")

        deliver()

        assert other.came == []
        assert "not followed" in (sent()[0].deliveries[0].problem or "")


def test_who_is_there_again_after_a_while_is_sent_what_waits(
    see: See, receiver: Receiver, hook: tuple[int, str]
) -> None:
    now = datetime.now(UTC)
    receiver.answer = lambda _: (500, {})
    see("doc@hillvalley.edu")
    deliver()
    change(tries=6, next_at=now + timedelta(hours=10))
    change_hook(failing_since=now - timedelta(hours=12), failed_at=now)

    receiver.answer = lambda _: (200, {})
    see("marty@hillvalley.edu")
    deliver()

    assert {each.state for each in sent()} == {MessageState.DELIVERED}


def test_what_somebody_else_is_sending_is_left_alone_until_they_show_no_life(
    see: See, receiver: Receiver, hook: tuple[int, str]
) -> None:
    see("doc@hillvalley.edu")
    Deliverer(KEY, HERE)._publish()
    with db.engine.begin() as connection:
        (mine,) = claiming.claim(connection, lambda _: 8, "somebody")

    deliver()
    assert receiver.came == []

    change(leased_until=datetime.now(UTC) - timedelta(seconds=1))
    deliver()
    assert receiver.idents == [mine.ident]


def test_a_clock_that_ran_ahead_does_not_keep_messages_for_ever(
    see: See, receiver: Receiver, hook: tuple[int, str]
) -> None:
    see("doc@hillvalley.edu")
    Deliverer(KEY, HERE)._publish()
    change(next_at=datetime.now(UTC) + timedelta(days=4000))

    claiming.mend_clock()
    deliver()

    assert len(receiver.came) == 1


def test_a_test_is_sent_once_also_to_a_webhook_that_is_disabled(
    receiver: Receiver, hook: tuple[int, str]
) -> None:
    register.disable(hook[0])
    receiver.answer = lambda _: (404, {})

    outcome = attempting.send_now(listing.send_test(hook[0]), KEY, HERE)

    assert outcome is not None
    assert outcome.status == 404
    (told,) = receiver.verified(hook[1])
    assert told["type"] == "webhook.test"
    assert sent()[0].state == MessageState.FAILED


def test_a_single_message_is_left_alone_for_as_long_as_it_may_take(
    receiver: Receiver, hook: tuple[int, str]
) -> None:
    left: list[datetime | None] = []
    engine = db.engine

    def look(_: object) -> tuple[int, dict[str, str]]:
        with engine.connect() as connection:
            left.append(connection.scalar(select(Message.leased_until)))
        return 200, {}

    receiver.answer = look
    begun = datetime.now(UTC)

    attempting.send_now(listing.send_test(hook[0]), KEY, HERE)

    assert left[0] is not None
    assert left[0] > begun + timedelta(seconds=sending.LONGEST)


@pytest.mark.parametrize("stop", [register.disable, register.remove])
def test_no_message_is_made_for_a_webhook_that_was_stopped_meanwhile(
    see: See, hook: tuple[int, str], stop: Callable[[int], None]
) -> None:
    (listed,) = hooks()
    see("doc@hillvalley.edu")
    feed.publish()
    stop(hook[0])

    with database.transaction() as connection:
        made = making.make(connection, listed)

    assert made == 0
    assert sent() == []


def test_what_was_delivered_can_be_sent_again(
    see: See, receiver: Receiver, hook: tuple[int, str]
) -> None:
    see("doc@hillvalley.edu")
    deliver()

    listing.send_again(sent()[0].id)
    deliver()

    assert len(receiver.idents) == 2
    assert len(set(receiver.idents)) == 1
    assert len(sent()[0].deliveries) == 2


def test_what_waits_for_an_earlier_one_cannot_be_sent_before_it(
    see: See, receiver: Receiver, hook: tuple[int, str]
) -> None:
    receiver.answer = lambda _: (500, {})
    see("doc@hillvalley.edu")
    see("doc@hillvalley.edu", "5554385")
    deliver()

    with pytest.raises(Conflict, match="earlier message"):
        listing.send_again(sent()[1].id)


def test_a_removed_webhook_is_sent_nothing_and_keeps_no_secret(
    see: See, receiver: Receiver, hook: tuple[int, str]
) -> None:
    see("doc@hillvalley.edu")
    deliver()
    see("marty@hillvalley.edu")
    register.remove(hook[0])

    deliver()

    assert len(receiver.came) == 1
    assert hooks() == []
    with pytest.raises(NotFound):
        register.rotate(hook[0], KEY)
    with db.engine.connect() as connection:
        assert connection.execute(select(Webhook.secret, Webhook.old_secret)).one() == ("", None)
        assert len(connection.execute(select(Delivery)).all()) == 1


def test_what_is_under_way_when_its_webhook_is_removed_is_delivered_if_it_was(
    see: See, receiver: Receiver, hook: tuple[int, str]
) -> None:
    remove = database.elsewhere(lambda: register.remove(hook[0]))

    def answer(_: object) -> tuple[int, dict[str, str]]:
        remove()
        return 200, {}

    see("doc@hillvalley.edu")
    receiver.answer = answer

    deliver()

    (message,) = sent()
    assert (message.state, message.tries) == (MessageState.DELIVERED, 1)
    assert [each.status for each in message.deliveries] == [200]


def test_there_may_be_only_so_many(app: Flask) -> None:
    for _ in range(register.MOST):
        register.add("https://shop.example/changes", (), Rules(), KEY)

    with pytest.raises(Conflict, match="20 webhooks"):
        register.add("https://shop.example/changes", (), Rules(), KEY)


def test_there_are_only_so_many_kinds_of_changes(app: Flask) -> None:
    with pytest.raises(InvalidInput) as refused:
        register.add("https://shop.example/changes", ["customer.sold"], Rules(), KEY)

    assert "sold" in refused.value.fields["kinds"]
