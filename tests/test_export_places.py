"""Where an export may go: files that appear whole, and whatever else takes bytes."""

import json
import os
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from identity import ROOT, drafts, exporting
from tests.bringing import bring
from tests.conftest import See
from tests.terminal import run


@pytest.fixture(autouse=True)
def doc(see: See) -> None:
    see("doc@hillvalley.edu", "5554385")


def identity_of(path: Path) -> tuple[int, int]:
    return path.stat().st_ino, path.stat().st_mode


def test_a_fifo_stays_a_fifo_and_gets_the_export(app: Flask, tmp_path: Path) -> None:
    fifo, got = tmp_path / "fifo", []
    os.mkfifo(fifo)
    before = identity_of(fifo)
    reader = threading.Thread(target=lambda: got.append(fifo.read_text()))
    reader.start()

    result = run(app, "export", fifo)

    reader.join()
    assert result.exit_code == 0, result.output
    assert identity_of(fifo) == before
    assert "doc@hillvalley.edu" in got[0]
    assert list(tmp_path.glob("*.part")) == []


@pytest.mark.parametrize("options", [(), ("--evidence",)])
def test_a_reader_that_goes_away_is_a_sentence(
    app: Flask, tmp_path: Path, options: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    # More than a pipe takes.
    bring(b"email\n" + b"".join(b"%d@hillvalley.edu\n" % number for number in range(3000)))
    monkeypatch.setattr(exporting, "CHUNK", 10)

    def look_in() -> None:
        with fifo.open("rb", buffering=0) as file:
            file.read(1)

    reader = threading.Thread(target=look_in)
    reader.start()

    result = run(app, "export", fifo, *options)

    reader.join()
    assert result.exit_code == 2
    assert result.stderr == f"{fifo}: cannot be written: Broken pipe.\n"
    assert stat.S_ISFIFO(fifo.stat().st_mode)


@pytest.mark.parametrize("options", [(), ("--evidence",)])
def test_a_full_disk_is_a_sentence_and_what_was_there_stays(
    app: Flask, tmp_path: Path, options: tuple[str, ...]
) -> None:
    full = Path("/dev/full")
    before = identity_of(full)
    link = tmp_path / "link.csv"
    link.symlink_to(full)

    for place in full, link:
        result = run(app, "export", place, *options)

        assert result.exit_code == 2
        assert result.stderr == f"{place}: cannot be written: No space left on device.\n"
    assert identity_of(full) == before
    assert link.is_symlink()


def test_a_folder_is_no_place_and_nowhere_is_none_either(app: Flask, tmp_path: Path) -> None:
    for place, why in (
        (tmp_path, "Is a directory"),
        (tmp_path / "none" / "x.csv", "No such file or directory"),
        (tmp_path / ("x" * 300), "File name too long"),
    ):
        result = run(app, "export", place)

        assert result.exit_code == 2
        assert result.stderr == f"{place}: cannot be written: {why}.\n"
    assert list(tmp_path.glob("*.part")) == []


def test_a_link_stays_a_link_and_its_target_keeps_its_permissions(
    app: Flask, tmp_path: Path
) -> None:
    (tmp_path / "there").mkdir()
    target, link = tmp_path / "there" / "customers.csv", tmp_path / "link.csv"
    target.write_text("before")
    target.chmod(0o640)
    link.symlink_to(target)

    assert run(app, "export", link).exit_code == 0

    assert link.is_symlink()
    assert target.read_text().startswith("customer_id,")
    assert stat.S_IMODE(target.stat().st_mode) == 0o640


def test_a_link_to_nothing_yet_leads_to_the_export(app: Flask, tmp_path: Path) -> None:
    link = tmp_path / "link.csv"
    link.symlink_to("later.csv")

    assert run(app, "export", link).exit_code == 0

    assert link.is_symlink()
    assert (tmp_path / "later.csv").read_text().startswith("customer_id,")


def test_a_draft_is_for_its_owner_only_and_nothing_is_left_of_it(tmp_path: Path) -> None:
    place = tmp_path / "customers.csv"
    place.write_text("before")
    place.chmod(0o644)

    def write() -> Iterator[None]:
        with drafts.whole(place) as out:
            out.write(b"half")
            [draft] = tmp_path.glob(".customers.csv.*.part")
            assert stat.S_IMODE(draft.stat().st_mode) == 0o600
            yield
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        list(write())

    assert place.read_text() == "before"
    assert list(tmp_path.glob("*.part")) == []


def test_how_many_there_are_is_told_as_json(app: Flask, tmp_path: Path) -> None:
    place = tmp_path / "x"
    for options, kind in (((), "customers"), (("--contacts",), "contacts")):
        result = run(app, "export", place, "--json", *options)

        told = {"export": kind, "file": str(place), "rows": 1, "exit": 0}
        assert json.loads(result.stdout) == told
    told = json.loads(run(app, "export", place, "--json", "--evidence").stdout)
    assert told["rows"] == len(place.read_text().splitlines()) - 2
    assert run(app, "export", "-", "--json").exit_code == 2


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["sqlite"], indirect=True)
def test_stdout_is_written_to_as_it_is(app: Flask, database_url: str, tmp_path: Path) -> None:
    many = b"".join(b"%d@hillvalley.edu,Emmett Lathrop Brown\n" % each for each in range(4000))
    bring(b"email,name\n" + many)
    out = tmp_path / "out.csv"
    out.write_text("before\n")
    flask = f"{sys.executable} -m flask --app wsgi identity export"

    def shell(line: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["bash", "-c", f"set -o pipefail; {line}"], cwd=ROOT, capture_output=True, text=True,
            env={
                "PATH": os.environ["PATH"],
                "DATABASE_URL": database_url,
                "SECRET_KEY": "hello, McFly",
            },
        )  # fmt: skip

    appended = shell(f"{flask} /dev/stdout >> {out}")
    left = shell(f"{flask} - --contacts | head -1; exit ${{PIPESTATUS[0]}}")
    full = shell(f"{flask} - > /dev/full")

    assert appended.returncode == 0, appended.stderr
    assert out.read_text().startswith("before\ncustomer_id,")
    assert left.stdout.startswith("contact_id,")
    assert (left.returncode, left.stderr) == (2, "-: cannot be written: Broken pipe.\n")
    assert (full.returncode, full.stderr) == (2, "-: cannot be written: No space left on device.\n")
