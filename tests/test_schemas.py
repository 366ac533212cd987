"""Shops that share one PostgreSQL database, each in a schema of its own."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest
from flask import Flask
from flask_migrate import downgrade, upgrade

from identity import access, searching
from identity.access import Scope
from identity.errors import Unavailable
from identity.identifiers import Identifiers
from identity.models import Import, Ruling
from identity.reconciliation import identify
from identity.rulings import applying
from identity.rulings.applying import Ordered
from identity.rulings.kinds import parse
from identity.verification import verify
from identity.web.counters import shared_file
from tests.bringing import as_file, bring
from tests.conftest import app_on, close
from tests.tables import count

ONE, OTHER = "shop_a,public", "%22Shop-B%22,public"
TRIGRAMS = "SELECT schemaname FROM pg_indexes WHERE indexdef LIKE '%gin_trgm_ops%' ORDER BY 1"
PLACE = (
    "SELECT nspname FROM pg_extension JOIN pg_namespace ON pg_namespace.oid = extnamespace"
    " WHERE extname = 'pg_trgm'"
)


def of(url: str, path: str) -> str:
    """Return the address of a shop in the database."""
    return f"{url}?options=-csearch_path%3D{path}"


def execute(url: str, *statements: str) -> list[str]:
    """Return the first column of what the last statement answers with."""
    with psycopg.connect(url, autocommit=True) as connection:
        for statement in statements:
            cursor = connection.execute(statement)
        return [row[0] for row in cursor] if cursor.description else []


@contextmanager
def within(url: str) -> Iterator[Flask]:
    """Be that shop."""
    app = app_on(url)
    with app.app_context():
        yield app
    close(app)


def migrated(url: str) -> str:
    with within(url):
        upgrade()
    return url


@pytest.fixture
def shops(empty_database: str) -> list[str]:
    execute(empty_database, "CREATE SCHEMA shop_a", 'CREATE SCHEMA "Shop-B"')
    return [migrated(of(empty_database, path)) for path in (ONE, OTHER)]


def test_two_shops_see_nothing_of_each_other(shops: list[str], empty_database: str) -> None:
    for url in shops:
        with within(url):
            customer = identify(Identifiers("doc@hillvalley.edu", "5554385"), source="till")
            assert customer.cluster.primary_id == 1
    with within(shops[0]) as app:
        identify(Identifiers("marty@hillvalley.edu", "5554385"), source="till")
        rows = [(f"{number}@hillvalley.edu", f"555{number:04}") for number in range(30)]
        bring(as_file([(*row, None, "") for row in rows]))
        applying.rule(parse({"kind": "links_nobody", "value": {"email": "x@y.zz"}}), Ordered("me"))
        token = access.create_key("shop", {Scope.IDENTIFY})
        asked = {"Authorization": f"Bearer {token}"}
        answer = app.test_client().post("/identify", json={"email": "x@z.zz"}, headers=asked)
        assert answer.status_code == 200
    with within(shops[1]) as app:
        assert access.all_keys() == []
        assert (count(Import), count(Ruling), verify().contacts) == (0, 0, 1)
        asked_for = searching.read("hillvalley")
        assert [match.primary_id for match in searching.search(asked_for).matches] == [1]
        assert app.test_client().get("/clusters/2.json").status_code == 404
    assert shared_file(shops[0]) != shared_file(shops[1])
    assert execute(empty_database, TRIGRAMS) == ["Shop-B", "Shop-B", "shop_a", "shop_a"]
    # It stays when a shop goes.
    assert execute(empty_database, PLACE) == ["public"]
    with within(shops[0]):
        downgrade(revision="base")
    with within(shops[1]):
        assert verify().problems == []


def test_a_shop_beside_one_that_has_the_public_schema(empty_database: str) -> None:
    migrated(empty_database)
    with within(empty_database):
        identify(Identifiers("doc@hillvalley.edu", "5554385"), source="till")
    execute(empty_database, "CREATE SCHEMA shop_a")

    with within(of(empty_database, ONE)) as app:
        # Not migrated: what it would find is the other's.
        assert app.test_client().get("/ready").status_code == 503
        upgrade()
        assert verify().contacts == 0
        assert app.test_client().get("/ready").status_code == 200


def test_a_shop_without_its_schema_is_told_so(empty_database: str) -> None:
    migrated(empty_database)

    with within(of(empty_database, ONE)) as app:
        answer = app.test_client().get("/ready")
        with pytest.raises(Unavailable, match="has no schema shop_a"):
            upgrade()

    assert answer.status_code == 503
    assert "CREATE SCHEMA shop_a." in answer.get_json()["error"]


@pytest.mark.parametrize("at", ["base", "0002"])
def test_a_database_that_has_the_extension_elsewhere(empty_database: str, at: str) -> None:
    execute(empty_database, "CREATE SCHEMA shop_a", "CREATE SCHEMA shop_b")
    execute(empty_database, "CREATE EXTENSION pg_trgm SCHEMA shop_b")
    with within(of(empty_database, "shop_a")):
        if at != "base":
            upgrade(revision=at)
        upgrade()

    assert execute(empty_database, TRIGRAMS) == ["shop_a", "shop_a"]


def test_who_may_not_use_the_extension_searches_without(empty_database: str) -> None:
    execute(
        empty_database,
        "CREATE SCHEMA extensions",
        "CREATE EXTENSION pg_trgm SCHEMA extensions",
        "CREATE ROLE shopkeeper LOGIN",
        "CREATE SCHEMA shop_a AUTHORIZATION shopkeeper",
    )
    try:
        theirs = empty_database.replace("identity@", "shopkeeper@")
        migrated(of(theirs, "shop_a"))
        assert execute(empty_database, TRIGRAMS) == []
    finally:
        execute(empty_database, "DROP OWNED BY shopkeeper", "DROP ROLE shopkeeper")


def test_a_new_owner_adds_the_extension_where_all_find_it(empty_database: str) -> None:
    name = empty_database.rpartition("/")[2]
    execute(
        empty_database,
        "CREATE ROLE shopkeeper LOGIN",
        f"GRANT CREATE ON DATABASE {name} TO shopkeeper",
        "REVOKE CREATE ON SCHEMA public FROM PUBLIC",
        "CREATE SCHEMA shop_a AUTHORIZATION shopkeeper",
    )
    try:
        migrated(of(empty_database.replace("identity@", "shopkeeper@"), "shop_a"))
        assert execute(empty_database, TRIGRAMS) == ["shop_a", "shop_a"]
        assert execute(empty_database, PLACE) == ["public"]
    finally:
        execute(empty_database, "DROP OWNED BY shopkeeper CASCADE", "DROP ROLE shopkeeper")
