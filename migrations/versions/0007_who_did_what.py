"""Sessions that end, roles, and the audit trail."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
EXACT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    # What users could do, they may. The version before, which may still run, names no role.
    op.add_column("staff", sa.Column("role", sa.Text(), server_default="steward", nullable=False))
    op.create_table(
        "session",
        sa.Column("hash", EXACT, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("began_at", MOMENT, nullable=False),
        sa.Column("ends_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("hash", name=op.f("pk_session")),
    )
    op.create_index("ix_session_name", "session", ["name"])
    op.create_index("ix_session_ends_at", "session", ["ends_at"])
    op.create_table(
        "guard",
        sa.Column("id", ID, autoincrement=False, nullable=False),
        sa.Column("since", MOMENT, nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_guard_one_row")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_guard")),
    )
    op.execute(
        "INSERT INTO guard (id, since) SELECT 1, CURRENT_TIMESTAMP"
        " WHERE EXISTS (SELECT 1 FROM api_key) OR EXISTS (SELECT 1 FROM staff)"
    )
    op.create_table(
        "audit",
        sa.Column("id", ID, nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("who", EXACT),
        sa.Column("what", EXACT, nullable=False),
        sa.Column("about", sa.Text()),
        sa.Column("came_from", sa.Text()),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_audit_at", "audit", ["at", "id"])
    op.create_index("ix_audit_who", "audit", ["who", "id"])
    op.create_index("ix_audit_what", "audit", ["what", "id"])


def downgrade() -> None:
    op.drop_table("audit")
    op.drop_table("guard")
    op.drop_table("session")
    op.drop_column("staff", "role")
