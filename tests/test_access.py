"""Keys and users, as whoever runs the service makes and ends them."""

import pytest
from flask import Flask

from identity import access
from identity.access import Scope, keys, users
from identity.errors import InvalidInput
from tests.conftest import COSTLY
from tests.terminal import run

PASSWORD = "great scott, 1.21"


def test_a_key_is_shown_once_and_listed_by_its_name(app: Flask) -> None:
    made = run(app, "key", "create", "shop", "--scope", "resolve", "--scope", "read")
    token = made.stdout.strip()

    listed = run(app, "key", "list").output
    key = access.key_of(token)

    assert token.startswith("idk_")
    assert token not in made.stderr
    assert token not in listed
    assert "shop\tread resolve\t" in listed
    assert key is not None
    assert key.scopes == {Scope.READ, Scope.RESOLVE}


def test_a_password_is_kept_so_that_each_guess_costs_time_and_memory(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(users, "_hasher", COSTLY)

    access.create_user("Doc", PASSWORD)

    # RFC 9106, for a server with little memory: 64 MiB, three times, in four lanes.
    assert str(access.password_hash_of("Doc")).startswith("$argon2id$v=19$m=65536,t=3,p=4$")
    assert access.is_password_of("Doc", PASSWORD)
    assert not access.is_password_of("Doc", PASSWORD.title())


def test_a_key_may_be_for_rulings(app: Flask) -> None:
    token = run(app, "key", "create", "desk", "--scope", "steward").stdout.strip()

    key = access.key_of(token)

    assert key is not None
    assert key.scopes == {Scope.STEWARD}


def test_a_key_identifies_unless_said_otherwise(app: Flask) -> None:
    token = run(app, "key", "create", "shop").stdout.strip()

    key = access.key_of(token)

    assert key is not None
    assert key.scopes == {Scope.IDENTIFY}


def test_a_revoked_key_is_of_no_use_and_stays_in_the_list(app: Flask) -> None:
    token = run(app, "key", "create", "shop").stdout.strip()

    assert run(app, "key", "revoke", "shop").exit_code == 0

    assert access.key_of(token) is None
    assert "revoked" in run(app, "key", "list").output


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("key", "create", "shop"), "There is a key shop already"),
        (("key", "create", "import:1"), "no colon"),
        (("key", "create", " "), "1 to 100 printable characters"),
        (("key", "create", "doc@hillvalley.edu"), "no @"),
        (("key", "create", "+17755550154"), "with a letter"),
        (("key", "create", "environment"), "environment is the source of something else"),
        (("key", "create", "evidence"), "evidence is the source of something else"),
        (("key", "create", "the command line"), "is the source of something else"),
        (("key", "create", "feed:shopify"), "no colon"),
        (("key", "create", "desk", "--scope", "rule"), "'rule' is not one of"),
        (("key", "revoke", "market"), "There is no key market in use."),
        (("user", "create", "Doc", "--password", PASSWORD), "There is a user Doc already."),
        (("user", "create", "Marty", "--password", "short"), "at least 12 characters"),
        (("user", "password", "Marty", "--password", PASSWORD), "There is no user Marty."),
        (("user", "remove", "Marty"), "There is no user Marty."),
    ],
)
def test_what_cannot_be_done_is_one_sentence(
    app: Flask, arguments: tuple[str, ...], sentence: str
) -> None:
    access.create_key("shop", {Scope.IDENTIFY})
    access.create_user("Doc", PASSWORD)

    result = run(app, *arguments)

    # What goes against what is on record is refused otherwise than what nobody could do.
    assert result.exit_code == (6 if sentence.startswith("There is no ") else 2)
    assert sentence in result.output
    assert "Traceback" not in result.output


def test_users_come_and_go(app: Flask) -> None:
    run(app, "user", "create", "Doc", "--password", PASSWORD)
    assert access.is_password_of("Doc", PASSWORD)
    assert not access.is_password_of("Doc", "another one")
    assert not access.is_password_of("Marty", PASSWORD)

    run(app, "user", "password", "Doc", "--password", "another one, Marty")
    assert access.is_password_of("Doc", "another one, Marty")

    assert run(app, "user", "list").output.startswith("Doc\tsteward\t")
    run(app, "user", "remove", "Doc")
    assert not access.is_password_of("Doc", "another one, Marty")
    assert run(app, "user", "list").output == ""


def test_guesses_do_not_fill_the_memory(app: Flask) -> None:
    for guess in range(1100):
        access.key_of(f"idk_{guess}")

    assert len(keys.with_hash._answers) <= 1001


def test_a_name_without_letters_is_refused() -> None:
    with pytest.raises(InvalidInput):
        access.create_key("\n", {Scope.READ})
