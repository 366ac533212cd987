"""The schema: what the migrations make is what the models say, and the way back works."""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask import Flask
from flask_migrate import downgrade, upgrade
from sqlalchemy import inspect, select, text
from sqlalchemy.exc import IntegrityError

from identity import ROOT, access
from identity.access import Role
from identity.database import Base, db
from identity.identifiers import Identifiers
from identity.models import Claim
from identity.reconciliation import identify
from identity.transcribing import pending, transcribe
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
            lambda index: of_the_models(index["name"]), inspector.get_indexes(table)
        ):
            options = index["dialect_options"]
            told[f"{table}.{index['name']}"] = {key: str(options[key]) for key in options}
    return told


def of_the_models(name: str | None, *_: object) -> bool:
    """Not so indexes that not every PostgreSQL can have, and a table that nobody writes now."""
    return name not in ("ix_identifier_value", "ix_reference_name", "link")


@pytest.mark.usefixtures("fresh")
def test_the_migrations_make_what_the_models_say() -> None:
    upgrade()

    with db.engine.connect() as connection:
        options = {"compare_type": True, "include_name": of_the_models}
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
    assert tables() == {*Base.metadata.tables, "link"}


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


SOMEBODY = """
INSERT INTO staff (id, name, password_hash, created_at) VALUES (1, 'Doc', 'hashed', '2026-01-01');
INSERT INTO api_key (id, name, hash, scopes, created_at, revoked_at)
VALUES (1, 'shop', 'hash', 'read', '2026-01-01', '2026-01-02')
"""


@pytest.mark.usefixtures("fresh")
def test_who_was_a_user_may_do_what_they_could_and_is_told_apart_on() -> None:
    upgrade(revision="0006")
    run(SOMEBODY)

    upgrade()

    assert [(each.name, each.role) for each in access.users_by_name()] == [("Doc", Role.STEWARD)]
    access.remove_user("Doc")
    assert access.anybody()
    # In the words of the version before, which may still run.
    run(SOMEBODY.partition(";")[0].replace("1, 'Doc'", "2, 'Marty'"))
    assert [each.role for each in access.users_by_name()] == [Role.STEWARD]
    downgrade(revision="0006")
    with db.engine.connect() as connection:
        assert connection.scalars(text("SELECT name FROM staff")).all() == ["Marty"]
        assert connection.scalars(text("SELECT name FROM api_key")).all() == ["shop"]


@pytest.mark.usefixtures("fresh")
def test_where_nobody_was_told_apart_nobody_is() -> None:
    upgrade(revision="0006")

    upgrade()

    access.forget()
    assert not access.anybody()


@pytest.mark.usefixtures("fresh")
def test_a_table_full_of_data_may_be_replaced(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "migrations", tmp_path / "migrations")
    last = ScriptDirectory(str(ROOT / "migrations")).get_current_head() or ""
    (tmp_path / "migrations/versions/9999_later.py").write_text(LATER.replace("LAST", last))
    upgrade(directory=str(tmp_path / "migrations"), revision=last)
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
down_revision = "LAST"


def upgrade():
    with op.batch_alter_table("contact") as batch:
        batch.add_column(sa.Column("note", sa.Text()))
        batch.alter_column("link_precedence", type_=sa.String(20))
"""


ONE_DAY = """
INSERT INTO contact
    (id, email, phone_number, linked_id, link_precedence, created_at, updated_at)
VALUES
    (1, 'lorraine@hillvalley.edu', '123456', NULL, 'primary', '2026-01-01', '2026-01-01'),
    (2, 'mcfly@hillvalley.edu', '123456', 1, 'secondary', '2026-01-02', '2026-01-02'),
    (3, 'george@hillvalley.edu', NULL, 4, 'secondary', '2026-01-03', '2026-01-05'),
    (4, NULL, '919191', NULL, 'primary', '1955-11-05', '2026-01-04'),
    (5, 'mcfly@hillvalley.edu', '123457', 1, 'secondary', '2026-01-06', '2026-01-06');
INSERT INTO identifier (kind, value, contact_id) VALUES
    ('email', 'lorraine@hillvalley.edu', 1), ('phone', '123456', 1),
    ('email', 'mcfly@hillvalley.edu', 2), ('email', 'george@hillvalley.edu', 3),
    ('phone', '919191', 4), ('phone', '123457', 5);
INSERT INTO link (email, phone_number, source, first_seen_at) VALUES
    ('lorraine@hillvalley.edu', '123456', 'web', '2026-01-01'),
    ('mcfly@hillvalley.edu', '123456', 'web', '2026-01-02'),
    ('george@hillvalley.edu', '919191', 'import:8', '2026-01-05'),
    ('mcfly@hillvalley.edu', '123457', 'import:seven', '2026-01-06'),
    ('lorraine@hillvalley.edu', '123457', 'form', '2026-01-07');
INSERT INTO event (id, kind, source, primary_id, contact_id, email, phone_number, occurred_at)
VALUES
    (10, 'contact_created', 'web', 1, 1, 'lorraine@hillvalley.edu', '123456', '2026-01-01'),
    (11, 'contact_linked', 'web', 1, 2, 'mcfly@hillvalley.edu', '123456', '2026-01-02'),
    (12, 'contact_created', 'erp', 3, 3, 'george@hillvalley.edu', NULL, '2026-01-03'),
    (13, 'contact_created', 'import:7', 4, 4, NULL, '919191', '2026-01-04'),
    (14, 'clusters_merged', 'import:8', 4, 3, 'george@hillvalley.edu', '919191', '2026-01-05'),
    (15, 'primary_changed', 'import:7', 4, 3, NULL, '919191', '2026-01-05'),
    (16, 'contact_linked', 'import:seven', 1, 5, 'mcfly@hillvalley.edu', '123457', '2026-01-06'),
    (17, 'link_seen', 'form', 1, NULL, 'lorraine@hillvalley.edu', '123457', '2026-01-07');
"""


def run(statements: str) -> None:
    """Run statements, and count on from the ids that they gave."""
    midnight = " 00:00+00" if db.engine.dialect.name == "postgresql" else " 00:00:00.000000"
    statements = re.sub(r"'(\d{4}-\d\d-\d\d)'", rf"'\g<1>{midnight}'", statements)
    with db.engine.begin() as connection:
        for statement in filter(str.strip, statements.split(";")):
            connection.exec_driver_sql(statement)
        if connection.dialect.name == "postgresql":
            for table in "contact", "event":
                connection.execute(text(COUNT_ON.replace("TABLE", table)))


COUNT_ON = """
SELECT setval(seq, greatest(nextval(seq), (SELECT coalesce(max(id), 0) + 1 FROM TABLE)), false)
FROM (SELECT pg_get_serial_sequence('TABLE', 'id') AS seq) AS counter
"""


def claims(*columns: str) -> list[tuple[Any, ...]]:
    chosen = select(*(Claim.table().c[column] for column in columns)).order_by(Claim.table().c.id)
    with db.engine.connect() as connection:
        return [tuple(row) for row in connection.execute(chosen)]


@pytest.mark.usefixtures("fresh")
def test_the_ledger_becomes_claims_in_the_order_of_its_lines() -> None:
    upgrade(revision="0004")
    run(ONE_DAY)

    upgrade()

    assert claims("id", "email", "phone_number", "contact_id", "brought") == [
        (10, "lorraine@hillvalley.edu", "123456", 1, "email"),
        (11, "mcfly@hillvalley.edu", "123456", 2, "email"),
        (12, "george@hillvalley.edu", None, 3, "email"),
        (13, None, "919191", 4, "phone"),
        # Who was absorbed was not made by it, and a change of primary tells nothing of its own.
        (14, "george@hillvalley.edu", "919191", None, None),
        (16, "mcfly@hillvalley.edu", "123457", 5, "phone"),
        (17, "lorraine@hillvalley.edu", "123457", None, None),
    ]
    assert [source for (source,) in claims("source")] == [
        *("web", "web", "erp", "import:7", "import:8", "import:seven", "form")
    ]
    assert [number for (number,) in claims("import_id")] == [None, None, None, 7, 8, None, None]
    dates = [(told.isoformat()[:10], dated.year) for told, dated in claims("told_at", "dated_at")]
    assert dates[2:4] == [("2026-01-03", 2026), ("2026-01-04", 1955)]
    assert set(claims("stands", "held_by", "other_contact_id")) == {(True, None, None)}
    assert verify().problems == []


@pytest.mark.usefixtures("fresh")
def test_what_no_line_tells_of_is_claimed_too() -> None:
    upgrade(revision="0004")
    run(ONE_DAY)
    run("DELETE FROM event WHERE id NOT IN (12, 16)")

    upgrade()

    told = claims("id", "email", "phone_number", "source", "contact_id")
    assert told == [
        (-3, "lorraine@hillvalley.edu", "123456", "web", 1),
        (-2, "mcfly@hillvalley.edu", "123456", "web", 2),
        (-1, None, "919191", "unknown", 4),
        (12, "george@hillvalley.edu", None, "erp", 3),
        (16, "mcfly@hillvalley.edu", "123457", "import:seven", 5),
        (18, "george@hillvalley.edu", "919191", "import:8", None),
        (19, "lorraine@hillvalley.edu", "123457", "form", None),
    ]
    assert verify().problems == []
    see_something_new()
    assert claims("id")[-1] == (20,)


def see_something_new() -> None:
    identify(Identifiers("doc@hillvalley.edu", None), source="test")


@pytest.mark.usefixtures("fresh")
def test_who_was_loaded_into_the_midst_of_others_stays_who_they_are() -> None:
    upgrade(revision="0004")
    run(ONE_DAY)
    # Who brought 123456 is told of no more. Told before, who repeats it would have brought it;
    # and of who repeats mcfly the line is older than that of who brought it.
    run("DELETE FROM event WHERE id IN (10, 17)")
    run("UPDATE event SET id = 20 WHERE id = 11")
    before = everybody()

    upgrade()

    assert everybody() == before
    assert sorted(claims("contact_id")[:5]) == [(1,), (2,), (3,), (4,), (5,)]
    assert [contact_id for (contact_id,) in claims("contact_id") if contact_id in (1, 2, 5)] == [
        *(1, 2, 5)
    ]
    assert verify().problems == []


def everybody() -> list[tuple[Any, ...]]:
    columns = "id, email, phone_number, linked_id, created_at, updated_at"
    with db.engine.connect() as connection:
        rows = connection.execute(text(f"SELECT {columns} FROM contact ORDER BY id"))
        return [tuple(row) for row in rows]


@pytest.mark.usefixtures("fresh")
def test_a_history_with_gaps_and_repeats_is_claimed_once() -> None:
    upgrade(revision="0004")
    run(ONE_DAY)
    run("""
        INSERT INTO event
            (id, kind, source, primary_id, contact_id, email, phone_number, occurred_at)
        VALUES
            (18, 'link_seen', 'form', 1, NULL, 'lorraine@hillvalley.edu', '123457', '2026-01-08'),
            (19, 'link_seen', 'erp', 1, NULL, 'mcfly@hillvalley.edu', '123457', '2025-01-01'),
            (20, 'contact_created', 'erp', 9, 9, 'biff@hillvalley.edu', NULL, '2026-01-08'),
            (21, 'link_seen', 'erp', 1, NULL, 'mcfly@hillvalley.edu', '919191', '2026-01-08')
    """)

    upgrade()

    # Of a contact that is no more, and a pair that is of two customers, the tables know nothing.
    assert [id_ for (id_,) in claims("id")] == [10, 11, 12, 13, 14, 16, 17, 19]
    # An older clock does not make the contact older that said the same.
    assert claims("dated_at")[-1] == claims("dated_at")[5]
    assert verify().problems == []


@pytest.mark.usefixtures("fresh")
def test_the_way_back_gives_the_links_and_leaves_the_rest() -> None:
    upgrade(revision="0004")
    run(ONE_DAY)
    before = everybody(), links(), kinds()
    upgrade()
    run("""
        INSERT INTO claim (id, email, phone_number, source, told_at, dated_at, stands, held_by)
        VALUES
            (18, 'lorraine@hillvalley.edu', '123457', 'erp', '2026-01-08', '2026-01-08', true, 1),
            (19, 'george@hillvalley.edu', '123456', 'erp', '2026-01-08', '2026-01-08', true, 1),
            (20, 'mcfly@hillvalley.edu', '555', 'erp', '2026-01-08', '2026-01-08', true, NULL);
        DELETE FROM link WHERE source = 'web';
        INSERT INTO link VALUES ('george@hillvalley.edu', '123456', 'erp', '2026-01-08');
        INSERT INTO identifier VALUES ('phone', '555', NULL);
        INSERT INTO contact (id, link_precedence, created_at, updated_at, deleted_at)
        VALUES (6, 'primary', '2026-01-08', '2026-01-08', '2026-01-09');
        INSERT INTO event (kind, source, primary_id, occurred_at) VALUES
            ('held', 'erp', 1, '2026-01-08'), ('ruled', 'doc', NULL, '2026-01-08'),
            ('customer_changed', 'doc', 1, '2026-01-08')
    """)

    downgrade(revision="0004")

    assert (everybody(), links()) == before[:2]
    assert kinds() == [*before[2], "link_seen"]
    upgrade()
    assert [id_ for (id_,) in claims("id")] == [10, 11, 12, 13, 14, 16, 17]
    assert verify().problems == []


@pytest.mark.usefixtures("fresh")
def test_what_a_ruling_took_out_of_the_links_stays_out_on_the_way_back() -> None:
    upgrade(revision="0004")
    run(ONE_DAY)
    before = links()
    upgrade()
    run("UPDATE claim SET stands = false WHERE id = 17; UPDATE claim SET held_by = 1 WHERE id = 14")

    downgrade(revision="0004")

    assert [pair for pair in before if pair not in links()] == [
        ("george@hillvalley.edu", "919191", "import:8"),
        ("lorraine@hillvalley.edu", "123457", "form"),
    ]


def links() -> list[tuple[Any, ...]]:
    columns = "email, phone_number, source"
    with db.engine.connect() as connection:
        rows = connection.execute(text(f"SELECT {columns} FROM link ORDER BY email, phone_number"))
        return [tuple(row) for row in rows]


def kinds() -> list[str]:
    with db.engine.connect() as connection:
        return list(connection.scalars(text("SELECT kind FROM event ORDER BY id")))


@pytest.mark.usefixtures("fresh")
def test_ids_are_counted_on_both_ways() -> None:
    upgrade(revision="0004")
    run(ONE_DAY)
    # The last of them is gone, and its id must not become somebody else's.
    run("DELETE FROM event WHERE id > 15; DELETE FROM link WHERE phone_number = '123457'")
    run("DELETE FROM identifier WHERE contact_id = 5; DELETE FROM contact WHERE id = 5")
    for _ in range(2):
        upgrade()
        downgrade(revision="0004")
    upgrade()

    outcome = identify(Identifiers("doc@hillvalley.edu", None), source="test")

    assert outcome.cluster.primary_id == 6
    if db.engine.dialect.name == "sqlite":
        with db.engine.connect() as connection:
            rows = connection.execute(text("SELECT name, sql FROM sqlite_master"))
            made = dict(map(tuple, rows))
        assert all("AUTOINCREMENT" in made[table] for table in ("contact", "event", "import"))
        assert "WITHOUT ROWID" in made["identifier"]


@pytest.mark.usefixtures("fresh")
def test_what_the_version_before_writes_is_transcribed_once() -> None:
    upgrade(revision="0004")
    run(ONE_DAY.split("INSERT INTO event")[0])
    run("DELETE FROM link WHERE source = 'form'; DELETE FROM identifier WHERE contact_id = 5")
    run("DELETE FROM link WHERE phone_number = '123457'; DELETE FROM contact WHERE id = 5")
    upgrade()
    assert (transcribed(), claims("id")[-1]) == ([], (1,))

    # In the words of the version before, which knows nothing of claims.
    run("""
        INSERT INTO contact
            (id, email, phone_number, linked_id, link_precedence, created_at, updated_at)
        VALUES (5, 'mcfly@hillvalley.edu', '123457', 1, 'secondary', '2026-01-06', '2026-01-06');
        INSERT INTO identifier VALUES ('phone', '123457', 5);
        INSERT INTO event
            (id, kind, source, primary_id, contact_id, email, phone_number, occurred_at)
        VALUES
            (20, 'contact_linked', 'import:9', 1, 5, 'mcfly@hillvalley.edu', '123457',
             '2026-01-05'),
            (21, 'primary_changed', 'import:9', 1, 2, 'mcfly@hillvalley.edu', '123457',
             '2026-01-05'),
            (22, 'link_seen', 'web', 1, NULL, 'mcfly@hillvalley.edu', '123456', '2026-01-06'),
            (23, 'link_seen', 'erp', 1, NULL, 'mcfly@hillvalley.edu', '123457', '2026-01-05')
    """)
    told = transcribed()

    # What its source had told before is no claim more.
    assert told == [("mcfly@hillvalley.edu", "123457")] * 2
    columns = "id", "source", "import_id", "contact_id", "brought"
    assert claims(*columns)[-2:] == [(20, "import:9", 9, 5, "phone"), (23, "erp", *[None] * 3)]
    assert [dated.day for (dated,) in claims("dated_at")[-2:]] == [6, 6]
    assert transcribed() == []
    assert verify().problems == []


def transcribed() -> list[tuple[str | None, str | None]]:
    """Transcribe what there is to, and return it."""
    with db.engine.begin() as connection:
        something = pending(connection)
        told = transcribe(connection)
        assert something or not told
        assert not pending(connection)
    return told


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
