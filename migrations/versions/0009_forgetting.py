"""Erasures, what is remembered of what they erased, and a kind of event for them."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
EXACT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
MOMENT = sa.DateTime(timezone=True)

BEFORE = (
    "kind IN ('clusters_merged', 'primary_changed', 'link_seen', 'held', 'ruled',"
    " 'ruling_withdrawn', 'customer_changed', 'customer_mended')"
)
RARE = BEFORE.removesuffix(")") + ", 'customer_erased')"


def upgrade() -> None:
    op.create_table(
        "erasure",
        sa.Column("id", ID, nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("reason", sa.Text()),
        sa.Column("counts", sa.JSON(), nullable=False),
        sa.Column("changes", sa.JSON(), nullable=False),
        sa.Column("cleared_at", MOMENT),
        sa.Column("lifted_by", sa.Text()),
        sa.Column("lifted_at", MOMENT),
        sa.Column("lifted_reason", sa.Text()),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_erasure")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "erased",
        sa.Column("kind", EXACT, nullable=False),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("digest", EXACT, nullable=False),
        sa.Column("erasure_id", ID, nullable=False),
        sa.Column("tries", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("last_tried_at", MOMENT),
        sa.CheckConstraint("kind IN ('email', 'phone')", name=op.f("ck_erased_kind")),
        sa.ForeignKeyConstraint(["erasure_id"], ["erasure.id"], name=op.f("fk_erased_erasure_id")),
        sa.PrimaryKeyConstraint("kind", "version", "digest", name=op.f("pk_erased")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_erased_erasure_id", "erased", ["erasure_id"])
    op.create_table(
        "forgotten",
        sa.Column("contact_id", ID, autoincrement=False, nullable=False),
        sa.Column("erasure_id", ID, nullable=False),
        sa.Column("customer", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["contact_id"], ["contact.id"], name=op.f("fk_forgotten_contact_id")
        ),
        sa.ForeignKeyConstraint(
            ["erasure_id"], ["erasure.id"], name=op.f("fk_forgotten_erasure_id")
        ),
        sa.PrimaryKeyConstraint("contact_id", name=op.f("pk_forgotten")),
    )
    _find_kinds(RARE)


def downgrade() -> None:
    op.execute("DELETE FROM event WHERE kind = 'customer_erased'")
    _find_kinds(BEFORE)
    op.drop_table("forgotten")
    op.drop_table("erased")
    op.drop_table("erasure")


def _find_kinds(condition: str) -> None:
    op.drop_index("ix_event_kind", "event")
    where = sa.text(condition)
    op.create_index(
        "ix_event_kind", "event", ["kind", "id"], postgresql_where=where, sqlite_where=where
    )
