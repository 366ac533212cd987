"""Files of customers, made up and imported without a command or a page."""

import csv
import io
import os
import subprocess
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from identity import ROOT
from identity.importing import register, run
from identity.importing.columns import Chosen
from identity.importing.files import CustomerFile, examine
from identity.importing.run import Source
from identity.importing.tally import Tally
from tests.conftest import ERASURE_KEY
from tests.examples import Row
from tests.oracle import Call
from tests.tables import rows_in_all_tables


@dataclass
class Watcher:
    """Hears what is in doubt."""

    lines: list[int] = field(default_factory=list)

    def read(self, rows: int) -> None: ...

    def doubted(self, line: int, doubts: Any, cells: Any, *, used: bool) -> None:
        self.lines.append(line)


def as_file(rows: Iterable[Row]) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerows([("email", "phone", "mobile", "created at"), *rows])
    return text.getvalue().encode()


def calls_of(row: Row) -> list[Call]:
    """Return the calls that a row stands for."""
    email, *phones, _ = row
    distinct = dict.fromkeys(phone for phone in phones if phone)
    return [(email, phone) for phone in distinct or (None,)]


def on(content: bytes, region: str | None = None, feed: str = "") -> Source:
    return Source(examine("customers.csv", partial(io.BytesIO, content)), region, feed)


def examined(content: str | bytes, chosen: Chosen | None = None) -> CustomerFile:
    encoded = content.encode() if isinstance(content, str) else content
    return examine("customers.csv", partial(io.BytesIO, encoded), chosen)


def cells_of(content: str | bytes) -> list[tuple[int, list[str]]]:
    """Return the rows of a file, those that are not to be trusted as well."""
    return list(examined(content).rows())


def rehearse(content: bytes, feed: str = "") -> Tally:
    return run.rehearse(on(content, feed=feed), Watcher())


def bring(content: bytes, region: str | None = None, feed: str = "") -> Tally:
    import_id = register.give("customers.csv", "test")
    return run.carry_out(on(content, region, feed), Watcher(), import_id)


def write(path: Path, calls: Iterable[Call]) -> Path:
    """Write calls as a file of customers."""
    rows = "".join(f"{email or ''},{phone or ''}\n" for email, phone in calls)
    path.write_text(f"email,phone\n{rows}")
    return path


def importing(url: str, path: Path) -> subprocess.Popen[str]:
    """Begin an import in a process of its own."""
    # What it ends in is compared with what calls would have ended in, and those join strangers.
    return _begun(url, path, "--as-it-is", stderr=subprocess.STDOUT)


def half_way(url: str, path: Path, *options: str) -> subprocess.Popen[str]:
    """Begin an import in a process group of its own, and return when it has written something."""
    process = _begun(url, path, *options, stderr=subprocess.PIPE, start_new_session=True)
    while not rows_in_all_tables()["contact"]:
        assert process.poll() is None
        time.sleep(0.05)
    return process


def _begun(url: str, path: Path, *options: str, **how: Any) -> subprocess.Popen[str]:
    given = {"DATABASE_URL": url, "SECRET_KEY": "hello, McFly", "ERASURE_KEY": ERASURE_KEY}
    environment = {"PATH": os.environ["PATH"], **given}
    command = [sys.executable, "-m", "flask", "--app", "wsgi", "identity", "import", *options]
    return subprocess.Popen(
        [*command, str(path)], cwd=ROOT, env=environment, text=True, stdout=subprocess.PIPE, **how
    )
