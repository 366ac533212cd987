"""What people look for, and what is to be looked at."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
EXACT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    # A history is read from its end, by the page.
    op.drop_index("ix_event_primary_id", "event")
    op.create_index("ix_event_primary_id", "event", ["primary_id", "id"])
    _compare_sources("C")
    op.create_index("ix_event_source", "event", ["source", "kind", "id"])
    of_no_import = sa.text("substr(source, 1, 7) <> 'import:'")
    op.create_index(
        "ix_event_of_no_import",
        "event",
        ["kind", "id"],
        postgresql_where=of_no_import,
        sqlite_where=of_no_import,
    )
    op.create_index("ix_reference_reference", "reference", ["reference"])
    if operators := _trigrams():
        op.execute(f"CREATE INDEX ix_reference_name ON reference USING gin (name {operators})")
    op.add_column("import", sa.Column("choices", sa.JSON()))
    _create_findings()


def downgrade() -> None:
    op.drop_index("ix_claim_held_by", "claim")
    op.drop_table("sweep")
    op.drop_table("finding")
    op.drop_column("import", "choices")
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP INDEX IF EXISTS ix_reference_name")
    op.drop_index("ix_reference_reference", "reference")
    op.drop_index("ix_event_of_no_import", "event")
    op.drop_index("ix_event_source", "event")
    op.drop_index("ix_event_primary_id", "event")
    op.create_index("ix_event_primary_id", "event", ["primary_id"])
    _compare_sources("default")


def _compare_sources(collation: str) -> None:
    # Byte by byte, as all that is indexed: in a language's order the sources of imports need not
    # stand together, and all of them are passed over at once. Nothing is written anew.
    if op.get_bind().dialect.name == "postgresql":
        op.execute(f'ALTER TABLE event ALTER COLUMN source TYPE text COLLATE "{collation}"')


def _create_findings() -> None:
    op.create_table(
        "finding",
        sa.Column("id", ID, nullable=False),
        sa.Column("kind", EXACT, nullable=False),
        sa.Column("subject", EXACT, nullable=False),
        sa.Column("many", sa.BigInteger(), nullable=False),
        sa.Column("detail", sa.JSON(), nullable=False),
        sa.Column("found_at", MOMENT, nullable=False),
        sa.Column("fine_by", sa.Text()),
        sa.Column("fine_at", MOMENT),
        sa.Column("fine_many", sa.BigInteger()),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_finding")),
        sa.UniqueConstraint("kind", "subject", name=op.f("uq_finding_kind")),
        sqlite_autoincrement=True,
    )
    _index(
        *("ix_finding_open", "finding", ["kind", "many", "id"]),
        "many > 0 AND (fine_many IS NULL OR many >= 2 * fine_many)",
    )
    _index("ix_finding_fine_at", "finding", ["fine_at", "id"], "fine_at IS NOT NULL")
    op.create_table(
        "sweep",
        sa.Column("id", ID, autoincrement=False, nullable=False),
        sa.Column("done", sa.BigInteger()),
        sa.Column("again_after", sa.BigInteger()),
        sa.Column("again_at", MOMENT),
        sa.CheckConstraint("id = 1", name=op.f("ck_sweep_one_row")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sweep")),
    )
    _index("ix_claim_held_by", "claim", ["held_by"], "held_by IS NOT NULL")


def _index(name: str, table: str, columns: list[str], condition: str) -> None:
    where = sa.text(condition)
    op.create_index(name, table, columns, postgresql_where=where, sqlite_where=where)


def _trigrams() -> str | None:
    """Return the operators for an index by trigrams; None where they are not to be had."""
    # Where the search for identifiers has them, see 0002. They may be in another's schema.
    if op.get_bind().dialect.name != "postgresql":
        return None
    usable = sa.text(
        "SELECT quote_ident(nspname) || '.gin_trgm_ops' FROM pg_extension"
        " JOIN pg_namespace ON pg_namespace.oid = extnamespace"
        " WHERE extname = 'pg_trgm' AND has_schema_privilege(extnamespace, 'USAGE')"
    )
    return op.get_bind().execute(usable).scalar()
