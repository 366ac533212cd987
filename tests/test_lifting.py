"""Somebody comes back on their own wish; and erasures in a file, for after a restore."""

import io
import json
import shutil
import sqlite3
import subprocess
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import delete, select, update

from identity import database, forgetting
from identity.copying import making, restoring
from identity.copying.reading import begin
from identity.database import db
from identity.erasing import applying as erasing
from identity.erasing.reach import Wanted
from identity.errors import Conflict, InvalidInput, NotFound, Unavailable
from identity.forgetting import filing, hashes, lifting
from identity.forgetting.keys import Key
from identity.identifiers import Identifiers
from identity.importing import register
from identity.models import Audit, Erased, Erasure, Import
from identity.reconciliation import identify
from identity.rulings import applying
from identity.rulings.applying import Ordered
from identity.rulings.kinds import Apart, LinksNobody
from identity.verification import verify
from tests.bringing import bring
from tests.conftest import ERASURE_KEY, Make, See, app_on, close
from tests.erasing import all_texts, nobody_erased, remember, values
from tests.pages import text
from tests.postgres import binaries
from tests.tables import empty
from tests.terminal import run

DOC = "doc@hillvalley.edu"


def kept() -> int:
    with database.reading() as connection:
        return len(connection.execute(select(Erased.digest)).all())


@pytest.mark.usefixtures("app")
def test_who_was_lifted_is_taken_in_again(see: See) -> None:
    remember(DOC, "555-4385")
    with pytest.raises(InvalidInput):
        identify(Identifiers(DOC, None), source="test")

    assert lifting.lift(values(DOC), "marty", "He asked for it.") == [1]

    assert see(DOC).emails == (DOC,)
    with pytest.raises(InvalidInput):
        identify(Identifiers(None, "5554385"), source="test")
    with database.reading() as connection:
        chosen = select(Erasure.lifted_by, Erasure.lifted_reason)
        assert tuple(connection.execute(chosen).one()) == ("marty", "He asked for it.")
        told = connection.execute(select(Audit.what, Audit.who, Audit.about)).all()
    assert [tuple(each) for each in told] == [("erasure_lifted", "marty", "1")]


@pytest.mark.usefixtures("app")
def test_all_that_was_erased_together_is_lifted_when_that_is_asked_for() -> None:
    remember(DOC, "555-4385")
    remember("marty@hillvalley.edu")

    lifting.lift(values(DOC), "marty", None, together=True)

    assert kept() == 1


@pytest.mark.usefixtures("app")
def test_nothing_is_lifted_that_was_not_erased() -> None:
    with pytest.raises(NotFound):
        lifting.lift(values(DOC), "marty", None)


@pytest.mark.usefixtures("app")
def test_a_file_of_erasures_holds_no_values_and_brings_the_hashes_back() -> None:
    remember(DOC, "555-4385")
    content = filing.export()
    assert DOC.encode() not in content
    assert b"5554385" not in content
    nobody_erased()

    assert filing.take_over(filing.read(content)) == 1

    with database.reading() as connection:
        assert set(hashes.remembered(connection, values(DOC, "555-4385"))) == set(
            values(DOC, "555-4385")
        )
    assert filing.take_over(filing.read(content)) == 0


@pytest.mark.usefixtures("app")
def test_who_came_back_after_the_backup_is_back_after_the_restore() -> None:
    remember(DOC)
    before = filing.export()
    lifting.lift(values(DOC), "marty", None)
    after = filing.export()
    filing.take_over(filing.read(before))
    assert kept() == 0
    nobody_erased()
    filing.take_over(filing.read(before))
    assert kept() == 1

    assert filing.take_over(filing.read(after)) == 1

    assert kept() == 0


@pytest.mark.usefixtures("app")
def test_who_came_back_later_than_others_of_one_erasure_is_back_after_the_restore() -> None:
    remember(DOC, "marty@hillvalley.edu", "555-4385")
    lifting.lift(values(DOC), "marty", None)
    before = filing.export()
    lifting.lift(values("marty@hillvalley.edu"), "marty", None)
    after = filing.export()
    nobody_erased()
    remember(DOC, "marty@hillvalley.edu", "555-4385")
    at = filing.read(before).erasures[0].at
    with db.engine.begin() as connection:
        connection.execute(update(Erasure.table()).values(at=at))
    lifting.lift(values(DOC), "marty", None)
    with db.engine.begin() as connection:
        lifted_at = filing.read(before).erasures[0].lifted_at
        connection.execute(update(Erasure.table()).values(lifted_at=lifted_at))
    assert kept() == 2
    assert filing.take_over(filing.read(before)) == 0

    assert filing.take_over(filing.read(after)) == 1

    assert kept() == 1
    assert filing.take_over(filing.read(before)) == 0


@pytest.mark.parametrize("content", [b"", b"{}", b'{"identity":"erasures"}'])
def test_another_file_is_refused(content: bytes) -> None:
    with pytest.raises(InvalidInput):
        filing.read(content)


def test_a_file_whose_key_is_missing_is_refused(make: Make) -> None:
    with make().app_context():
        remember(DOC)
        content = filing.export()
        nobody_erased()
    other = make(ERASURE_KEY=ERASURE_KEY + "x")

    with other.app_context(), pytest.raises(Unavailable):
        filing.take_over(filing.read(content))


@pytest.mark.usefixtures("app")
def test_a_copy_of_all_evidence_does_not_bring_them_back(see: See) -> None:
    see(DOC, "555-4385")
    see("marty@hillvalley.edu", "555-4385")
    see("biff@hillvalley.edu", "717171")
    biff, number, doc = values("biff@hillvalley.edu", "5554385", DOC)
    applying.rule(Apart(biff, number), Ordered("test"))
    applying.rule(Apart(biff, doc), Ordered("test"))
    content = b"".join(making.parts())
    assert DOC.encode() in content
    empty()
    remember(DOC)

    left_out = restoring.restore(begin(partial(io.BytesIO, content)), lambda _: None)

    assert left_out == 1
    assert verify().problems == []
    again = b"".join(making.parts())
    assert DOC.encode() not in again
    assert b"marty@hillvalley.edu" in again
    assert json.loads(again.splitlines()[0])["counts"]["rulings"] == 1


@pytest.mark.usefixtures("app")
def test_nor_does_what_people_wrote_in_it(see: See) -> None:
    see("marty@hillvalley.edu", "555-0001")
    see("biff@hillvalley.edu", "717171")
    marty, biff = values("marty@hillvalley.edu", "717171")
    ruled, _ = applying.rule(Apart(marty, biff), Ordered("test", f"Ask {DOC.upper()}."))
    applying.withdraw(ruled.id, Ordered("test", "Says 555-4385."))
    for reference, name in (("7", f"Doc <{DOC}>"), (DOC, "Doc"), ("8", "Marty")):
        given = Identifiers("marty@hillvalley.edu", "5550001")
        identify(given, source="test", reference=reference, name=name)
    register.give(f"{DOC}.csv", "test")
    content = b"".join(making.parts())
    empty()
    with db.engine.begin() as connection:
        connection.execute(delete(Import))
    remember(DOC, "555-4385")

    assert restoring.restore(begin(partial(io.BytesIO, content)), lambda _: None) == 0

    assert DOC in content.decode()
    told = all_texts().lower()
    assert DOC not in told
    assert "555-4385" not in told
    again = b"".join(making.parts()).decode()
    assert DOC not in again.lower()
    assert json.loads(again.splitlines()[0])["counts"]["references"] == 1
    assert '"name":"Marty"' in again
    assert verify().problems == []


@pytest.mark.usefixtures("app")
def test_nothing_is_ruled_about_what_was_erased() -> None:
    remember(DOC)

    with pytest.raises(Conflict, match="erased"):
        applying.rule(LinksNobody(values(DOC)[0]), Ordered("test"))


def test_who_lacks_a_key_is_not_ready(make: Make, client: FlaskClient) -> None:
    assert client.get("/ready").status_code == 200
    remember(DOC)
    assert client.get("/ready").status_code == 200

    answer = make(ERASURE_KEY=ERASURE_KEY + "x").test_client().get("/ready")

    assert answer.status_code == 503
    assert "ERASURE_KEY" in (answer.json or {})["error"]


def test_with_a_mistyped_key_nobody_is_erased(make: Make) -> None:
    right = make()
    with right.app_context():
        remember(DOC)

    other = make(ERASURE_KEY=ERASURE_KEY + "x")
    refused = run(other, "erase", "ann@hillvalley.edu", "--yes")

    assert "is missing" in refused.output
    with right.app_context():
        assert kept() == 1
    assert right.test_client().get("/ready").status_code == 200


def test_no_key_is_made_while_there_are_hashes_of_another(
    migrated_sqlite: Path, tmp_path: Path
) -> None:
    path = tmp_path / "identity.sqlite3"
    path.write_bytes(migrated_sqlite.read_bytes())
    key = tmp_path / "identity.erasure-key"
    app = app_on(f"sqlite:///{path}", ERASURE_KEY="")
    with app.app_context():
        remember(DOC)
    close(app)
    key.unlink()
    app = app_on(f"sqlite:///{path}", ERASURE_KEY="")

    with app.app_context(), pytest.raises(Unavailable, match="missing"):
        remember("marty@hillvalley.edu")

    assert not key.exists()
    close(app)


def test_a_key_that_is_lost_for_good_is_given_up(make: Make) -> None:
    with make().app_context():
        remember(DOC)
    lost = f"{Key(ERASURE_KEY).version:08x}"
    app = make(ERASURE_KEY=ERASURE_KEY + "x")
    call = partial(app.test_client().post, "/identify", json={"email": DOC})
    assert call().status_code == 503

    assert "eight" in run(app, "erasures", "give-up", "key").output
    assert "Nobody" in run(app, "erasures", "give-up", "00000000", "--yes").output
    asked = run(app, "erasures", "give-up", lost, say="n\n")
    assert "1 erasure" in asked.output
    assert call().status_code == 503
    done = run(app, "erasures", "give-up", lost, "--yes")

    assert f"The key {lost} is given up. No longer hold: 1 erasure." in done.output
    # The process that lacked it goes on.
    assert call().status_code == 200
    with app.app_context(), database.reading() as connection:
        told = connection.execute(select(Audit.what, Audit.about)).all()
    assert ("erasure_key_given_up", f"key {lost}") in map(tuple, told)
    (listed,) = run(app, "erasures").output.splitlines()
    assert listed.split("\t")[3].startswith("lifted by the command line")
    assert f"The key {lost} was given up." in text(app.test_client().get("/review/erasures/1"))


def test_of_what_is_lifted_in_part_it_is_said_how_much_holds(
    app: Flask, client: FlaskClient
) -> None:
    remember(DOC, "555-4385", "emmett@hillvalley.edu")
    remember(DOC)

    def told() -> list[str]:
        # Neither has given back any space, of which there is none.
        return [
            line.split("\t")[3].split(";")[0] for line in run(app, "erasures").output.splitlines()
        ]

    assert told() == ["erased before", "holds"]
    lifting.lift(values(DOC), "marty", None)
    assert told()[1] == "lifted in part by marty: 2 identifiers still not taken in"
    page = text(client.get("/review/erasures/1"))
    assert "Lifted in part by" in page
    assert "2 identifiers are still not taken in" in page
    assert "Lifted in part" in text(client.get("/review/erasures"))
    assert client.get("/erasures/1").get_json()["erasure"]["holds"] == 2
    lifting.lift(values("555-4385"), "marty", None, together=True)
    assert told()[1] == "lifted by marty"


def test_a_key_that_is_there_is_not_given_up(app: Flask) -> None:
    remember(DOC)

    refused = run(app, "erasures", "give-up", f"{Key(ERASURE_KEY).version:08x}", "--yes")

    assert ("not lost" in refused.output, kept()) == (True, 1)


def dump(url: str, path: Path) -> None:
    """Take a backup, as the docs say it."""
    if url.startswith("sqlite"):
        with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as connection:
            connection.execute("VACUUM INTO ?", (str(path),))
    else:
        options = "--format=custom", f"--file={path}", url
        subprocess.run([binaries() / "pg_dump", *options], check=True)


def restore(url: str, path: Path) -> None:
    if url.startswith("sqlite"):
        shutil.copy(path, url.removeprefix("sqlite:///"))
    else:
        options = "--clean", "--if-exists", f"--dbname={url}", str(path)
        subprocess.run([binaries() / "pg_restore", *options], check=True)


def test_after_a_restore_erasures_are_made_again(
    database_url: str, make: Make, tmp_path: Path
) -> None:
    backup, kept = tmp_path / "backup", tmp_path / "erasures.json"
    app = make()
    with app.app_context():
        identify(Identifiers(DOC, "5554385"), source="test")
        identify(Identifiers("biff@hillvalley.edu", None), source="test")
        dump(database_url, backup)
        erasing.erase(Wanted(frozenset(values(DOC))), Ordered("marty"))
        assert DOC not in all_texts()
        run = app.test_cli_runner().invoke
        assert run(args=["identity", "erasures", "export", str(kept)]).exit_code == 0
        assert DOC not in kept.read_text()
        close(app)
    restore(database_url, backup)
    app = make()
    with app.app_context():
        assert DOC in all_texts()

        done = app.test_cli_runner().invoke(args=["identity", "erasures", "apply", str(kept)])

        assert done.output == "Taken over: 1 erasure.\nErased again: 2 identifiers.\n"
        assert DOC not in all_texts()
        assert "5554385" not in all_texts()
        assert "biff@hillvalley.edu" in all_texts()
        with pytest.raises(InvalidInput):
            identify(Identifiers(DOC, "5554385"), source="test")
        assert verify().problems == []


@pytest.mark.usefixtures("app")
def test_whoever_stands_in_files_and_prose_only_goes_again_too(
    app: Flask, see: See, tmp_path: Path
) -> None:
    remember(DOC, "+17755550154", "555-4385", "clara@x.org")
    backup = tmp_path / "erasures.json"
    backup.write_bytes(filing.export())
    nobody_erased()
    marty = see("marty@hillvalley.edu")
    give = partial(register.give, "customers.csv", "test")
    american = give(b"Name;Phone\nEmmett;(775) 555-0154\n")
    register.note(american, choices={"region": "US"})
    give(b"Phone\tName\n717171\tBiff\n")
    rejected = b"rejected_line,rejected_because,email,phone\n2,x,nobody,5554385\n3,x,Biff,71x\n"
    register.note(give(None), rejects=rejected)
    identify(Identifiers("marty@hillvalley.edu", None), source="x", name=f"Marty ({DOC})")
    applying.rule(LinksNobody(*values("0000000")), Ordered("test", "Clara@X.org says so."))

    done = run(app, "erasures", "apply", backup)

    assert done.output == "Taken over: 1 erasure.\nErased again: 4 identifiers.\n"
    told = all_texts().lower()
    assert not [it for it in (DOC, "555-0154", "5554385", "clara@") if it in told]
    assert "717171" in told
    assert "biff,71x" in told
    assert see("marty@hillvalley.edu").primary_id == marty.primary_id
    assert "Erased again: 0 identifiers." in run(app, "erasures", "apply", backup).output


def test_erased_and_imported_again_the_old_file_brings_nothing(client: FlaskClient) -> None:
    content = b"email,phone,name\ndoc@hillvalley.edu,555-4385,Emmett Brown\n,717171,Biff\n"
    bring(content)
    erasing.erase(Wanted(frozenset(values(DOC))), Ordered("marty"))

    tally = bring(content)

    assert (tally.contacts, tally.claims, tally.erased, tally.repeats) == (0, 0, 1, 1)
    assert register.latest()[0].counts["erased"] == 1
    assert "Emmett" not in all_texts()
    (erasure,) = client.get("/erasures").get_json()["erasures"]
    assert erasure["tries"] == 2
    assert erasure["lastTriedAt"]


def test_programs_and_commands_let_somebody_come_back(app: Flask, client: FlaskClient) -> None:
    remember(DOC, "555-4385")
    remember("marty@hillvalley.edu")

    wrong = client.post("/erasures/lift", json={"customer": 1})
    unknown = client.post("/erasures/lift", json={"identifiers": [{"email": "a@b.example"}]})
    done = client.post("/erasures/lift", json={"identifiers": [{"email": DOC}], "together": True})

    assert (wrong.status_code, unknown.status_code) == (400, 404)
    assert (done.status_code, done.get_json()) == (200, {"lifted": [1]})
    run = app.test_cli_runner().invoke
    lifted = run(args=["identity", "erasures", "lift", "marty@hillvalley.edu", "--reason", "Yes"])
    assert (lifted.exit_code, lifted.output) == (0, "Lifted: erasure 2.\n")
    listed = run(args=["identity", "erasures"])
    assert "lifted by" in listed.output


def test_a_new_key_signs_beside_the_older_ones(make: Make, tmp_path: Path) -> None:
    file = tmp_path / "keys"
    oldest = "an-older-key-of-which-there-is-no-hash-any-more"
    file.write_text(f"{ERASURE_KEY}\n{oldest}\n")
    app = make(ERASURE_KEY="", ERASURE_KEY_FILE=str(file))
    with app.app_context():
        remember(DOC)
        run = app.test_cli_runner().invoke

        assert run(args=["identity", "erasures", "rotate"]).exit_code == 0

        new, *older = file.read_text().split()
        assert older == [ERASURE_KEY, oldest]
        forgetting.here().keys.reload()
        remember("marty@hillvalley.edu")
        with database.reading() as connection:
            known = hashes.remembered(connection, values(DOC, "marty@hillvalley.edu"))
        assert len(known) == 2
        assert new != ERASURE_KEY


def test_what_runs_while_a_key_is_rotated_may_still_sign_with_the_old_one(
    make: Make, tmp_path: Path
) -> None:
    file = tmp_path / "keys"
    file.write_text(f"{ERASURE_KEY}\n")
    settings = {"ERASURE_KEY": "", "ERASURE_KEY_FILE": str(file)}
    running, shell = make(**settings), make(**settings)
    with shell.app_context():
        run = shell.test_cli_runner().invoke
        assert run(args=["identity", "erasures", "rotate"]).exit_code == 0

    with running.app_context():
        remember(DOC)

    afterwards = make(**settings)
    assert afterwards.test_client().get("/ready").status_code == 200
    with afterwards.app_context(), database.reading() as connection:
        assert hashes.remembered(connection, values(DOC)) == set(values(DOC))
