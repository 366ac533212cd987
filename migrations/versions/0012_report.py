"""What was counted last for the owner of a shop."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

EXACT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "report",
        sa.Column("kind", EXACT, nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True)),
        sa.Column("made_by", sa.Text()),
        sa.Column("content", sa.JSON()),
        sa.Column("work", sa.JSON()),
        sa.CheckConstraint("kind IN ('customers', 'orders')", name=op.f("ck_report_kind")),
        sa.PrimaryKeyConstraint("kind", name=op.f("pk_report")),
    )


def downgrade() -> None:
    op.drop_table("report")
