"""Indexes for the pages: newest contacts, a customer's history, rare events, parts of a value."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

RARE = sa.text("kind IN ('clusters_merged', 'link_seen')")


def upgrade() -> None:
    op.create_index("ix_contact_created_at", "contact", ["created_at", "id"])
    op.create_index("ix_event_primary_id", "event", ["primary_id"])
    op.create_index(
        "ix_event_kind", "event", ["kind", "id"], postgresql_where=RARE, sqlite_where=RARE
    )
    if operators := _trigrams():
        op.execute(f"CREATE INDEX ix_identifier_value ON identifier USING gin (value {operators})")


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        # The extension stays: others in this database may use it.
        op.execute("DROP INDEX IF EXISTS ix_identifier_value")
    op.drop_index("ix_event_kind", "event")
    op.drop_index("ix_event_primary_id", "event")
    op.drop_index("ix_contact_created_at", "contact")


def _trigrams() -> str | None:
    """Return the operators for an index by trigrams; None where they are not to be had."""
    # Part of PostgreSQL's own contributions, and yet not of every installation. Without it a
    # search reads all identifiers, and is slow but right; so it always is on SQLite.
    if op.get_bind().dialect.name != "postgresql":
        return None
    # Nor may every owner of a schema add an extension to its database. A database has each
    # extension once, for all who share it: in the schema of one of them, it would go with that.
    addable = sa.text(
        "SELECT 1 FROM pg_available_extensions WHERE name = 'pg_trgm' AND installed_version"
        " IS NULL AND has_database_privilege(current_database(), 'CREATE')"
    )
    if op.get_bind().execute(addable).scalar():
        has_public = sa.text("SELECT to_regnamespace('public') IS NOT NULL")
        place = " SCHEMA public" if op.get_bind().execute(has_public).scalar() else ""
        op.execute(f"CREATE EXTENSION IF NOT EXISTS pg_trgm{place}")
    usable = sa.text(
        "SELECT quote_ident(nspname) || '.gin_trgm_ops' FROM pg_extension"
        " JOIN pg_namespace ON pg_namespace.oid = extnamespace"
        " WHERE extname = 'pg_trgm' AND has_schema_privilege(extnamespace, 'USAGE')"
    )
    return op.get_bind().execute(usable).scalar()
