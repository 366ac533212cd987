"""Where a webhook may lead, and what is done with receivers that do not do as they should."""

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from identity.errors import InvalidInput
from identity.webhooks import addresses, sending
from identity.webhooks.addresses import Refused, Rules
from identity.webhooks.lines import Line
from identity.webhooks.sending import Outcome
from tests.receiving import receiving

HERE = Rules(insecure=True)
INTERNAL = [
    *("127.0.0.1", "127.8.8.8", "0.0.0.0", "10.1.2.3", "172.16.0.1", "192.168.1.1"),
    *("169.254.169.254", "100.64.0.1", "192.0.0.1", "198.18.0.1", "224.0.0.1", "240.0.0.1"),
    *("255.255.255.255", "[::]", "[::1]", "[fe80::1]", "[fc00::1]", "[fd12::1]", "[ff02::1]"),
    *("[::ffff:127.0.0.1]", "[::ffff:8.8.8.8]", "[64:ff9b::7f00:1]", "[64:ff9b::808:808]"),
    *("[64:ff9b:1::1]", "[2002:7f00:1::]", "[2001::1]", "[fec0::1]", "[::7f00:1]"),
    *("168.63.129.16", "192.0.0.192", "192.88.99.1", "[3fff::1]"),
    *("[2001:db8::1]", "192.0.2.1", "localhost", "LOCALHOST.", "shop.localhost"),
]


@pytest.mark.parametrize("host", INTERNAL)
def test_an_address_within_is_refused_when_it_is_given(host: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        addresses.check(f"https://{host}/changes", Rules())

    assert "internal network" in refused.value.fields["url"]


# As a resolver reads them, which has more spellings than are recognised when one is given.
SPELT = ["127.1", "0x7f.1", "2130706433", "0177.0.0.1", "localhost", "127.0.0.1", "::1", "0"]


@pytest.mark.parametrize("host", SPELT)
def test_an_address_within_is_refused_once_it_is_resolved(host: str) -> None:
    with pytest.raises(addresses.Refused, match="internal network"):
        addresses.resolve(host, 443, Rules())


def test_the_world_may_be_reached() -> None:
    allowed = [("8.8.8.8", socket.AF_INET), ("2606:4700:4700::1111", socket.AF_INET6)]
    for host, family in allowed:
        assert addresses.resolve(host, 443, Rules()) == [(family, host)]


@pytest.mark.parametrize(
    "url",
    [
        *("http://shop.example/", "ftp://shop.example/", "shop.example", "https://", "https:///x"),
        *("https://shop.example/#part", "https://a:b@shop.example/", "https://shop.example:99999/"),
        *("https://shop example/", "https://münchen.example/", "https://[::1/", "https://a\n.b/"),
        *("https://shop.example:0/", "https://a..b/", "https://.shop.example/"),
        *(f"https://{'a' * 64}.example/", f"https://{'a.' * 127}example/"),
        *("https://127.1/", "https://0x7f.1/", "https://2130706433/", "https://.../"),
        *("https://shop.example/" + "a" * 2000, "https://sh%6fp.example/", ""),
    ],
)
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        addresses.check(url, Rules())

    assert refused.value.fields["url"].startswith("url: ")


def test_only_where_it_is_allowed_this_machine_is_called_and_no_other_inside() -> None:
    assert addresses.check("http://127.0.0.1:8000/", HERE)
    for host in ("10.0.0.1", "169.254.169.254", "[::ffff:127.0.0.1]"):
        with pytest.raises(InvalidInput):
            addresses.check(f"http://{host}/", HERE)


def try_(url: str, seconds: float = 5, trusted: ssl.SSLContext | None = None) -> Outcome:
    return sending.send(url, b"{}", {}, HERE, seconds=seconds, trusted=trusted)


def test_nothing_is_sent_to_an_address_within_though_a_name_leads_there() -> None:
    with receiving() as receiver:
        url = receiver.address.replace("127.0.0.1", "localhost")
        outcome = sending.send(url, b"{}", {}, Rules())

        assert outcome.problem == addresses.REFUSED
        assert receiver.came == []


@contextmanager
def answering(answer: Callable[[socket.socket], None]) -> Iterator[str]:
    """Listen, and let `answer` do with each connection what it likes; give the address."""
    listener = socket.create_server(("127.0.0.1", 0))

    def run() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=serve, args=(connection,), daemon=True).start()

    def serve(connection: socket.socket) -> None:
        with connection:
            try:
                connection.recv(65536)
                answer(connection)
            except OSError:
                pass

    threading.Thread(target=run, daemon=True).start()
    yield f"http://127.0.0.1:{listener.getsockname()[1]}/"
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()


def drip(connection: socket.socket) -> None:
    for letter in b"HTTP/1.1 200 OK\r\nX-Slow: " + b"a" * 1000:
        connection.send(bytes([letter]))
        time.sleep(0.05)


def drip_headers(connection: socket.socket) -> None:
    connection.send(b"HTTP/1.1 200 OK\r\n")
    drip(connection)


def drip_without_end(connection: socket.socket) -> None:
    connection.send(b"HTTP/1.1 200 OK\r\n\r\n")
    drip(connection)


def drip_the_body(connection: socket.socket) -> None:
    connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
    for _ in range(1000):
        connection.send(b"a")
        time.sleep(0.05)


def freeze(_: socket.socket) -> None:
    time.sleep(20)


@pytest.mark.parametrize("answer", [drip, drip_headers, drip_the_body, drip_without_end, freeze])
def test_who_is_slow_is_left_when_the_time_is_up(answer: Callable[[socket.socket], None]) -> None:
    begun = time.monotonic()
    with answering(answer) as url:
        outcome = try_(url, seconds=1)

    assert outcome.problem == "The receiver did not answer within 1 seconds."
    assert time.monotonic() - begun < 5


def test_an_answer_without_end_is_not_read_to_its_end() -> None:
    def pour(connection: socket.socket) -> None:
        connection.send(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            connection.send(b"a" * 65536)

    with answering(pour) as url:
        assert try_(url).succeeded


@pytest.mark.parametrize(
    "answer",
    [
        *(b"", b"\0" * 100, b"hello\r\n\r\n", b"HTTP/1.1 abc OK\r\n\r\n"),
        b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"".join(b"X-%d: a\r\n" % each for each in range(300)) + b"\r\n",
        b"HTTP/1.1 200 " + b"a" * 70000,
    ],
)
def test_what_is_no_answer_is_no_success(answer: bytes) -> None:
    with answering(lambda connection: connection.sendall(answer)) as url:
        outcome = try_(url)

    assert outcome.problem == "The connection broke, or what came back was no answer."


def test_where_nobody_listens_is_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = gone.getsockname()[1]

    assert try_(f"http://127.0.0.1:{port}/").problem == "Nobody listens at the address."


def test_a_name_that_nobody_has_is_told() -> None:
    assert try_("http://shop.invalid/").problem == addresses.UNKNOWN


def certificate(folder: Path, name: str) -> ssl.SSLContext:
    """Return a server's context, with a certificate for a name, signed by itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    named = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(named)
        .issuer_name(named)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    plain = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    path = folder / "both.pem"
    path.write_bytes(made.public_bytes(pem) + key.private_bytes(pem, *plain))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    return context


@pytest.mark.parametrize(
    ("name", "known", "problem"),
    [
        ("localhost", True, None),
        ("shop.example", True, "The receiver's certificate is not good."),
        ("localhost", False, "The receiver's certificate is not good."),
    ],
)
def test_a_receiver_has_to_be_who_its_address_says(
    tmp_path: Path, name: str, known: bool, problem: str | None
) -> None:
    server = certificate(tmp_path, name)

    def secure(connection: socket.socket) -> None:
        with server.wrap_socket(connection, server_side=True) as line:
            # What is left unread when a connection ends takes the answer with it.
            while not line.recv(65536).endswith(b"{}"):
                pass
            line.sendall(b"HTTP/1.1 204 Fine\r\n\r\n")

    trusted = ssl.create_default_context(cafile=str(tmp_path / "both.pem")) if known else None
    with listening(secure) as port:
        outcome = try_(f"https://localhost:{port}/changes", trusted=trusted)

    assert outcome.problem == problem


@contextmanager
def listening(serve: Callable[[socket.socket], None]) -> Iterator[int]:
    """Listen for one connection, and serve it from its first byte; give the port."""
    listener = socket.create_server(("127.0.0.1", 0))

    def run() -> None:
        connection, _ = listener.accept()
        try:
            with connection:
                serve(connection)
        except OSError:
            pass

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    yield listener.getsockname()[1]
    thread.join(5)
    listener.close()


def test_a_receiver_that_freezes_in_the_middle_of_a_handshake_is_left() -> None:
    begun = time.monotonic()
    with listening(lambda _: time.sleep(3)) as port:
        outcome = try_(f"https://localhost:{port}/", seconds=0.3)

        assert time.monotonic() - begun < 2
    assert outcome.problem == "The receiver did not answer within 0 seconds."


def test_a_look_up_that_took_too_long_is_told_as_what_it_is() -> None:
    line = Line(HERE, seconds=5)
    line.cut()

    with pytest.raises(Refused, match="Looking up the name"):
        line.connect("127.0.0.1", 9)
