"""Doors and the office: nobody holds up anybody else, and whoever dies is replaced."""

import os
import re
import shutil
import signal
import socket
import sqlite3
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
import urllib3

from identity.web.pages.import_pages import LARGEST_FILE
from tests.serving import Server, children, eventually, serving

pytestmark = pytest.mark.slow

A_PAGE = {"Accept": "text/html"}
HEAD = b"POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"


@pytest.fixture(scope="module")
def server(migrated_sqlite: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("serving")
    url = f"sqlite:///{shutil.copy(migrated_sqlite, folder / 'identity.sqlite3')}"
    with serving(url, folder, WEB_CONCURRENCY=2, WEB_THREADS=2) as server:
        yield server


def connected(server: Server) -> socket.socket:
    port = urllib3.util.parse_url(server.url).port or 0
    return socket.create_connection(("127.0.0.1", port), timeout=10)


def page(server: Server, path: str = "/", **headers: str) -> urllib3.BaseHTTPResponse:
    with urllib3.PoolManager(retries=False, timeout=10) as http:
        return http.request("GET", server.url + path, headers=A_PAGE | headers)


@contextmanager
def held_up(server: Server, count: int, path: bytes) -> Iterator[list[socket.socket]]:
    """Give connections whose requests never end: some say nothing, some stop in the middle."""
    with ExitStack() as stack:
        held = [stack.enter_context(connected(server)) for _ in range(count)]
        for connection in held[::2]:
            connection.sendall(HEAD % path + b"Content-Length: 100\r\n\r\n{")
        for connection in held[::4]:
            connection.sendall(b" ")
        yield held


def test_a_thousand_clients_that_drip_hold_up_nobody(server: Server) -> None:
    with held_up(server, 700, b"/identify") as calls, held_up(server, 300, b"/import"):
        assert server.identify("doc@hillvalley.edu", "5554385")[0] == 200
        for connection in calls[::2]:
            connection.sendall(b" ")
        assert [server.identify(f"{n}@town.example")[0] for n in range(20)] == [200] * 20
        assert [page(server).status for _ in range(5)] == [200] * 5


def test_what_the_office_answers_is_as_if_it_had_been_asked_itself(server: Server) -> None:
    server.identify("einstein@hillvalley.edu", "1")

    shown = page(server, "/?q=einstein%20%C3%A9")
    assert shown.status == 200
    assert shown.headers["Content-Length"] == str(len(shown.data))
    assert len(shown.headers.getlist("Date")) == len(shown.headers.getlist("Server")) == 1
    with urllib3.PoolManager(retries=False) as http:
        assert http.request("HEAD", f"{server.url}/").data == b""
        refused = http.request("POST", f"{server.url}/rulings", body=b"not json")
        large = http.request("POST", f"{server.url}/rulings/plan", json="x" * 300_000)
        largest = http.request("POST", f"{server.url}/import", body=b"x" * 9_000_000)
    assert refused.status == 415
    assert large.status == largest.status == 413


def test_whoever_sends_too_much_slowly_hears_of_it(server: Server) -> None:
    head = b"POST /import HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9000000\r\n\r\n"
    with connected(server) as connection:
        connection.sendall(head)
        for _ in range(9):
            connection.sendall(b"x" * 1_000_000)
            # Longer than it takes to say that it is too much.
            time.sleep(0.3)

        assert connection.recv(65_536).startswith(b"HTTP/1.1 413")


def test_a_file_as_large_as_the_page_says_passes_the_doors_and_is_planned_in_the_office(
    server: Server,
) -> None:
    row = b"doc@hillvalley.edu," + b"x" * 65_516 + b"\n"
    content = (b"email,note\n" + row * (LARGEST_FILE // len(row) + 1))[:LARGEST_FILE]
    with urllib3.PoolManager(retries=False, timeout=30) as http:
        form = http.request("GET", f"{server.url}/import", headers=A_PAGE)
        headers = A_PAGE | {"Cookie": form.headers["Set-Cookie"].partition(";")[0]}
        (token,) = set(re.findall(r'name="csrf_token"[^>]*? value="([^"]+)"', form.data.decode()))

        def upload(content: bytes) -> urllib3.BaseHTTPResponse:
            fields = {"csrf_token": token, "file": ("shop.csv", content)}
            address = f"{server.url}/import"
            return http.request("POST", address, fields=fields, headers=headers, redirect=False)

        def planned() -> bool:
            return b"New customers" in page(server, taken.headers["Location"]).data

        taken, refused = upload(content), upload(content + b"x")
        assert taken.status == 303
        eventually(planned, seconds=30)
    assert refused.status == 413
    assert b"A file for this page has at most 8 MB." in refused.data


def test_a_body_that_is_badly_framed_is_refused_before_the_office_hears_of_it(
    server: Server,
) -> None:
    with connected(server) as connection:
        connection.sendall(HEAD % b"/rulings/plan" + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n")
        answer = connection.makefile("rb").read()
    assert answer.startswith(b"HTTP/1.1 400")
    assert b"The body cannot be read." in answer


def test_nobody_tells_the_office_that_they_come_from_here(server: Server) -> None:
    def status(**headers: str) -> int:
        return page(
            server, **{name.replace("_", "-"): said for name, said in headers.items()}
        ).status

    here = '{"REMOTE_ADDR": "127.0.0.1"}'
    assert status() == 200
    assert status(X_Forwarded_For="192.0.2.1") == 403
    assert status(X_Forwarded_For="192.0.2.1", Identity_Came_By=here) == 403
    assert status(Identity_Came_By='{"REMOTE_ADDR": "192.0.2.1"}') == 200


def test_calls_are_answered_while_the_office_is_frozen_or_dead(server: Server) -> None:
    office = server.office()
    assert office
    os.kill(office, signal.SIGSTOP)
    assert server.identify("doc@hillvalley.edu")[0] == 200
    assert server.ask("GET", "/ready")[0] == server.ask("GET", "/health")[0] == 200
    os.kill(office, signal.SIGKILL)
    assert server.identify("doc@hillvalley.edu")[0] == 200
    # Asked before the next one is there, it waits.
    assert page(server).status == 200
    assert server.office() != office


def test_whoever_is_in_the_middle_when_the_office_dies_is_told(server: Server) -> None:
    office = server.office()
    assert office
    os.kill(office, signal.SIGSTOP)
    with connected(server) as waiting:
        waiting.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\nAccept: application/json\r\n\r\n")
        # Until the frozen office has it: the kernel took it on the office's behalf.
        time.sleep(0.5)
        os.kill(office, signal.SIGKILL)
        answer = waiting.recv(65536)
    assert answer.startswith((b"HTTP/1.1 503", b"HTTP/1.1 200"))


def test_the_office_looks_at_what_was_told_at_a_door(server: Server) -> None:
    file = server.log.parent / "identity.sqlite3"

    def found() -> int:
        with sqlite3.connect(file) as connection:
            (count,) = connection.execute("SELECT count(*) FROM finding").fetchone()
        return int(count)

    assert found() == 0
    for name in ("doc", "marty", "lorraine", "biff", "jennifer"):
        server.identify(f"{name}@hillvalley.edu", "0000000000")

    # Nobody opens a page.
    eventually(lambda: found() > 0, 20)


def test_new_workers_have_an_office_of_their_own(server: Server) -> None:
    before = server.workers()

    server.process.send_signal(signal.SIGHUP)

    eventually(lambda: not set(before) & set(server.workers()) and server.office() is not None, 20)
    assert len(server.doors()) == 2
    assert page(server).status == server.identify("doc@hillvalley.edu")[0] == 200


def test_a_server_whose_first_process_was_killed_leaves_the_port_to_the_next(
    migrated_sqlite: Path, tmp_path: Path
) -> None:
    url = f"sqlite:///{shutil.copy(migrated_sqlite, tmp_path / 'identity.sqlite3')}"
    # Of their own: whichever other server begins takes away what a killed one left.
    with (
        tempfile.TemporaryDirectory() as place,
        serving(url, tmp_path, TMPDIR=place) as first,
    ):
        workers = first.workers()
        assert first.identify("doc@hillvalley.edu")[0] == 200
        with connected(first) as idle:
            idle.sendall(HEAD % b"/identify")
            first.process.kill()
            first.process.wait()
            eventually(lambda: not any(Path(f"/proc/{pid}").exists() for pid in workers))
        left = list(Path(place).glob(f"identity-serving-{first.process.pid}-*"))
        port = urllib3.util.parse_url(first.url).port
        with serving(url, tmp_path, port=port, TMPDIR=place) as second:
            assert second.identify("doc@hillvalley.edu")[0] == 200
            assert len(children(second.process.pid)) == 3
            assert len(left) == 1
            assert not left[0].exists()
