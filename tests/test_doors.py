"""A door that closes hangs up on who has nothing to say, and answers who has said something."""

from collections.abc import Iterator
from contextlib import contextmanager

import gevent
from gevent import socket

from identity.web.serving.workers import _Idle

DAY = 86_400.0


class Connection:
    """One whose requests are served, a moment each."""

    def __init__(self, client: socket.socket, door: socket.socket) -> None:
        self.client, self.heard, self.served = client, list[bytes](), list[bytes]()
        self.idle = set[_Idle]()
        self.serving = gevent.spawn(self._serve, door)
        gevent.sleep(0)

    def end(self) -> None:
        for idle in list(self.idle):
            idle.end()

    def _serve(self, door: socket.socket) -> None:
        with _Idle(DAY, self.idle, door):
            self.heard.append(door.recv(10))
        for request in self.heard:
            gevent.sleep(0.01)
            self.served.append(request)


@contextmanager
def connected() -> Iterator[Connection]:
    client, door = socket.socketpair()
    with client, door:
        connection = Connection(client, door)
        yield connection
        connection.serving.join(10)
        assert connection.serving.dead


def test_who_says_nothing_is_hung_up_on() -> None:
    with connected() as connection:
        connection.end()

    assert connection.served == []


def test_a_request_that_came_before_is_served() -> None:
    with connected() as connection:
        connection.client.sendall(b"request")
        connection.end()

    assert connection.served == [b"request"]


def test_a_request_that_is_read_before_the_end_is_served() -> None:
    with connected() as connection:
        connection.end()
        connection.client.sendall(b"request")

    assert connection.served == [b"request"]


def test_what_is_served_already_is_served_to_its_end() -> None:
    with connected() as connection:
        (idle,) = connection.idle
        connection.client.sendall(b"request")
        while not connection.heard:
            gevent.sleep(0)
        idle.end()

    assert connection.served == [b"request"]
