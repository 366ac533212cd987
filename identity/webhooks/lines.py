"""The connection of one try, made to an address that was looked at, and cut when its time is up."""

import socket
import threading
from contextlib import suppress
from time import monotonic

from identity.webhooks import addresses
from identity.webhooks.addresses import Rules

LATE = "Looking up the name in the address took too long."


class Line:
    """The connection of one try, which is cut when its time is up."""

    def __init__(self, rules: Rules, seconds: float) -> None:
        self._rules = rules
        self._until = monotonic() + seconds
        self._lock = threading.Lock()
        self._lever: socket.socket | None = None
        self.is_cut = False

    @property
    def left(self) -> float:
        """Return the seconds that are left."""
        return max(0.01, self._until - monotonic())

    def connect(self, host: str, port: int) -> socket.socket:
        """Connect to the first address of a host that may be connected to, and answers."""
        problem: OSError | None = None
        found = addresses.resolve(host, port, self._rules)
        if self.is_cut:
            # Nothing cuts a look-up short. The receiver was not asked, and is not to blame.
            raise addresses.Refused(LATE)
        for family, address in found:
            connection = socket.socket(family, socket.SOCK_STREAM)
            connection.settimeout(self.left)
            try:
                connection.connect((address, port))
            except OSError as error:
                connection.close()
                problem = error
                continue
            self._hold(connection)
            return connection
        raise problem or TimeoutError()

    def _hold(self, connection: socket.socket) -> None:
        with self._lock:
            # Whatever wraps the connection, a copy of its handle ends it in the middle of anything.
            self._lever = connection.dup()
            if self.is_cut:
                self._shut()

    def cut(self) -> None:
        """End the connection: the time is up."""
        with self._lock:
            self.is_cut = True
            self._shut()

    def _shut(self) -> None:
        if self._lever:
            with suppress(OSError):
                self._lever.shutdown(socket.SHUT_RDWR)

    def end(self) -> None:
        """Let go of the handle."""
        with self._lock:
            if self._lever:
                self._lever.close()
                self._lever = None
