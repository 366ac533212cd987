"""Files that come only once, and files that change while they are read."""

import gzip
import io
import os
import threading
from functools import partial
from pathlib import Path

import pytest
from flask import Flask

from identity.errors import InvalidInput
from identity.importing.files import examine
from tests.bringing import examined

PLAIN = b"email,phone\ndoc@hillvalley.edu,555-4385\n"
READ = [(2, ["doc@hillvalley.edu", "555-4385"])]


def test_a_pipe_is_read_as_often_as_it_takes(tmp_path: Path) -> None:
    pipe = tmp_path / "customers"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_bytes, args=(PLAIN,))
    writer.start()

    file = examine("customers", partial(io.FileIO, pipe))

    writer.join()
    assert list(file.rows()) == READ
    assert list(file.rows()) == READ


def test_two_read_at_once_what_was_kept(tmp_path: Path) -> None:
    file = examined(gzip.compress(PLAIN + b"marty@hillvalley.edu,1955\n"))

    one, other = file.rows(), file.rows()

    assert [next(one), next(other), next(one), next(other)] == [
        READ[0],
        READ[0],
        *[(3, ["marty@hillvalley.edu", "1955"])] * 2,
    ]


def test_what_was_kept_has_no_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))

    file = examined(gzip.compress(PLAIN))

    assert list(tmp_path.iterdir()) == []
    assert list(file.rows()) == READ


@pytest.mark.parametrize("change", ["appended", "truncated", "replaced"])
def test_a_file_that_changes_is_not_read_on(tmp_path: Path, change: str) -> None:
    path = tmp_path / "customers.csv"
    path.write_bytes(PLAIN)
    file = examine(path.name, partial(io.FileIO, path))

    if change == "replaced":
        (tmp_path / "new.csv").write_bytes(PLAIN)
        (tmp_path / "new.csv").rename(path)
    else:
        path.write_bytes(PLAIN + PLAIN if change == "appended" else PLAIN[:20])

    with pytest.raises(InvalidInput, match="The file was changed while it was being read"):
        list(file.rows())


def test_a_change_is_noticed_while_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "customers.csv"
    path.write_bytes(b"email\n" + b"doc@hillvalley.edu\n" * 200_000)
    rows = examine(path.name, partial(io.FileIO, path)).rows()
    next(rows)

    with path.open("ab") as file:
        file.write(b"marty@hillvalley.edu\n")

    with pytest.raises(InvalidInput, match="The file was changed while it was being read"):
        list(rows)


def test_a_device_without_end_is_refused() -> None:
    with pytest.raises(InvalidInput, match="This is a device"):
        examine("zero", partial(io.FileIO, "/dev/zero"))
    with pytest.raises(InvalidInput, match="empty"):
        examine("null", partial(io.FileIO, "/dev/null"))


def test_a_file_is_imported_from_the_standard_input(app: Flask) -> None:
    done = app.test_cli_runner().invoke(args=["identity", "import", "-", "--dry-run"], input=PLAIN)

    assert done.exit_code == 0, done.output
    assert "rows read" in done.output
