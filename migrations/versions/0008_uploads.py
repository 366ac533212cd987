"""How an uploaded file is read, what it would bring, and how far that is."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

KEPT = "reading", "plan", "work"


def upgrade() -> None:
    for name in KEPT:
        op.add_column("import", sa.Column(name, sa.JSON(), nullable=True))


def downgrade() -> None:
    for name in KEPT:
        op.drop_column("import", name)
