"""What people look for, and what is to be looked at."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


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
    if _has_trigrams():
        op.execute("CREATE INDEX ix_reference_name ON reference USING gin (name gin_trgm_ops)")
    op.add_column("import", sa.Column("choices", sa.JSON()))


def downgrade() -> None:
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


def _has_trigrams() -> bool:
    # Where the search for identifiers has them, see 0002.
    if op.get_bind().dialect.name != "postgresql":
        return False
    installed = sa.text("SELECT 1 FROM pg_extension WHERE extname = 'pg_trgm'")
    return op.get_bind().execute(installed).scalar() is not None
