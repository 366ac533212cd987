"""Webhooks, their messages, whose turn it is, and each try to deliver one."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
EXACT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "webhook",
        sa.Column("id", ID, nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("kinds", sa.Text()),
        sa.Column("secret", sa.Text(), nullable=False),
        sa.Column("old_secret", sa.Text()),
        sa.Column("old_until", MOMENT),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("told", sa.BigInteger(), nullable=False),
        sa.Column("failing_since", MOMENT),
        sa.Column("failed_at", MOMENT),
        sa.Column("rests_until", MOMENT),
        sa.Column("disabled_at", MOMENT),
        sa.Column("disabled_why", sa.Text()),
        sa.Column("removed_at", MOMENT),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhook")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "message",
        sa.Column("id", ID, nullable=False),
        sa.Column("ident", EXACT, nullable=False),
        sa.Column("webhook_id", ID, nullable=False),
        sa.Column("number", sa.BigInteger()),
        sa.Column("kind", EXACT, nullable=False),
        sa.Column("customer_id", sa.BigInteger()),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("made_at", MOMENT, nullable=False),
        sa.Column("state", EXACT, nullable=False),
        sa.Column("tries", sa.Integer(), server_default="0", nullable=False),
        sa.Column("next_at", MOMENT),
        sa.Column("leased_by", EXACT),
        sa.Column("leased_until", MOMENT),
        sa.Column("ended_at", MOMENT),
        sa.CheckConstraint(
            "state IN ('waiting', 'delivered', 'failed')", name=op.f("ck_message_state")
        ),
        sa.ForeignKeyConstraint(
            ["webhook_id"], ["webhook.id"], name=op.f("fk_message_webhook_id_webhook")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_message")),
        sa.UniqueConstraint("ident", name=op.f("uq_message_ident")),
        sqlite_autoincrement=True,
    )
    waiting = sa.text("next_at IS NOT NULL")
    op.create_index(
        "ix_message_next_at",
        "message",
        ["webhook_id", "next_at", "id"],
        postgresql_where=waiting,
        sqlite_where=waiting,
    )
    op.create_index("ix_message_state", "message", ["webhook_id", "state", "id"])
    op.create_index("ix_message_webhook_id", "message", ["webhook_id", "id"])
    op.create_table(
        "turn",
        sa.Column("webhook_id", ID, nullable=False),
        sa.Column("customer_id", sa.BigInteger(), nullable=False),
        sa.Column("message_id", ID, nullable=False),
        sa.ForeignKeyConstraint(
            ["message_id"], ["message.id"], name=op.f("fk_turn_message_id_message")
        ),
        sa.PrimaryKeyConstraint("webhook_id", "customer_id", "message_id", name=op.f("pk_turn")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_turn_message_id", "turn", ["message_id"])
    op.create_table(
        "delivery",
        sa.Column("id", ID, nullable=False),
        sa.Column("message_id", ID, nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("ms", sa.Integer(), nullable=False),
        sa.Column("status", sa.Integer()),
        sa.Column("problem", sa.Text()),
        sa.ForeignKeyConstraint(
            ["message_id"], ["message.id"], name=op.f("fk_delivery_message_id_message")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_delivery")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_delivery_message_id", "delivery", ["message_id", "id"])


def downgrade() -> None:
    for table in "delivery", "turn", "message", "webhook":
        op.drop_table(table)
