"""Imports, and the changes of primary they may bring, found as quickly as merges."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MOMENT = sa.DateTime(timezone=True)
BEFORE = sa.text("kind IN ('clusters_merged', 'link_seen')")
RARE = sa.text("kind IN ('clusters_merged', 'primary_changed', 'link_seen')")


def upgrade() -> None:
    op.create_table(
        "import",
        sa.Column("id", ID, nullable=False),
        sa.Column("file_name", sa.Text(), nullable=False),
        sa.Column("given_by", sa.Text(), nullable=False),
        sa.Column("given_at", MOMENT, nullable=False),
        sa.Column("started_at", MOMENT),
        sa.Column("finished_at", MOMENT),
        sa.Column("counts", sa.JSON(), nullable=False),
        sa.Column("content", sa.LargeBinary()),
        sa.Column("rejects", sa.LargeBinary()),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_import")),
        sqlite_autoincrement=True,
    )
    _index(RARE)


def downgrade() -> None:
    # The version before does not know this kind. What happened was a kind of merge: an older
    # primary took over all contacts of a younger one.
    op.execute("UPDATE event SET kind = 'clusters_merged' WHERE kind = 'primary_changed'")
    _index(BEFORE)
    op.drop_table("import")


def _index(kinds: sa.TextClause) -> None:
    op.drop_index("ix_event_kind", "event")
    op.create_index(
        "ix_event_kind", "event", ["kind", "id"], postgresql_where=kinds, sqlite_where=kinds
    )
