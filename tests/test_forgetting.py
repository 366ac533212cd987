"""What is kept of people who were erased: keyed hashes, and the keys that they need."""

import hashlib
import hmac
import stat
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select

from identity import database, forgetting, once
from identity.errors import ConfigurationError, Conflict, Unavailable
from identity.forgetting.keys import Key, Keys
from identity.identifiers import Value, email_value, parse_one
from identity.models import Erased
from tests.conftest import ERASURE_KEY, Make, app_on, close
from tests.erasing import remember, values

DOC = email_value("doc@hillvalley.edu")
OTHER_KEY = "another-key-that-came-later-and-signs-now"


def asked(*typed: str) -> set[Value]:
    with database.reading() as connection:
        return forgetting.remembered(connection, values(*typed))


@pytest.mark.parametrize("secret", [ERASURE_KEY, "k" * 64, "a longer key than a block has " * 4])
def test_a_hash_is_that_of_the_library(secret: str) -> None:
    expected = hmac.digest(secret.encode(), b"email:doc@hillvalley.edu", "sha256")

    assert Key(secret).digest(DOC) == expected


def test_an_email_and_a_phone_number_never_have_the_same_hash() -> None:
    key = Key(ERASURE_KEY)

    assert key.digest(parse_one("123456")) != key.digest(Value(DOC.kind, "123456"))


def test_who_mistypes_a_key_has_another_one() -> None:
    assert Key(ERASURE_KEY).version != Key(ERASURE_KEY + "x").version
    assert ERASURE_KEY not in repr(Key(ERASURE_KEY))


@pytest.mark.usefixtures("app")
def test_what_was_erased_is_known_again() -> None:
    remember("doc@hillvalley.edu", "+17755550154")

    assert asked("doc@hillvalley.edu", "marty@hillvalley.edu") == {DOC}
    assert asked("+1 775 555 0154") == set(values("+17755550154"))


@pytest.mark.usefixtures("app")
def test_what_is_on_record_is_a_keyed_hash_and_nothing_else() -> None:
    remember("doc@hillvalley.edu")

    with database.reading() as connection:
        ((kind, version, digest),) = connection.execute(
            select(Erased.kind, Erased.version, Erased.digest)
        ).all()
    assert (kind, version) == ("email", Key(ERASURE_KEY).version)
    assert digest == Key(ERASURE_KEY).digest(DOC).hex()
    assert digest != hashlib.sha256(b"doc@hillvalley.edu").hexdigest()


@pytest.mark.usefixtures("app")
def test_nothing_is_asked_where_nobody_was_erased() -> None:
    with database.reading() as connection:
        assert forgetting.recalled(connection, [DOC]) == set()
    assert forgetting.here().up_to == 0


def test_the_first_key_signs_and_all_are_known(make: Make) -> None:
    with make().app_context():
        remember("doc@hillvalley.edu")
    both = make(ERASURE_KEY=f"{OTHER_KEY} {ERASURE_KEY}")

    with both.app_context():
        remember("marty@hillvalley.edu")

        assert asked("doc@hillvalley.edu", "marty@hillvalley.edu") == {
            DOC,
            *values("marty@hillvalley.edu"),
        }
        with database.reading() as connection:
            versions = connection.scalars(select(Erased.version).order_by(Erased.erasure_id))
            assert list(versions) == [Key(ERASURE_KEY).version, Key(OTHER_KEY).version]


def test_without_the_key_of_a_hash_nothing_is_answered(make: Make) -> None:
    with make().app_context():
        remember("doc@hillvalley.edu")
    other = make(ERASURE_KEY=OTHER_KEY)

    with other.app_context(), pytest.raises(Unavailable, match=Key(ERASURE_KEY).name):
        asked("marty@hillvalley.edu")


def test_a_file_of_keys_that_goes_bad_while_it_is_served_is_said(
    make: Make, tmp_path: Path
) -> None:
    file = tmp_path / "keys"
    file.write_text(OTHER_KEY)
    client = make(ERASURE_KEY="", ERASURE_KEY_FILE=str(file)).test_client()
    with make().app_context():
        remember("doc@hillvalley.edu")
    file.write_text("half a k")

    answer = client.post("/identify", json={"email": "marty@hillvalley.edu"})

    assert answer.status_code == 503
    assert "ERASURE_KEY_FILE cannot be read" in answer.get_json()["error"]
    assert str(tmp_path) not in answer.text
    file.write_text(f"{OTHER_KEY}\n{ERASURE_KEY}\n")
    assert client.post("/identify", json={"email": "marty@hillvalley.edu"}).status_code == 200


def test_without_a_key_nobody_is_erased(make: Make, backend: str, tmp_path: Path) -> None:
    none = make(ERASURE_KEY="", ERASURE_KEY_FILE=str(tmp_path / "keys"))

    with none.app_context(), pytest.raises(Conflict, match="new-key"):
        remember("doc@hillvalley.edu")

    (tmp_path / "keys").write_text(ERASURE_KEY + "\n")
    with none.app_context():
        remember("doc@hillvalley.edu")
        assert asked("doc@hillvalley.edu") == {DOC}


def test_a_database_that_is_a_file_has_its_key_in_a_file_beside_it(
    migrated_sqlite: Path, tmp_path: Path
) -> None:
    path = tmp_path / "identity.sqlite3"
    path.write_bytes(migrated_sqlite.read_bytes())
    app, other = (app_on(f"sqlite:///{path}", ERASURE_KEY="") for _ in range(2))
    key = tmp_path / "identity.erasure-key"
    assert not key.exists()

    with app.app_context():
        remember("doc@hillvalley.edu")

    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    with other.app_context():
        assert asked("doc@hillvalley.edu") == {DOC}
    for each in app, other:
        close(each)


def test_tries_are_counted(app: Flask) -> None:
    remember("doc@hillvalley.edu", "marty@hillvalley.edu")

    forgetting.tried({DOC: 2})
    forgetting.tried({DOC: 1})

    with database.reading() as connection:
        tries = connection.execute(select(Erased.tries, Erased.last_tried_at)).all()
    assert sorted(each for each, _ in tries) == [0, 3]
    assert sorted(at is None for _, at in tries) == [False, True]


def test_each_line_of_a_file_is_one_key(tmp_path: Path) -> None:
    file = tmp_path / "keys"
    file.write_text(f"# the key of {ERASURE_KEY}\n\n  {OTHER_KEY}\n{ERASURE_KEY}\n")

    assert Keys((), file).secrets() == [OTHER_KEY, ERASURE_KEY]


@pytest.mark.parametrize(
    "content", [b"abc", f"{ERASURE_KEY} {OTHER_KEY}".encode(), b"\xff\xfe" * 40, None]
)
def test_a_file_that_holds_no_keys_is_refused(tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "keys"
    file.mkdir() if content is None else file.write_bytes(content)

    with pytest.raises(ConfigurationError, match="ERASURE_KEY_FILE"):
        Keys((), file)


def test_a_file_of_keys_is_read_again(tmp_path: Path) -> None:
    keys = Keys((), tmp_path / "keys")
    assert keys.all() == []

    once.kept(tmp_path / "keys")
    keys.reload()

    assert len(keys.all()) == 1
