"""The schema: what the migrations make is what the models say, and the way back works."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask import Flask
from flask_migrate import downgrade, upgrade
from sqlalchemy import inspect, text
from sqlalchemy.exc import IntegrityError

from identity import ROOT
from identity.database import Base, db
from identity.identifiers import Identifiers
from identity.reconciliation import identify
from identity.verification import verify
from tests.conftest import app_on, close


@pytest.fixture
def fresh(backend: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Flask]:
    """The application on a database that holds nothing at all."""
    url = f"sqlite:///{tmp_path}/fresh.sqlite3"
    if backend == "postgresql":
        server = request.getfixturevalue("postgres_server")
        with psycopg.connect(server.url(), autocommit=True) as connection:
            connection.execute("DROP DATABASE IF EXISTS fresh")
            connection.execute("CREATE DATABASE fresh")
        url = server.url("fresh")
    app = app_on(url)
    with app.app_context():
        yield app
        close(app)


def tables() -> set[str]:
    return set(inspect(db.engine).get_table_names()) - {"alembic_version"}


def fingerprint() -> dict[str, object]:
    """What a comparison of columns and names leaves out: the text of checks and indexes."""
    inspector = inspect(db.engine)
    told: dict[str, object] = {}
    for table in tables():
        for check in inspector.get_check_constraints(table):
            told[f"{table}.{check['name']}"] = check["sqltext"]
        for index in filter(
            lambda index: not_the_search_index(index["name"]), inspector.get_indexes(table)
        ):
            options = index["dialect_options"]
            told[f"{table}.{index['name']}"] = {key: str(options[key]) for key in options}
    return told


def not_the_search_index(name: str | None, *_: object) -> bool:
    """It needs an extension that not every PostgreSQL has, so the models do without it."""
    return name != "ix_identifier_value"


@pytest.mark.usefixtures("fresh")
def test_the_migrations_make_what_the_models_say() -> None:
    upgrade()

    with db.engine.connect() as connection:
        options = {"compare_type": True, "include_name": not_the_search_index}
        context = MigrationContext.configure(connection, opts=options)
        assert compare_metadata(context, Base.metadata) == []
    migrated = fingerprint()
    downgrade(revision="base")
    with db.engine.begin() as connection:
        Base.metadata.create_all(connection)
    assert migrated == fingerprint()
    assert len(migrated) >= 10


@pytest.mark.usefixtures("fresh")
def test_the_way_back_leaves_nothing_and_the_way_forth_works_again() -> None:
    upgrade()

    downgrade(revision="base")
    assert tables() == set()

    upgrade()
    assert tables() == {"contact", "identifier", "link", "event", "import", "api_key", "staff"}


@pytest.mark.usefixtures("fresh")
def test_the_version_before_imports_keeps_the_history() -> None:
    upgrade()
    with db.engine.begin() as connection:
        for kind in ("contact_created", "primary_changed", "clusters_merged"):
            connection.execute(text(EVENT), {"kind": kind})

    downgrade(revision="0002")
    upgrade()

    with db.engine.connect() as connection:
        kinds = connection.scalars(text("SELECT kind FROM event ORDER BY id")).all()
    assert kinds == ["contact_created", "clusters_merged", "clusters_merged"]


EVENT = (
    "INSERT INTO event (occurred_at, kind, source, primary_id, contact_id)"
    " VALUES ('2026-01-01', :kind, 'test', 1, 2)"
)


@pytest.mark.usefixtures("fresh")
def test_a_table_full_of_data_may_be_replaced(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "migrations", tmp_path / "migrations")
    (tmp_path / "migrations/versions/9999_later.py").write_text(LATER)
    upgrade(directory=str(tmp_path / "migrations"), revision="0004")
    primary = identify(Identifiers("doc@hillvalley.edu", "5554385"), source="test").cluster
    identify(Identifiers("emmett@brown.org", "5554385"), source="test")

    upgrade(directory=str(tmp_path / "migrations"))

    assert "note" in {column["name"] for column in inspect(db.engine).get_columns("contact")}
    again = identify(Identifiers("doc@hillvalley.edu", None), source="test").cluster
    assert again.primary_id == primary.primary_id
    assert verify().problems == []


LATER = """
import sqlalchemy as sa
from alembic import op

revision = "9999"
down_revision = "0004"


def upgrade():
    with op.batch_alter_table("contact") as batch:
        batch.add_column(sa.Column("note", sa.Text()))
        batch.alter_column("link_precedence", type_=sa.String(20))
"""


def test_there_is_one_head() -> None:
    assert len(ScriptDirectory(str(ROOT / "migrations")).get_heads()) == 1


CONTACT = (
    "INSERT INTO contact (id, email, phone_number, linked_id, link_precedence, created_at,"
    " updated_at) VALUES ({}, '2026-01-01', '2026-01-01')"
)


@pytest.mark.usefixtures("app")
@pytest.mark.parametrize(
    ("row", "constraint"),
    [
        ("2, NULL, NULL, NULL, 'primary'", "ck_contact_something_given"),
        ("2, '', NULL, NULL, 'primary'", "ck_contact_nothing_empty"),
        ("2, 'doc', '', NULL, 'primary'", "ck_contact_nothing_empty"),
        ("2, 'doc', NULL, 2, 'secondary'", "ck_contact_not_linked_to_itself"),
        ("2, 'doc', NULL, 1, 'primary'", "ck_contact_primary_is_unlinked"),
        ("2, 'doc', NULL, NULL, 'secondary'", "ck_contact_primary_is_unlinked"),
        ("2, 'doc', NULL, 1, 'tertiary'", "ck_contact_precedence"),
    ],
)
def test_the_database_itself_refuses_what_may_never_be(row: str, constraint: str) -> None:
    with db.engine.begin() as connection:
        connection.execute(text(CONTACT.format("1, 'marty', '1', NULL, 'primary'")))

    with pytest.raises(IntegrityError, match=constraint), db.engine.begin() as connection:
        connection.execute(text(CONTACT.format(row)))


@pytest.mark.usefixtures("app")
def test_an_identifier_belongs_to_one_contact_only() -> None:
    with db.engine.begin() as connection:
        for id_ in (1, 2):
            connection.execute(text(CONTACT.format(f"{id_}, 'x{id_}', NULL, NULL, 'primary'")))
        connection.execute(text("INSERT INTO identifier VALUES ('email', 'x', 1)"))

    with pytest.raises(IntegrityError), db.engine.begin() as connection:
        connection.execute(text("INSERT INTO identifier VALUES ('email', 'x', 2)"))
    with pytest.raises(IntegrityError), db.engine.begin() as connection:
        connection.execute(text("INSERT INTO identifier VALUES ('email', 'y', 3)"))
