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
    if _has_trigrams():
        op.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
        op.execute("CREATE INDEX ix_identifier_value ON identifier USING gin (value gin_trgm_ops)")


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        # The extension stays: others in this database may use it.
        op.execute("DROP INDEX IF EXISTS ix_identifier_value")
    op.drop_index("ix_event_kind", "event")
    op.drop_index("ix_event_primary_id", "event")
    op.drop_index("ix_contact_created_at", "contact")


def _has_trigrams() -> bool:
    # Part of PostgreSQL's own contributions, and yet not of every installation. Without it a
    # search reads all identifiers, and is slow but right; so it always is on SQLite.
    if op.get_bind().dialect.name != "postgresql":
        return False
    # Nor may every owner of a schema add an extension to its database.
    available = sa.text(
        "SELECT 1 FROM pg_available_extensions WHERE name = 'pg_trgm' AND (installed_version"
        " IS NOT NULL OR has_database_privilege(current_database(), 'CREATE'))"
    )
    return op.get_bind().execute(available).scalar() is not None
