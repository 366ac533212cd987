"""What whoever runs the service relies on: ready or not, counts, logs, reports of faults."""

import io
import json
import logging
import re
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest
import sentry_sdk
from flask.testing import FlaskClient
from sqlalchemy import text

from identity import ROOT, reconciliation
from identity.config import Config
from identity.database import db
from identity.web import reporting
from identity.web.log import Gathered, JsonLines
from tests.callers import KEY, OUTSIDE, bearing, from_outside
from tests.conftest import Make, app_on, close

MARTY = {"email": "mcfly@hillvalley.edu", "phoneNumber": "123456"}


def test_alive_and_ready(client: FlaskClient) -> None:
    assert client.get("/health").get_json() == {"status": "ok"}
    assert client.get("/ready").get_json() == {"status": "ok"}


@contextmanager
def migrated_to(revision: str) -> Iterator[None]:
    change = text("UPDATE alembic_version SET version_num = :revision")
    with db.engine.begin() as connection:
        now = connection.scalar(text("SELECT version_num FROM alembic_version"))
        connection.execute(change, {"revision": revision})
    try:
        yield
    finally:
        with db.engine.begin() as connection:
            connection.execute(change, {"revision": now})


def test_not_ready_before_the_tables_are_those_of_this_version(client: FlaskClient) -> None:
    with migrated_to("0001"):
        response = client.get("/ready")

    assert response.status_code == 503
    assert response.get_json()["error"] == (
        "The database does not have this version's tables yet. Run: flask db upgrade."
    )
    assert client.get("/health").status_code == 200


def test_still_ready_when_the_next_version_has_made_its_tables(client: FlaskClient) -> None:
    with migrated_to("9999"):
        assert client.get("/ready").status_code == 200


def count(client: FlaskClient, line: str) -> float:
    """Return a line of the counts; 0 when there is none."""
    for each in client.get("/metrics").text.splitlines():
        if each.startswith(f"{line} "):
            return float(each.rsplit(" ", 1)[1])
    return 0


@pytest.mark.parametrize(
    "line",
    [
        'identity_requests_total{method="POST",route="/identify",status="200"}',
        'identity_request_seconds_count{route="/identify"}',
        'identity_decisions_total{kind="contact_created"}',
        "identity_customer_contacts_count",
    ],
)
def test_a_call_is_counted(client: FlaskClient, line: str) -> None:
    before = count(client, line)

    client.post("/identify", json=MARTY)

    assert count(client, line) == before + 1


def test_connections_in_use_come_back(client: FlaskClient) -> None:
    client.post("/identify", json=MARTY)

    assert count(client, 'identity_pool_connections{pool="reading"}') == 0
    assert count(client, 'identity_pool_connections{pool="deciding"}') == 0
    assert count(client, 'identity_pool_size{pool="reading"}') == 4


def test_the_guide_explains_every_count_and_no_other(client: FlaskClient) -> None:
    guide = (ROOT / "docs" / "operations.md").read_text()
    told = client.get("/metrics").text

    # When each count began is told too, though not by several workers.
    counted = set(re.findall(r"^# HELP (identity_\w+)(?<!_created) ", told, re.MULTILINE))
    explained = set(re.findall(r"^\| `(identity_\w+)[`{]", guide, re.MULTILINE))
    used = set(re.findall(r"identity_[a-z]+(?:_[a-z]+)+", guide))
    assert explained == counted
    assert {name.removesuffix("_bucket") for name in used} == counted


def test_counts_name_nobody(client: FlaskClient) -> None:
    client.post("/identify", json=MARTY)
    client.get("/lookup?email=mcfly@hillvalley.edu")
    client.get("/nowhere/mcfly@hillvalley.edu")

    told = client.get("/metrics").text

    assert "mcfly" not in told
    assert "nowhere" not in told


def test_invented_methods_are_counted_as_one(client: FlaskClient) -> None:
    for n in range(3):
        client.open("/identify", method=f"+1775555015{n}")

    told = client.get("/metrics").text

    assert "1775555015" not in told
    assert 'method="other",route="none",status="405"' in told


def test_the_log_goes_on_when_many_write_it_and_nobody_reads(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def vanished(_: str) -> None:
        raise BrokenPipeError

    monkeypatch.setattr(Gathered, "SECONDS", 0)
    monkeypatch.setattr(sys.stderr, "write", vanished)
    log = logging.Logger("busy")
    log.addHandler(Gathered())

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda n: log.warning("%s", n), range(20_000)))


def test_an_address_may_be_let_in_to_the_counts_and_nothing_else(make: Make) -> None:
    client = from_outside(make(IDENTITY_API_KEY=KEY, METRICS_FROM=OUTSIDE["REMOTE_ADDR"]))

    assert client.get("/metrics").status_code == 200
    assert client.get("/lookup").status_code == 401


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """What is written where nobody looks at a terminal."""
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    handler.setFormatter(JsonLines())
    logging.getLogger("identity").addHandler(handler)
    yield written
    logging.getLogger("identity").removeHandler(handler)


def test_a_request_is_one_line_of_json_that_names_nobody(
    make: Make,
    log: io.StringIO,
) -> None:
    client = from_outside(make(IDENTITY_API_KEY=KEY))
    response = client.post("/identify", json=MARTY, headers=bearing(KEY))

    (line,) = log.getvalue().splitlines()
    told = json.loads(line)

    assert told.pop("time")
    assert told.pop("ms") >= 0
    assert told.pop("request_id") == response.headers["X-Request-Id"]
    assert told == {
        "level": "info",
        "method": "POST",
        "route": "/identify",
        "status": 200,
        "source": "environment",
        "decision": "contact_created",
    }


def test_what_machines_ask_all_day_is_no_line(client: FlaskClient, log: io.StringIO) -> None:
    client.get("/health")
    client.get("/ready")

    assert log.getvalue() == ""


def test_a_fault_is_reported_without_whom_it_was_about(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[str] = []

    class Caught(sentry_sdk.Transport):
        def capture_envelope(self, envelope: sentry_sdk.envelope.Envelope) -> None:
            sent.append(envelope.serialize().decode())

    def fail(*_: object, **__: object) -> None:
        email = MARTY["email"]
        raise KeyError(email)

    app = app_on(database_url)
    app.testing = False
    reporting.begin("https://key@sentry.example/1", transport=Caught())
    monkeypatch.setattr(reconciliation, "identify", fail)
    try:
        response = app.test_client().post("/identify", json=MARTY)
        sentry_sdk.flush()
    finally:
        sentry_sdk.init()
        close(app)

    assert len(sent) == 1
    assert response.get_json()["request_id"] in sent[0]
    assert "KeyError" in sent[0]
    assert not [secret for secret in MARTY.values() if secret in sent[0]]


def test_sentry_is_off_unless_it_is_named() -> None:
    assert Config.from_environment({}).sentry_dsn is None
