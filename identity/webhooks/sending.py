"""One try to deliver a message: what is sent, and what came of it.

Sent with urllib3, on a connection that is made here, to an address that was looked at. Nothing
that a receiver does takes longer than `LONGEST`: not even one that answers a byte at a time. Only
looking up its name may, which the system does; then nothing is sent.
"""

import socket
import ssl
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from time import monotonic
from typing import Any
from urllib.parse import urlsplit

import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError
from urllib3.util.ssl_ import create_urllib3_context

from identity.webhooks import addresses
from identity.webhooks.addresses import Rules
from identity.webhooks.lines import Line

LONGEST = 15.0
"""Seconds from the beginning of a try to the end of its answer. The specification: 15 to 30."""
LARGEST = 64 * 1024
"""Bytes of an answer that are read. Nobody looks at them."""
AGENT = "Identity-Webhooks"
FOLLOWED = "The receiver answered {status}, which leads elsewhere; that is not followed."


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a try."""

    ms: int
    status: int | None = None
    problem: str | None = None
    """Why it did not succeed, in a sentence; None when it did."""
    retry_after: str | None = None
    """When the receiver wants to be asked again, in its own words."""

    @property
    def succeeded(self) -> bool:
        """Tell whether the receiver has the message."""
        return self.problem is None


def send(
    url: str,
    body: bytes,
    headers: Mapping[str, str],
    rules: Rules,
    *,
    seconds: float = LONGEST,
    trusted: ssl.SSLContext | None = None,
) -> Outcome:
    """Send a body to an address, and return what came of it.

    `trusted` is whom to believe who they are; else that is whom this machine believes.
    """
    begun = monotonic()
    line = Line(rules, seconds)
    timer = threading.Timer(seconds, line.cut)
    timer.daemon = True
    timer.start()
    status = retry_after = problem = None
    try:
        response = _asked(url, body, headers, line, trusted or _trusted())
        status, retry_after = response.status, response.headers.get("Retry-After")
        try:
            # To the end, or it would not be known whether the receiver is done with it.
            _read(response)
        finally:
            response.close()
        if line.is_cut:
            # Cut in the middle, headers and a body of no given length look as if they had ended.
            raise TimeoutError
        problem = _said(status)
    except Exception as error:
        problem = _happened(error, line, seconds)
        if line.is_cut:
            status = None
    finally:
        timer.cancel()
        line.end()
    return Outcome(int((monotonic() - begun) * 1000), status, problem, retry_after)


def _asked(
    url: str, body: bytes, headers: Mapping[str, str], line: Line, trusted: ssl.SSLContext
) -> urllib3.BaseHTTPResponse:
    parts = urlsplit(url)
    secure = parts.scheme == "https"
    kind = urllib3.HTTPSConnectionPool if secure else urllib3.HTTPConnectionPool
    options: dict[str, Any] = {"ssl_context": trusted} if secure else {}
    pool = kind(parts.hostname or "", parts.port, timeout=line.left, retries=False, **options)
    pool.ConnectionCls = _connection(HTTPSConnection if secure else HTTPConnection, line.connect)
    path = parts.path or "/"
    return pool.urlopen(
        "POST",
        f"{path}?{parts.query}" if parts.query else path,
        body=body,
        headers={
            **headers,
            "Content-Type": "application/json",
            "User-Agent": AGENT,
            "Connection": "close",
        },
        redirect=False,
        retries=False,
        preload_content=False,
        decode_content=False,
    )


def _connection(kind: Any, connect: Callable[[str, int], socket.socket]) -> Any:
    """Return a class of connections that are made by `connect`."""

    def made(self: Any) -> socket.socket:
        connection = connect(self._dns_host, self.port)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection

    return type("Connection", (kind,), {"_new_conn": made})


@lru_cache(1)
def _trusted() -> ssl.SSLContext:
    # Made once: it reads the certificates of all authorities.
    context = create_urllib3_context()
    context.load_default_certs()
    return context


def _read(response: urllib3.BaseHTTPResponse) -> None:
    read = 0
    while read < LARGEST and (part := response.read(8192, decode_content=False)):
        read += len(part)


def _said(status: int) -> str | None:
    """Return what is wrong with an answer."""
    if 200 <= status < 300:
        return None
    if 300 <= status < 400:
        return FOLLOWED.format(status=status)
    return f"The receiver answered {status}."


def _happened(error: Exception, line: Line, seconds: float) -> str:
    """Return what went wrong on the way, without a word of what was said there."""
    causes = list(_causes(error))
    if refused := next((each for each in causes if isinstance(each, addresses.Refused)), None):
        return str(refused)
    if line.is_cut or any(isinstance(each, TimeoutError) for each in causes):
        return f"The receiver did not answer within {seconds:.0f} seconds."
    if any(isinstance(each, ssl.SSLCertVerificationError) for each in causes):
        return "The receiver's certificate is not good."
    if any(isinstance(each, ssl.SSLError) for each in causes):
        return "The receiver does not speak https as it is spoken today."
    if any(isinstance(each, ConnectionRefusedError) for each in causes):
        return "Nobody listens at the address."
    if any(isinstance(each, OSError | HTTPError) for each in causes):
        return "The connection broke, or what came back was no answer."
    return f"It could not be sent: {type(error).__name__}."


def _causes(error: BaseException | None) -> Any:
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        inner = [each for each in error.args if isinstance(each, BaseException)]
        error = error.__cause__ or error.__context__ or (inner[0] if inner else None)
