"""Evidence by source and in order, and rulings about it."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from graphlib import CycleError, TopologicalSorter
from itertools import groupby

import sqlalchemy as sa
from alembic import op
from sqlalchemy.exc import OperationalError

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
EXACT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
MOMENT = sa.DateTime(timezone=True)

BEFORE = "kind IN ('clusters_merged', 'primary_changed', 'link_seen')"
RARE = (
    "kind IN ('clusters_merged', 'primary_changed', 'link_seen', 'held', 'ruled',"
    " 'ruling_withdrawn', 'customer_changed', 'customer_mended')"
)
SOMETHING_GIVEN = "email IS NOT NULL OR phone_number IS NOT NULL"

CLAIM = """
INSERT INTO claim
    (id, email, phone_number, source, told_at, dated_at, import_id, contact_id, brought)
SELECT id, email, phone_number, source, told_at, dated_at,
    CASE WHEN substr(source, 1, 7) = 'import:' AND length(source) BETWEEN 8 AND 25
              AND trim(substr(source, 8), '0123456789') = ''
         THEN CAST(substr(source, 8) AS BIGINT) END,
    contact_id, brought
FROM (TOLD) AS told
ORDER BY id
"""
CONTACTS = """
SELECT coalesce(
        line.id,
        0 - row_number() OVER (PARTITION BY line.id IS NULL ORDER BY contact.id DESC)
    ) AS id,
    contact.email, contact.phone_number,
    coalesce(line.source, link.source, 'unknown') AS source,
    coalesce(line.occurred_at, link.first_seen_at, contact.created_at) AS told_at,
    contact.created_at AS dated_at, contact.id AS contact_id,
    CASE WHEN identifier.contact_id = contact.id OR contact.phone_number IS NULL
         THEN 'email' ELSE 'phone' END AS brought
FROM contact
LEFT JOIN (
    SELECT contact_id, min(id) AS id FROM event
    WHERE kind IN ('contact_created', 'contact_linked') GROUP BY contact_id
) AS made ON made.contact_id = contact.id
LEFT JOIN event AS line ON line.id = made.id
LEFT JOIN link ON link.email = contact.email AND link.phone_number = contact.phone_number
LEFT JOIN identifier ON identifier.kind = 'email' AND identifier.value = contact.email
"""
TANGLED = """
SELECT coalesce(contact.linked_id, contact.id) AS customer, contact.id AS contact_id,
    by_email.contact_id AS email_from, by_phone.contact_id AS phone_from
FROM contact
LEFT JOIN identifier AS by_email
    ON by_email.kind = 'email' AND by_email.value = contact.email
LEFT JOIN identifier AS by_phone
    ON by_phone.kind = 'phone' AND by_phone.value = contact.phone_number
WHERE coalesce(contact.linked_id, contact.id) IN (
    SELECT coalesce(contact.linked_id, contact.id) FROM contact
    JOIN claim ON claim.contact_id = contact.id
    LEFT JOIN identifier AS by_email
        ON by_email.kind = 'email' AND by_email.value = claim.email
    LEFT JOIN claim AS email_from ON email_from.contact_id = by_email.contact_id
    LEFT JOIN identifier AS by_phone
        ON by_phone.kind = 'phone' AND by_phone.value = claim.phone_number
    LEFT JOIN claim AS phone_from ON phone_from.contact_id = by_phone.contact_id
    WHERE email_from.id > claim.id OR phone_from.id > claim.id
)
ORDER BY customer, contact.id
"""
LINES = """
SELECT line.id, line.email, line.phone_number, line.source, line.occurred_at AS told_at,
    coalesce(
        (SELECT min(dated_at) FROM claim AS same
         WHERE same.email = line.email AND same.phone_number = line.phone_number
             AND same.dated_at > line.occurred_at),
        line.occurred_at
    ) AS dated_at,
    CAST(NULL AS BIGINT) AS contact_id, NULL AS brought
FROM (
    SELECT id, email, phone_number, source, occurred_at,
        row_number() OVER (PARTITION BY email, phone_number, source ORDER BY id) AS telling
    FROM event WHERE kind IN ('clusters_merged', 'link_seen')
) AS line
JOIN link ON link.email = line.email AND link.phone_number = line.phone_number
JOIN identifier AS by_email ON by_email.kind = 'email' AND by_email.value = line.email
JOIN claim AS email_from ON email_from.contact_id = by_email.contact_id
JOIN identifier AS by_phone ON by_phone.kind = 'phone' AND by_phone.value = line.phone_number
JOIN claim AS phone_from ON phone_from.contact_id = by_phone.contact_id
WHERE line.telling = 1 AND email_from.id < line.id AND phone_from.id < line.id
    AND NOT EXISTS (
        SELECT 1 FROM claim AS same
        WHERE same.email = line.email AND same.phone_number = line.phone_number
            AND same.source = line.source
    )
"""
LINKS = """
SELECT NEXT AS id, email, phone_number, source, first_seen_at AS told_at,
    first_seen_at AS dated_at, CAST(NULL AS BIGINT) AS contact_id, NULL AS brought
FROM (
    SELECT link.email, link.phone_number, link.source, link.first_seen_at FROM link
    JOIN identifier AS by_email ON by_email.kind = 'email' AND by_email.value = link.email
    JOIN identifier AS by_phone
        ON by_phone.kind = 'phone' AND by_phone.value = link.phone_number
    WHERE NOT EXISTS (
        SELECT 1 FROM claim
        WHERE claim.email = link.email AND claim.phone_number = link.phone_number
    )
    AND EXISTS (SELECT 1 FROM claim WHERE claim.contact_id = by_email.contact_id)
    AND EXISTS (SELECT 1 FROM claim WHERE claim.contact_id = by_phone.contact_id)
    ORDER BY link.first_seen_at, link.email, link.phone_number
) AS untold
"""
NEXT = {
    "postgresql": "nextval(pg_get_serial_sequence('event', 'id'))",
    "sqlite": "(SELECT seq FROM sqlite_sequence WHERE name = 'event') + row_number() OVER ()",
}

UNLINK_STRANGERS = """
DELETE FROM link
WHERE NOT EXISTS (
    SELECT 1 FROM identifier AS by_email
    JOIN contact AS one ON one.id = by_email.contact_id
    JOIN identifier AS by_phone
        ON by_phone.kind = 'phone' AND by_phone.value = link.phone_number
    JOIN contact AS other ON other.id = by_phone.contact_id
    WHERE by_email.kind = 'email' AND by_email.value = link.email
        AND coalesce(one.linked_id, one.id) = coalesce(other.linked_id, other.id)
)
"""
UNLINK_WITHDRAWN = """
DELETE FROM link
WHERE EXISTS (
    SELECT 1 FROM claim
    WHERE claim.email = link.email AND claim.phone_number = link.phone_number
)
AND NOT EXISTS (
    SELECT 1 FROM claim
    WHERE claim.email = link.email AND claim.phone_number = link.phone_number
        AND stands AND held_by IS NULL
)
"""
LINK = """
INSERT INTO link (email, phone_number, source, first_seen_at)
SELECT email, phone_number, source, told_at
FROM (
    SELECT claim.email, claim.phone_number, claim.source, claim.told_at,
        row_number() OVER (
            PARTITION BY claim.email, claim.phone_number ORDER BY claim.id
        ) AS telling
    FROM claim
    JOIN identifier AS by_email ON by_email.kind = 'email' AND by_email.value = claim.email
    JOIN contact AS one ON one.id = by_email.contact_id
    JOIN identifier AS by_phone
        ON by_phone.kind = 'phone' AND by_phone.value = claim.phone_number
    JOIN contact AS other ON other.id = by_phone.contact_id
    LEFT JOIN link ON link.email = claim.email AND link.phone_number = claim.phone_number
    WHERE claim.stands AND claim.held_by IS NULL AND link.email IS NULL
        AND coalesce(one.linked_id, one.id) = coalesce(other.linked_id, other.id)
) AS told
WHERE telling = 1
"""


def upgrade() -> None:
    _create_claim()
    _create_rulings()
    # The version before goes on answering, and so writing the ledger. What it writes after this
    # moment is left for whoever transcribes it.
    if _on_postgresql():
        op.execute("CREATE TEMPORARY TABLE told ON COMMIT DROP AS SELECT id FROM event")
    _fill_claim()
    _wait_for_the_tables()
    with _counted("contact"), op.batch_alter_table("contact", table_kwargs=COUNTED) as batch:
        batch.drop_constraint(op.f("ck_contact_something_given"), type_="check")
        batch.create_check_constraint(
            op.f("ck_contact_something_given"), f"{SOMETHING_GIVEN} OR deleted_at IS NOT NULL"
        )
    with op.batch_alter_table("identifier", table_kwargs=KEYED) as batch:
        batch.alter_column("contact_id", existing_type=ID, nullable=True)
    op.drop_index("ix_event_kind", "event")
    # True for the lines that are there, and false for whoever does not know the column.
    op.add_column(
        "event", sa.Column("in_claims", sa.Boolean(), nullable=False, server_default=sa.true())
    )
    with _counted("event"), op.batch_alter_table("event", table_kwargs=COUNTED) as batch:
        batch.alter_column("primary_id", existing_type=sa.BigInteger(), nullable=True)
        batch.alter_column("in_claims", existing_type=sa.Boolean(), server_default=sa.false())
    if _on_postgresql():
        op.execute(
            "UPDATE event SET in_claims = false"
            " WHERE NOT EXISTS (SELECT 1 FROM told WHERE told.id = event.id)"
        )
    _index("ix_event_kind", "event", ["kind", "id"], RARE)
    _index("ix_event_in_claims", "event", ["id"], "NOT in_claims")
    op.add_column("import", sa.Column("seen_at", MOMENT))
    op.add_column("import", sa.Column("feed", sa.Text()))


def downgrade() -> None:
    # A pair that is withdrawn or held has to go too: the version before would try to write it
    # when it is told, and never succeed.
    op.execute(UNLINK_STRANGERS)
    op.execute(UNLINK_WITHDRAWN)
    op.execute(LINK)
    op.execute("DELETE FROM identifier WHERE contact_id IS NULL")
    op.execute(
        "DELETE FROM contact"
        " WHERE deleted_at IS NOT NULL AND email IS NULL AND phone_number IS NULL"
    )
    # Two identifiers were given together, which is what the version before calls a line seen.
    op.execute("UPDATE event SET kind = 'link_seen' WHERE kind = 'held'")
    op.execute(
        "DELETE FROM event WHERE primary_id IS NULL OR kind IN"
        " ('ruled', 'ruling_withdrawn', 'customer_changed', 'customer_mended')"
    )
    op.drop_column("import", "feed")
    op.drop_column("import", "seen_at")
    op.drop_index("ix_event_in_claims", "event")
    op.drop_index("ix_event_kind", "event")
    with _counted("event"), op.batch_alter_table("event", table_kwargs=COUNTED) as batch:
        batch.drop_column("in_claims")
        batch.alter_column("primary_id", existing_type=sa.BigInteger(), nullable=False)
    _index("ix_event_kind", "event", ["kind", "id"], BEFORE)
    with op.batch_alter_table("identifier", table_kwargs=KEYED) as batch:
        batch.alter_column("contact_id", existing_type=ID, nullable=False)
    with _counted("contact"), op.batch_alter_table("contact", table_kwargs=COUNTED) as batch:
        batch.drop_constraint(op.f("ck_contact_something_given"), type_="check")
        batch.create_check_constraint(op.f("ck_contact_something_given"), SOMETHING_GIVEN)
    for table in "kept_apart", "withdrawal", "ruling", "reference", "claim":
        op.drop_table(table)


def _create_claim() -> None:
    op.create_table(
        "claim",
        sa.Column("id", ID, autoincrement=False, nullable=False),
        sa.Column("email", EXACT),
        sa.Column("phone_number", EXACT),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("told_at", MOMENT, nullable=False),
        sa.Column("dated_at", MOMENT, nullable=False),
        sa.Column("import_id", sa.BigInteger()),
        sa.Column("contact_id", sa.BigInteger()),
        sa.Column("brought", sa.Text()),
        sa.Column("other_contact_id", sa.BigInteger()),
        sa.Column("held_by", sa.BigInteger()),
        sa.Column("stands", sa.Boolean(), nullable=False, server_default=sa.true()),
        sa.CheckConstraint(SOMETHING_GIVEN, name=op.f("ck_claim_something_told")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_claim")),
    )
    op.create_table(
        "reference",
        sa.Column("claim_id", ID, nullable=False),
        sa.Column("reference", EXACT, nullable=False),
        sa.Column("name", EXACT, nullable=False),
        sa.Column("import_id", sa.BigInteger()),
        sa.ForeignKeyConstraint(["claim_id"], ["claim.id"], name=op.f("fk_reference_claim_id")),
        sa.PrimaryKeyConstraint("claim_id", "reference", "name", name=op.f("pk_reference")),
    )


def _create_rulings() -> None:
    op.create_table(
        "ruling",
        sa.Column("id", ID, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("what", EXACT, nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("reason", sa.Text()),
        sa.Column("plan", sa.JSON(), nullable=False),
        sa.Column("up_to", sa.BigInteger(), nullable=False),
        sa.Column("done", sa.BigInteger()),
        sa.Column("withdrawn_by", sa.Text()),
        sa.Column("withdrawn_at", MOMENT),
        sa.Column("withdrawn_reason", sa.Text()),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ruling")),
        sqlite_autoincrement=True,
    )
    _index("uq_ruling_what", "ruling", ["what"], "withdrawn_at IS NULL", unique=True)
    op.create_table(
        "withdrawal",
        sa.Column("ruling_id", ID, nullable=False),
        sa.Column("claim_id", ID, nullable=False),
        sa.ForeignKeyConstraint(["ruling_id"], ["ruling.id"], name=op.f("fk_withdrawal_ruling_id")),
        sa.ForeignKeyConstraint(["claim_id"], ["claim.id"], name=op.f("fk_withdrawal_claim_id")),
        sa.PrimaryKeyConstraint("ruling_id", "claim_id", name=op.f("pk_withdrawal")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "kept_apart",
        sa.Column("kind", EXACT, nullable=False),
        sa.Column("value", EXACT, nullable=False),
        sa.Column("other_kind", EXACT, nullable=False),
        sa.Column("other_value", EXACT, nullable=False),
        sa.Column("ruling_id", ID, nullable=False),
        sa.ForeignKeyConstraint(["ruling_id"], ["ruling.id"], name=op.f("fk_kept_apart_ruling_id")),
        sa.PrimaryKeyConstraint(
            "kind", "value", "other_kind", "other_value", name=op.f("pk_kept_apart")
        ),
        sqlite_with_rowid=False,
    )


def _fill_claim() -> None:
    if not _on_postgresql():
        # Claims are counted together with the lines, and SQLite counts from the first line on.
        op.execute(
            "INSERT INTO sqlite_sequence (name, seq) SELECT 'event', 0"
            " WHERE NOT EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = 'event')"
        )
    # Contacts that no line tells of were loaded, and are older than all that are told.
    op.execute(CLAIM.replace("TOLD", CONTACTS))
    _index("ix_claim_contact_id", "claim", ["contact_id"], "contact_id IS NOT NULL")
    op.create_index("ix_claim_email", "claim", ["email", "phone_number", "source"])
    _count_claims()
    _untangle()
    op.execute(CLAIM.replace("TOLD", LINES))
    untold = LINKS.replace("NEXT", NEXT[op.get_bind().dialect.name])
    op.execute(CLAIM.replace("TOLD", untold))
    if not _on_postgresql():
        op.execute(
            "UPDATE sqlite_sequence SET seq = max(seq, coalesce((SELECT max(id) FROM claim), 0))"
            " WHERE name = 'event'"
        )
    _count_claims()
    _index("ix_claim_phone_number", "claim", ["phone_number"], "length(phone_number) > 0")
    _index(
        "ix_claim_other_contact_id", "claim", ["other_contact_id"], "other_contact_id IS NOT NULL"
    )


def _count_claims() -> None:
    """Let PostgreSQL count the claims: nobody else can yet, and uncounted it joins one by one."""
    counting = sa.text("SELECT EXISTS (SELECT 1 FROM claim)")
    # Counted while it is empty, the table would be taken for empty ever after.
    if _on_postgresql() and op.get_bind().scalar(counting):
        op.execute("ANALYZE claim")


def _untangle() -> None:
    """Give customers that were loaded into the midst of others an order that makes them."""
    bind = op.get_bind()
    # A contact that repeats an identifier must come after the one that brought it. Told before,
    # it would bring it itself, and the other perhaps nothing, and so be no contact.
    place = min(bind.scalar(sa.text("SELECT min(id) FROM claim")) or 0, 0)
    rows = bind.execute(sa.text(TANGLED)).all()
    for _, members in groupby(rows, key=lambda row: row.customer):
        brought_by = {
            row.contact_id: {row.email_from, row.phone_from} - {None, row.contact_id}
            for row in members
        }
        try:
            order = [
                id_ for id_ in TopologicalSorter(brought_by).static_order() if id_ in brought_by
            ]
        except CycleError:
            # Two that each repeat what the other brought: no order makes both.
            continue
        place -= len(order)
        bind.execute(
            sa.text("UPDATE claim SET id = :place WHERE contact_id = :contact_id"),
            [{"place": place + n, "contact_id": id_} for n, id_ in enumerate(order)],
        )


def _wait_for_the_tables() -> None:
    """Have the tables to ourselves for the little that is left to do."""
    if not _on_postgresql():
        return
    bind = op.get_bind()
    # In the order in which calls take them. Whoever waits for a table keeps all who come later
    # waiting as well, so not for long, and then everybody else first.
    wanted = "LOCK TABLE contact, identifier, event, import IN ACCESS EXCLUSIVE MODE"
    for pause in (1, 2, 4, 8, None):
        try:
            with bind.begin_nested():
                bind.execute(sa.text("SET LOCAL lock_timeout = '2s'"))
                bind.execute(sa.text(wanted))
        except OperationalError:
            if pause is None:
                raise
            time.sleep(pause)
        else:
            return


COUNTED = {"sqlite_autoincrement": True}
KEYED = {"sqlite_with_rowid": False}


@contextmanager
def _counted(table: str) -> Iterator[None]:
    """Let SQLite count on from where it was: a table made anew begins after its last row."""
    if _on_postgresql():
        yield
        return
    bind, named = op.get_bind(), {"name": table}
    seq = bind.scalar(sa.text("SELECT seq FROM sqlite_sequence WHERE name = :name"), named)
    yield
    bind.execute(sa.text("DELETE FROM sqlite_sequence WHERE name = :name"), named)
    if seq is not None:
        bind.execute(
            sa.text("INSERT INTO sqlite_sequence VALUES (:name, :seq)"), named | {"seq": seq}
        )


def _index(
    name: str, table: str, columns: list[str], condition: str, *, unique: bool = False
) -> None:
    where = sa.text(condition)
    op.create_index(name, table, columns, unique=unique, postgresql_where=where, sqlite_where=where)


def _on_postgresql() -> bool:
    return bool(op.get_bind().dialect.name == "postgresql")
