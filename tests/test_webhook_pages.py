"""Webhooks in a browser: made, tested, rotated, disabled and removed, by administrators."""

import re
from collections.abc import Iterator

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from identity import database
from identity.access import Role
from identity.models import MessageState
from identity.webhooks import listing, register, standing
from identity.webhooks.addresses import Rules
from identity.webhooks.delivering import Deliverer
from tests.callers import person
from tests.conftest import See
from tests.pages import PAGES, field, text
from tests.receiving import Receiver, receiving

KEY, HERE = "hello, McFly", Rules(insecure=True)
URL = "https://shop.example/changes"


@pytest.fixture
def doc(app: Flask) -> FlaskClient:
    """The browser of an administrator."""
    return person(app, "Doc", Role.ADMINISTRATOR)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver


def send(client: FlaskClient, address: str, **given: str) -> TestResponse:
    given["csrf_token"] = field(client.get("/webhooks"), "csrf_token")
    return client.post(address, data=given, headers=PAGES, follow_redirects=True)


def secret_on(page: TestResponse) -> str:
    (found,) = re.findall(r"<code>(whsec_[^<]+)</code>", page.text)
    return str(found)


def hooks() -> list[standing.Hook]:
    return database.read(standing.listed)


def test_a_webhook_is_made_and_its_secret_is_shown_once(doc: FlaskClient) -> None:
    made = send(doc, "/webhooks", url=URL, kinds="merged")

    assert secret_on(made)
    (hook,) = hooks()
    assert (hook.url, hook.kinds, hook.created_by) == (URL, frozenset({"customer.merged"}), "Doc")
    assert "whsec_" not in doc.get(f"/webhooks/{hook.id}").text
    assert "whsec_" not in doc.get("/webhooks").text
    assert "Doc Added a webhook webhook 1" in text(doc.get("/audit", headers=PAGES))


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("", "1 to 2000 characters"),
        ("http://shop.example/", "begin with https://"),
        ("https://10.0.0.1/", "internal network"),
        ("https://user:word@shop.example/", "no user and no password"),
    ],
)
def test_an_address_that_cannot_be_one_is_told_beside_its_field(
    doc: FlaskClient, url: str, sentence: str
) -> None:
    page = send(doc, "/webhooks", url=url)

    assert page.status_code == 400
    assert sentence in page.text
    assert 'aria-invalid="true"' in page.text
    assert hooks() == []


def test_what_a_webhook_was_sent_is_shown_with_each_try_and_sent_again(
    app: Flask, see: See, doc: FlaskClient, receiver: Receiver
) -> None:
    made, _ = register.add(receiver.address, (), HERE, KEY)
    receiver.answer = lambda _: (500, {})
    see("doc@hillvalley.edu")
    Deliverer(KEY, HERE).once()

    page = doc.get(f"/webhooks/{made}", headers=PAGES)
    assert "customer.created" in page.text
    assert "1 try: The receiver answered 500." in text(page)
    assert "hillvalley" not in page.text
    assert "Fails, since" in text(page)

    (sent,), _ = database.read(lambda c: listing.page(c, made, None, None))
    receiver.answer = lambda _: (200, {})
    again = send(doc, f"/messages/{sent.id}/again")
    assert f"Message {sent.id} is on its way again." in again.text
    Deliverer(KEY, HERE).once()
    assert "The receiver answered 200." in doc.get(f"/webhooks/{made}?state=delivered").text
    assert "no such message" in doc.get(f"/webhooks/{made}?state=failed").text


def test_a_test_is_sent_by_the_process_that_delivers(doc: FlaskClient, receiver: Receiver) -> None:
    made, secret = register.add(receiver.address, (), HERE, KEY)

    assert "on its way" in send(doc, f"/webhooks/{made}/test").text
    Deliverer(KEY, HERE).once()

    assert [told["type"] for told in receiver.verified(secret)] == ["webhook.test"]


def test_a_webhook_is_disabled_enabled_rotated_and_removed(doc: FlaskClient, see: See) -> None:
    made, secret = register.add(URL, (), Rules(), KEY)

    assert "By Doc." in send(doc, f"/webhooks/{made}/disabling").text
    assert "is disabled already" in send(doc, f"/webhooks/{made}/disabling").text
    assert "sent messages again" in send(doc, f"/webhooks/{made}/enabling", from_now="1").text
    assert secret_on(send(doc, f"/webhooks/{made}/rotation")) != secret
    assert "good for nothing" in send(doc, f"/webhooks/{made}/rotation", at_once="1").text
    assert "is removed" in send(doc, f"/webhooks/{made}/removal").text

    assert doc.get(f"/webhooks/{made}").status_code == 404
    trail = text(doc.get("/audit", headers=PAGES))
    for told in ("Disabled a webhook", "Enabled a webhook", "another secret", "Removed a webhook"):
        assert told in trail


def test_a_form_that_was_open_for_too_long_leads_back(doc: FlaskClient) -> None:
    made, _ = register.add(URL, (), Rules(), KEY)

    page = doc.post(f"/webhooks/{made}/removal", headers=PAGES, follow_redirects=True)

    assert page.request.path == "/webhooks"
    assert "open for too long" in page.text
    assert len(hooks()) == 1


@pytest.mark.parametrize("address", ["/webhooks/7", "/webhooks/99999999999999999999"])
def test_a_webhook_that_is_not_there_is_not_found(doc: FlaskClient, address: str) -> None:
    assert doc.get(address).status_code == 404
    assert send(doc, f"{address}/test").status_code == 404
    assert send(doc, "/messages/7/again").status_code == 404


def test_there_may_be_more_messages_than_a_page_holds(
    app: Flask, doc: FlaskClient, receiver: Receiver
) -> None:
    made, _ = register.add(receiver.address, (), HERE, KEY)
    for _ in range(listing.SHOWN + 1):
        listing.send_test(made)

    page = doc.get(f"/webhooks/{made}?state={MessageState.WAITING}", headers=PAGES)

    assert "Older" in page.text
    assert "before=2" in page.text
    assert "nothing older" in doc.get(f"/webhooks/{made}?before=1").text
