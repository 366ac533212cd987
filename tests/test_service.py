"""The service as it is run: failing databases, killed workers, garbage on the wire."""

import os
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from functools import cache
from pathlib import Path

import psycopg
import pytest
import urllib3
from flask import Flask
from sqlalchemy import text

from identity import ROOT
from identity.database import db
from identity.identifiers import Identifiers
from identity.reconciliation import identify
from identity.verification import verify
from tests import postgres
from tests.conftest import NO_POWER_CUT, app_on, close, migrate
from tests.postgres import Postgres
from tests.serving import Server, children, eventually, serving

pytestmark = pytest.mark.slow


def test_a_database_that_stops_is_a_503_and_its_return_is_enough(
    own_postgres: Postgres, tmp_path: Path
) -> None:
    with serving(own_postgres.url(), tmp_path, WEB_CONCURRENCY=2) as server:
        before = server.identify("doc@hillvalley.edu", "5554385")
        with ThreadPoolExecutor(8) as callers:
            # Fill both workers' pools, so that there are dead connections to recover from.
            list(callers.map(lambda n: server.identify(f"{n}@town.example"), range(64)))

        own_postgres.stop()
        down = [server.identify("doc@hillvalley.edu", "5554385") for _ in range(4)]
        ready, alive = server.ask("GET", "/ready"), server.ask("GET", "/health")
        own_postgres.start()

        assert {status for status, _, _ in down} == {503}
        assert all(headers["Retry-After"] == "1" for _, _, headers in down)
        assert all(told["error"].endswith("Try again.") for _, told, _ in down)
        assert ready[0] == 503
        assert alive[0] == 200
        with ThreadPoolExecutor(8) as callers:
            after = list(
                callers.map(lambda _: server.identify("doc@hillvalley.edu", "5554385"), range(32))
            )
        assert {status for status, _, _ in after} == {200}
        assert after[0][1] == before[1]
        assert server.ask("GET", "/ready")[0] == 200
        assert "hillvalley" not in server.log.read_text()


def test_a_crash_of_the_database_under_load_loses_no_answered_call(
    own_postgres: Postgres, tmp_path: Path
) -> None:
    with serving(own_postgres.url(), tmp_path) as server:
        answered = under_load(server, lambda: restart(own_postgres, signal.SIGQUIT))
    app = app_on(own_postgres.url())
    with app.app_context():
        assert_known(app, answered)
        close(app)


def restart(server: Postgres, how: signal.Signals) -> None:
    server.stop(how)
    time.sleep(0.3)
    server.start()


def test_a_locked_sqlite_file_is_waited_for_and_then_a_503(
    migrated_sqlite: Path, tmp_path: Path
) -> None:
    path = tmp_path / "identity.sqlite3"
    path.write_bytes(migrated_sqlite.read_bytes())
    with serving(f"sqlite:///{path}", tmp_path) as server:
        server.identify("doc@hillvalley.edu")
        writer = sqlite3.connect(path, isolation_level=None)
        writer.execute("BEGIN IMMEDIATE")
        with ThreadPoolExecutor(1) as caller:
            waiting = caller.submit(server.identify, "marty@hillvalley.edu")
            time.sleep(1)
            assert not waiting.done(), "it waits"
            assert server.identify("doc@hillvalley.edu")[0] == 200, "reading goes on"
            status, told, headers = waiting.result()
        assert (status, headers["Retry-After"]) == (503, "1")
        assert told["error"].endswith("Try again.")

        with ThreadPoolExecutor(1) as caller:
            waiting = caller.submit(server.identify, "marty@hillvalley.edu")
            time.sleep(0.5)
            writer.execute("ROLLBACK")
            assert waiting.result()[0] == 200
        writer.close()


def under_load(
    server: Server, disturb: Callable[[], None], broken: list[str] | None = None
) -> list[tuple[str, str]]:
    """Disturb the service while eight callers use it; return the calls that were answered.

    Those whose connection broke are added to `broken`.
    """
    answered: list[tuple[str, str]] = []
    stop = threading.Event()

    def call(caller: int) -> None:
        for number in range(100_000):
            if stop.is_set():
                return
            given = f"{caller}-{number}@load.example", f"{caller}{number:06}"
            try:
                status, _, _ = server.identify(*given)
            except urllib3.exceptions.HTTPError as error:
                # The connection broke: nobody promised this caller anything.
                if broken is not None:
                    broken.append(repr(error))
                continue
            assert status in (200, 503)
            if status == 200:
                answered.append(given)

    with ThreadPoolExecutor(8) as callers:
        calls = [callers.submit(call, number) for number in range(8)]
        try:
            time.sleep(1)
            before = len(answered)
            disturb()
            eventually(lambda: len(answered) > before + 50, seconds=30)
        finally:
            stop.set()
        for done in calls:
            done.result()
    return answered


def assert_known(app: Flask, answered: list[tuple[str, str]]) -> None:
    report = verify()
    assert report.problems == []
    assert report.contacts >= len(answered) > 50
    with db.engine.connect() as connection:
        customers = {row.value: row.primary_id for row in connection.execute(text(CUSTOMERS))}
    assert [call for call in answered if customers.get(call[0]) is None] == []
    assert [call for call in answered if customers.get(call[0]) != customers.get(call[1])] == []
    email, phone = answered[-1]
    given = {"email": email, "phoneNumber": phone}
    found = app.test_client().get("/lookup", query_string=given)
    assert found.status_code == 200
    assert found.get_json()["wouldMergeWith"] is None


CUSTOMERS = """
SELECT identifier.value, coalesce(contact.linked_id, contact.id) AS primary_id
FROM identifier JOIN contact ON contact.id = identifier.contact_id
"""


def test_a_killed_worker_loses_no_answered_call(
    app: Flask, database_url: str, tmp_path: Path
) -> None:
    with serving(database_url, tmp_path, WEB_CONCURRENCY=2) as server:
        answered = under_load(server, lambda: os.kill(server.doors()[0], signal.SIGKILL))
        eventually(lambda: len(server.doors()) == 2)

    assert_known(app, answered)


def counted(server: Server, line: str) -> int:
    with urllib3.PoolManager(retries=False) as http:
        told = http.request("GET", f"{server.url}/metrics").data.decode()
    (value,) = re.findall(rf"^{re.escape(line)} (\S+)$", told, re.MULTILINE)
    return int(float(value))


def test_workers_count_together_and_their_counts_outlive_them(
    app: Flask, database_url: str, tmp_path: Path
) -> None:
    line = 'identity_requests_total{method="POST",route="/identify",status="200"}'
    with serving(database_url, tmp_path, WEB_CONCURRENCY=2) as server:
        with ThreadPoolExecutor(8) as callers:
            list(callers.map(lambda n: server.identify(f"{n}@town.example"), range(100)))
        before = counted(server, line)
        os.kill(server.doors()[0], signal.SIGKILL)
        eventually(lambda: len(server.doors()) == 2)
        after = counted(server, line)
        folder = next(Path(tempfile.gettempdir()).glob(f"identity-serving-{server.process.pid}-*"))

    assert (before, after) == (100, 100)
    assert not folder.exists()


def test_a_request_under_way_is_answered_before_the_end(
    app: Flask, database_url: str, tmp_path: Path
) -> None:
    with serving(database_url, tmp_path, WEB_CONCURRENCY=1) as server:
        body = b'{"email": "doc@hillvalley.edu"}'
        port = urllib3.util.parse_url(server.url).port or 0
        with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
            connection.sendall(
                b"POST /identify HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                b"Content-Length: %d\r\n\r\n%s" % (len(body), body[:10])
            )
            time.sleep(0.5)
            server.process.terminate()
            time.sleep(0.5)
            connection.sendall(body[10:])
            answer = connection.recv(65536)
        assert server.process.wait(timeout=30) == 0

    assert answer.startswith(b"HTTP/1.1 200")


def test_a_new_version_takes_over_without_losing_a_request(
    app: Flask, database_url: str, tmp_path: Path
) -> None:
    with serving(database_url, tmp_path, WEB_CONCURRENCY=2) as server:
        broken: list[str] = []

        def take_over() -> None:
            before = set(server.workers())
            server.process.send_signal(signal.SIGUSR2)
            eventually(lambda: len(server.workers()) == 4, 30)
            (successor,) = set(server.workers()) - before
            eventually(lambda: len(children(successor)) == 3, 30)
            time.sleep(1)
            server.process.terminate()
            server.process.wait(timeout=30)
            server.successor = successor

        try:
            answered = under_load(server, take_over, broken)
        finally:
            if server.successor:
                os.kill(server.successor, signal.SIGTERM)

    assert broken == []
    assert_known(app, answered)


HOSTILE = {
    "default_transaction_isolation": "'repeatable read'",
    "datestyle": "'SQL, DMY'",
    "timezone": "'Asia/Kathmandu'",
    "client_encoding": "'latin1'",
}


REFUSAL = """
CREATE SEQUENCE refusals;
CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF nextval('refusals') <= 3 THEN
        RAISE EXCEPTION 'could not serialize access' USING ERRCODE = '40001';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER refuse BEFORE INSERT ON contact FOR EACH ROW EXECUTE FUNCTION refuse();
"""


def test_a_decision_that_the_server_refuses_to_serialise_is_made_again(
    own_postgres: Postgres, tmp_path: Path
) -> None:
    with psycopg.connect(own_postgres.url(), autocommit=True) as connection:
        connection.execute(REFUSAL)

    with serving(own_postgres.url(), tmp_path, WEB_CONCURRENCY=1) as server:
        status, told, _ = server.identify("doc@hillvalley.edu", "5554385")
        retries = counted(server, "identity_retries_total")

    assert status == 200
    assert told["contact"]["secondaryContactIds"] == []
    assert retries == 3


def test_settings_of_the_database_cannot_spoil_a_merge(postgres_server: Postgres) -> None:
    with psycopg.connect(postgres_server.url(), autocommit=True) as connection:
        connection.execute("CREATE DATABASE hostile")
        for name, value in HOSTILE.items():
            connection.execute(f"ALTER DATABASE hostile SET {name} = {value}")
    url = postgres_server.url("hostile")
    migrate(url)
    app = app_on(url)

    def call(email: str, phone: str) -> list[int]:
        with app.app_context():
            return identify(Identifiers.parse(email, phone), source="test").cluster.secondary_ids

    call("marty@hillvalley.edu", "1")
    call("döc@hillvalley.edu", "2")
    with app.app_context(), psycopg.connect(url) as other, ThreadPoolExecutor(1) as caller:
        # Somebody holds Doc. Our caller has read him and waits; meanwhile he gets a contact more.
        other.execute("SELECT id FROM contact WHERE id = 2 FOR UPDATE")
        waiting = caller.submit(call, "marty@hillvalley.edu", "2")
        time.sleep(0.5)
        other.execute(
            "INSERT INTO contact (id, email, phone_number, linked_id, link_precedence, created_at,"
            " updated_at) VALUES (3, 'einstein@hillvalley.edu', '2', 2, 'secondary', now(), now())"
        )
        other.execute("INSERT INTO identifier VALUES ('email', 'einstein@hillvalley.edu', 3)")
        other.execute(
            "INSERT INTO claim (id, email, phone_number, source, told_at, dated_at, contact_id,"
            " brought) VALUES (nextval(pg_get_serial_sequence('event', 'id')),"
            " 'einstein@hillvalley.edu', '2', 'x', now(), now(), 3, 'email')"
        )
        other.commit()
        assert waiting.result() == [2, 3]
        assert verify().problems == []
        close(app)


def test_a_replica_answers_whatever_changes_nothing(own_postgres: Postgres, tmp_path: Path) -> None:
    replica = own_postgres.replica()
    (tmp_path / "reader").mkdir()
    try:
        with (
            serving(own_postgres.url(), tmp_path) as writer,
            serving(replica.url(), tmp_path / "reader") as reader,
        ):
            answer = writer.identify("doc@hillvalley.edu", "5554385")[1]
            deadline = time.monotonic() + 10
            while reader.ask("GET", "/clusters/1.json")[0] != 200:
                assert time.monotonic() < deadline
                time.sleep(0.05)

            assert reader.ask("GET", "/ready")[0] == 200
            for path in ("/lookup?email=doc@hillvalley.edu", "/clusters/1/graph.json"):
                assert reader.ask("GET", path)[:2] == writer.ask("GET", path)[:2]
            assert reader.identify("doc@hillvalley.edu", "5554385")[1] == answer
            assert reader.identify("marty@hillvalley.edu")[0] == 503
            assert writer.identify("marty@hillvalley.edu")[0] == 200
    finally:
        replica.stop()


def test_a_database_that_refuses_writes_is_a_503(own_postgres: Postgres, tmp_path: Path) -> None:
    with serving(own_postgres.url(), tmp_path) as server:
        server.identify("doc@hillvalley.edu")
        with psycopg.connect(own_postgres.url(), autocommit=True) as connection:
            connection.execute("ALTER DATABASE postgres SET default_transaction_read_only = on")
        # Pooled connections have the old setting still.
        own_postgres.stop()
        own_postgres.start()

        assert server.identify("marty@hillvalley.edu")[0] == 503
        assert server.identify("doc@hillvalley.edu")[0] == 200
        assert "ReadOnlySqlTransaction" in server.log.read_text()


def test_a_database_that_is_not_migrated_says_so(tmp_path: Path, backend: str) -> None:
    with ExitStack() as stack:
        url = f"sqlite:///{tmp_path}/empty.sqlite3"
        if backend == "postgresql":
            url = stack.enter_context(postgres.running(*NO_POWER_CUT)).url()
        server = stack.enter_context(serving(url, tmp_path))

        status, told, _ = server.identify("doc@hillvalley.edu")

    assert status == 503
    assert told["error"] == "The database is not migrated. Run: flask db upgrade."


Serve = Callable[[str], tuple[Server, str]]


@pytest.fixture(scope="module")
def serve(
    postgres_server: Postgres,
    template: str,
    migrated_sqlite: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Serve]:
    """Serve a database of either kind, and tell its address: begun once, for what does no harm."""
    with ExitStack() as stack:

        @cache
        def serve(backend: str) -> tuple[Server, str]:
            folder = tmp_path_factory.mktemp(backend)
            url = f"sqlite:///{shutil.copy(migrated_sqlite, folder / 'identity.sqlite3')}"
            if backend == "postgresql":
                url = postgres_server.url("served")
                with psycopg.connect(postgres_server.url(), autocommit=True) as connection:
                    connection.execute(f"CREATE DATABASE served TEMPLATE {template}")
            return stack.enter_context(serving(url, folder, WEB_CONCURRENCY=1)), url

        yield serve


@pytest.fixture
def server(serve: Serve, backend: str) -> Server:
    return serve(backend)[0]


def on_the_wire(server: Server, request: bytes) -> bytes:
    port = urllib3.util.parse_url(server.url).port
    with socket.create_connection(("127.0.0.1", port or 0), timeout=10) as connection:
        # It may be refused before it is all sent.
        with suppress(BrokenPipeError, ConnectionResetError):
            connection.sendall(request)
        answer = b""
        while part := connection.recv(65536):
            answer += part
        return answer


def test_a_large_body_is_refused_on_the_wire_and_the_service_goes_on(server: Server) -> None:
    body = b'{"email": "' + b"d" * 5_000_000 + b'"}'
    head = b"POST /identify HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"

    sized = on_the_wire(server, head + b"Content-Length: %d\r\n\r\n" % len(body) + body)
    chunked = on_the_wire(
        server,
        head + b"Transfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n" % (len(body), body),
    )

    assert sized.startswith(b"HTTP/1.1 413")
    assert chunked.startswith(b"HTTP/1.1 413")
    assert server.identify("doc@hillvalley.edu")[0] == 200


@pytest.mark.parametrize(
    ("program", "code"), [(["gunicorn"], 1), (["flask", "identity", "verify"], 2)]
)
def test_a_wrong_setting_is_one_sentence(program: list[str], code: int) -> None:
    done = subprocess.run(
        [str(Path(sys.executable).parent / program[0]), *program[1:]],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "RATE_LIMIT_KEY": "many"},
        capture_output=True,
        text=True,
    )

    assert done.returncode == code
    assert done.stderr == "RATE_LIMIT_KEY must look like 6000/minute.\n"


@pytest.mark.parametrize("chunk", [b"zz\r\n", b"1\r\n{??", b"1\r\n{\r\n0\r\nno trailer\r\n\r\n"])
def test_a_body_that_is_badly_framed_is_refused(server: Server, chunk: bytes) -> None:
    head = b"POST /identify HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"

    answer = on_the_wire(server, head + b"Transfer-Encoding: chunked\r\n\r\n" + chunk)

    assert answer.startswith(b"HTTP/1.1 400")
    assert b"The body cannot be read." in answer


def test_callers_that_vanish_half_way_hold_nobody_up_for_long(server: Server) -> None:
    with ExitStack() as stack:
        port = urllib3.util.parse_url(server.url).port or 0
        for _ in range(4):
            caller = stack.enter_context(socket.create_connection(("127.0.0.1", port)))
            caller.sendall(b"POST /identify HTTP/1.1\r\nHost: localhost\r\nX-Half: ")

        assert server.identify("doc@hillvalley.edu")[0] == 200


def test_headers_do_not_say_which_path_was_asked_for(server: Server) -> None:
    head = (
        b"GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nScript_Name: /x\r\n\r\n"
    )

    assert on_the_wire(server, head).startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize(
    "request_line",
    [
        b"GET /lookup?email=doc@hillvalley.edu and marty HTTP/1.1\r\n\r\n",
        b"GET /lookup?email=doc@hillvalley.edu HTTP/9\r\n\r\n",
        b"G\xc3T /lookup?email=doc@hillvalley.edu HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\ndoc@hillvalley.edu\r\n\r\n",
        b"GET /lookup?email=doc@hillvalley.edu" + b"u" * 9000 + b" HTTP/1.1\r\n\r\n",
    ],
    ids=["line", "version", "method", "header", "length"],
)
def test_garbage_is_refused_and_not_repeated_in_the_log(
    server: Server, request_line: bytes
) -> None:
    before = len(server.told(0))

    assert on_the_wire(server, request_line).startswith(b"HTTP/1.1 4")

    assert server.identify("doc@hillvalley.edu")[0] == 200
    assert len(server.told(before + 1)) > before
    assert "hillvalley" not in server.log.read_text()


def test_the_log_of_a_busy_day_names_nobody(app: Flask, database_url: str, tmp_path: Path) -> None:
    with serving(database_url, tmp_path, WEB_CONCURRENCY=1) as server:
        server.identify("doc@hillvalley.edu", "5554385")
        server.ask("GET", "/lookup?email=doc@hillvalley.edu&phoneNumber=5554385")
        server.ask("GET", "/lookup?email=doc")
        server.ask("GET", "/nowhere/doc@hillvalley.edu")
        told = server.told(4)

    log = server.log.read_text()
    assert "hillvalley" not in log
    assert "5554385" not in log
    assert [each["status"] for each in told] == [200, 200, 400, 404]
    assert [each["decision"] for each in told] == ["contact_created", None, None, None]


def test_a_stuck_transaction_holds_its_own_customer_for_a_while_and_nobody_else(
    serve: Serve,
) -> None:
    server, url = serve("postgresql")
    _, told, _ = server.identify("stuck@hillvalley.edu", "5550001")
    primary = told["contact"]["primaryContactId"]
    with psycopg.connect(url) as stuck:
        stuck.execute("SELECT id FROM contact WHERE id = %s FOR UPDATE", [primary])
        with ThreadPoolExecutor(1) as caller:
            waiting = caller.submit(server.identify, "new@hillvalley.edu", "5550001")
            assert server.identify("else@hillvalley.edu")[0] == 200
            assert waiting.result()[0] == 503
    assert server.identify("new@hillvalley.edu", "5550001")[0] == 200
