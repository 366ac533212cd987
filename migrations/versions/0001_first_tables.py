"""The first tables: contact, identifier, link and event."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

# Spelt out, not taken from the models: those go on changing, and what this migration did does not.
ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
EXACT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "contact",
        sa.Column("id", ID, nullable=False),
        sa.Column("phone_number", EXACT),
        sa.Column("email", EXACT),
        sa.Column("linked_id", ID),
        sa.Column("link_precedence", sa.Text(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("updated_at", MOMENT, nullable=False),
        sa.Column("deleted_at", MOMENT),
        sa.CheckConstraint(
            "email IS NOT NULL OR phone_number IS NOT NULL", name=op.f("ck_contact_something_given")
        ),
        sa.CheckConstraint(
            "email <> '' AND phone_number <> ''", name=op.f("ck_contact_nothing_empty")
        ),
        sa.CheckConstraint("linked_id <> id", name=op.f("ck_contact_not_linked_to_itself")),
        sa.CheckConstraint(
            "link_precedence IN ('primary', 'secondary')", name=op.f("ck_contact_precedence")
        ),
        sa.CheckConstraint(
            "(link_precedence = 'primary') = (linked_id IS NULL)",
            name=op.f("ck_contact_primary_is_unlinked"),
        ),
        sa.ForeignKeyConstraint(["linked_id"], ["contact.id"], name=op.f("fk_contact_linked_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contact")),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "ix_contact_linked_id",
        "contact",
        ["linked_id"],
        postgresql_where=sa.text("linked_id IS NOT NULL"),
        sqlite_where=sa.text("linked_id IS NOT NULL"),
    )
    op.create_table(
        "identifier",
        sa.Column("kind", EXACT, nullable=False),
        sa.Column("value", EXACT, nullable=False),
        sa.Column("contact_id", ID, nullable=False),
        sa.CheckConstraint("kind IN ('email', 'phone')", name=op.f("ck_identifier_kind")),
        sa.ForeignKeyConstraint(
            ["contact_id"], ["contact.id"], name=op.f("fk_identifier_contact_id")
        ),
        sa.PrimaryKeyConstraint("kind", "value", name=op.f("pk_identifier")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "link",
        sa.Column("email", EXACT, nullable=False),
        sa.Column("phone_number", EXACT, nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("first_seen_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("email", "phone_number", name=op.f("pk_link")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "event",
        sa.Column("id", ID, nullable=False),
        sa.Column("occurred_at", MOMENT, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("primary_id", sa.BigInteger(), nullable=False),
        sa.Column("contact_id", sa.BigInteger()),
        sa.Column("email", EXACT),
        sa.Column("phone_number", EXACT),
        sa.Column("detail", sa.JSON(none_as_null=True)),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_event")),
        sqlite_autoincrement=True,
    )


def downgrade() -> None:
    op.drop_table("event")
    op.drop_table("link")
    op.drop_table("identifier")
    op.drop_index("ix_contact_linked_id", "contact")
    op.drop_table("contact")
