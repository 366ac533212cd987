"""What a long command says while it works: it does not end because nobody listens any more."""

import io
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, redirect_stderr, redirect_stdout
from typing import TextIO

import click

from identity.cli import exits


class _Heedless(io.RawIOBase):
    """Writes as long as somebody reads, or there is room for it; then to nowhere."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self.lost: OSError | None = None

    def writable(self) -> bool:
        """Tell that it can be written to."""
        return True

    def isatty(self) -> bool:
        """Tell whether somebody may look."""
        return self._stream.isatty()

    def write(self, content: object) -> int:
        """Write, or not."""
        given = bytes(content)  # type: ignore[call-overload]
        if self.lost is None:
            try:
                self._stream.buffer.write(given)
                self._stream.buffer.flush()
            except OSError as error:
                self.lost = error
        return len(given)


@contextmanager
def heedless(*, aside: bool) -> Iterator[TextIO]:
    """Let what is printed in a block be lost where nobody takes it; `aside` prints it to stderr.

    Gives stdout as it is, for what must not be lost.
    """
    stdout, stderr = sys.stdout, sys.stderr
    said, errors = _Heedless(stderr if aside else stdout), _Heedless(stderr)
    try:
        with ExitStack() as stack:
            for raw, redirect in ((said, redirect_stdout), (errors, redirect_stderr)):
                text = io.TextIOWrapper(raw, stdout.encoding, "replace", write_through=True)  # type: ignore[type-var]
                stack.callback(text.detach)
                stack.enter_context(redirect(text))
            yield stdout
    finally:
        if said.lost is not None and not aside:
            exits.hush()
            click.echo(exits.unwritable("stdout", said.lost), err=True)
