"""A receiver of webhooks, which verifies with the public package and knows nothing of ours.

In a thread for the tests at hand, or as a process of its own: `python tests/receiving.py PORT
SECRET FILE FAILING` writes a line for each message, and fails that one in so many.
"""

import json
import random
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from standardwebhooks.webhooks import Webhook, WebhookVerificationError

Answer = tuple[int, dict[str, str]]
FINE: Answer = (200, {})


class Receiver:
    """What came, and what is answered to it."""

    def __init__(self) -> None:
        self.came: list[tuple[dict[str, str], str]] = []
        """Headers and body of each request."""
        self.answer: Callable[[dict[str, Any]], Answer] = lambda _: FINE
        self.address = ""

    def verified(self, secret: str) -> list[dict[str, Any]]:
        """Return what came, each verified with the secret."""
        return [Webhook(secret).verify(body, headers) for headers, body in self.came]

    @property
    def idents(self) -> list[str]:
        """Return the ids of the messages that came, in the order in which they did."""
        return [headers["webhook-id"] for headers, _ in self.came]


def serve(port: int, take: Callable[[dict[str, str], str], Answer]) -> ThreadingHTTPServer:
    """Return a server that lets `take` answer whatever is posted."""

    class Requests(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            headers = {name.lower(): value for name, value in self.headers.items()}
            status, more = take(headers, body)
            self.send_response(status)
            for name, value in {**more, "Content-Length": "0"}.items():
                self.send_header(name, value)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    class Server(ThreadingHTTPServer):
        request_queue_size = 128
        daemon_threads = True

    return Server(("127.0.0.1", port), Requests)


@contextmanager
def receiving() -> Iterator[Receiver]:
    """Run a receiver until the block ends."""
    receiver = Receiver()

    def take(headers: dict[str, str], body: str) -> Answer:
        receiver.came.append((headers, body))
        return receiver.answer(json.loads(body))

    server = serve(0, take)
    receiver.address = f"http://127.0.0.1:{server.server_port}/changes"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield receiver
    server.shutdown()
    thread.join()
    server.server_close()


def failed_in(file: str) -> Iterator[str]:
    """Yield the ids of messages that were failed before the receiver was started again."""
    with open(file, "a+") as lines:
        lines.seek(0)
        for line in lines:
            if '"failed": true' in line:
                yield str(json.loads(line)["id"])


def main(port: str, secret: str, file: str, failing: str) -> None:
    """Receive until the process is ended."""
    lock, by_chance, failed = threading.Lock(), random.Random(port), set(failed_in(file))

    def take(headers: dict[str, str], body: str) -> Answer:
        try:
            told = Webhook(secret).verify(body, headers)
        except WebhookVerificationError:
            told = None
        with lock:
            # None twice: after its second failure a message waits for five minutes.
            fails = headers["webhook-id"] not in failed and not by_chance.randrange(int(failing))
            failed.update({headers["webhook-id"]} if fails else ())
            line = {"id": headers["webhook-id"], "told": told, "failed": fails, "at": time.time()}
            output.write(json.dumps(line) + "\n")
            output.flush()
        return (500, {}) if fails else FINE

    with open(file, "a") as output:
        serve(int(port), take).serve_forever()


if __name__ == "__main__":
    main(*sys.argv[1:])
