"""The tables: columns and constraints, nothing else.

What may never be true is forbidden here, in the database, so that no code above can make
it so. How the tables come to be is in `migrations/`; a test compares the two.
"""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from identity.database import Base, UtcDateTime

# Only INTEGER PRIMARY KEY counts by itself on SQLite.
Id = BigInteger().with_variant(Integer(), "sqlite")

LARGEST_ID = 2**63 - 1
"""A larger number is no id in either database, and asking with it is an error there."""

# Identifiers are compared byte by byte. A language's collation is slower, and an upgrade of the
# operating system may change its order and corrupt every index built on it.
Exact = Text().with_variant(Text(collation="C"), "postgresql")


RARE = text("kind IN ('clusters_merged', 'primary_changed', 'link_seen')")


class Precedence(StrEnum):
    """Whether a contact stands for its cluster or points at the one that does."""

    PRIMARY = "primary"
    SECONDARY = "secondary"


class Kind(StrEnum):
    """What an identifier is."""

    EMAIL = "email"
    PHONE = "phone"


class Contact(Base):
    """What a customer told us on the day they told us something new."""

    __tablename__ = "contact"
    __table_args__ = (
        CheckConstraint("email IS NOT NULL OR phone_number IS NOT NULL", name="something_given"),
        CheckConstraint("email <> '' AND phone_number <> ''", name="nothing_empty"),
        CheckConstraint("linked_id <> id", name="not_linked_to_itself"),
        CheckConstraint("link_precedence IN ('primary', 'secondary')", name="precedence"),
        CheckConstraint(
            "(link_precedence = 'primary') = (linked_id IS NULL)", name="primary_is_unlinked"
        ),
        # Secondaries only: nobody looks for the many primaries by what they are not linked to.
        Index(
            "ix_contact_linked_id",
            "linked_id",
            postgresql_where=text("linked_id IS NOT NULL"),
            sqlite_where=text("linked_id IS NOT NULL"),
        ),
        Index("ix_contact_created_at", "created_at", "id"),
        # An id that was once somebody's must never become somebody else's.
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    phone_number: Mapped[str | None] = mapped_column(Exact)
    email: Mapped[str | None] = mapped_column(Exact)
    linked_id: Mapped[int | None] = mapped_column(ForeignKey("contact.id"))
    """The cluster's primary, or None when this contact is the primary."""
    link_precedence: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)
    deleted_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """Part of the published table. Nothing is deleted yet, so it is always None."""

    def __repr__(self) -> str:
        # No email, no phone: reprs end up in logs.
        return f"<Contact {self.id} of {self.linked_id or self.id}>"


class Identifier(Base):
    """An email or a phone number, and the contact that first brought it.

    The primary key is the promise of the whole service: an identifier belongs to exactly one
    cluster. Whoever loses a race is told so by this key.
    """

    __tablename__ = "identifier"
    __table_args__ = (
        CheckConstraint("kind IN ('email', 'phone')", name="kind"),
        # Kept in the order of its key, a probe reads one tree in SQLite and not two.
        {"sqlite_with_rowid": False},
    )

    kind: Mapped[str] = mapped_column(Exact, primary_key=True)
    value: Mapped[str] = mapped_column(Exact, primary_key=True)
    contact_id: Mapped[int] = mapped_column(ForeignKey("contact.id"))


class Link(Base):
    """An email and a phone number that were once given together: evidence for a cluster."""

    __tablename__ = "link"
    __table_args__ = ({"sqlite_with_rowid": False},)

    email: Mapped[str] = mapped_column(Exact, primary_key=True)
    phone_number: Mapped[str] = mapped_column(Exact, primary_key=True)
    source: Mapped[str] = mapped_column(Text)
    first_seen_at: Mapped[datetime] = mapped_column(UtcDateTime)


class Event(Base):
    """One line of history: what was decided, when, from which source, on what evidence.

    No foreign keys: history outlives what it tells about.
    """

    __tablename__ = "event"
    __table_args__ = (
        Index("ix_event_primary_id", "primary_id"),
        # New contacts are most of the ledger and found without an index; the rest is worth one.
        Index("ix_event_kind", "kind", "id", postgresql_where=RARE, sqlite_where=RARE),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    occurred_at: Mapped[datetime] = mapped_column(UtcDateTime)
    kind: Mapped[str] = mapped_column(Text)
    source: Mapped[str] = mapped_column(Text)
    primary_id: Mapped[int] = mapped_column(BigInteger)
    """The primary after the decision."""
    contact_id: Mapped[int | None] = mapped_column(BigInteger)
    """The contact made, or the primary absorbed; None when only a pair was new."""
    email: Mapped[str | None] = mapped_column(Exact)
    phone_number: Mapped[str | None] = mapped_column(Exact)
    detail: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))


class Import(Base):
    """A file of customers, and what it brought. Its source is `import:` and its id."""

    __tablename__ = "import"
    __table_args__ = ({"sqlite_autoincrement": True},)

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    file_name: Mapped[str] = mapped_column(Text)
    given_by: Mapped[str] = mapped_column(Text)
    given_at: Mapped[datetime] = mapped_column(UtcDateTime)
    started_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """None while somebody is still looking at the plan."""
    finished_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """None when it goes on, or was broken off."""
    counts: Mapped[dict[str, int]] = mapped_column(JSON)
    content: Mapped[bytes | None] = mapped_column(LargeBinary)
    """An uploaded file until it is imported."""
    rejects: Mapped[bytes | None] = mapped_column(LargeBinary)
    """The rows of an uploaded file that could not be used, as CSV."""


class ApiKey(Base):
    """A key for the JSON endpoints. Its name is the source of what it brings."""

    __tablename__ = "api_key"
    __table_args__ = (
        UniqueConstraint("name"),
        UniqueConstraint("hash"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    name: Mapped[str] = mapped_column(Text)
    hash: Mapped[str] = mapped_column(Text)
    """SHA-256 of the secret, in hexadecimal. The secret itself is nowhere."""
    scopes: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    revoked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class User(Base):
    """Somebody who may sign in. Their name is the source of what they submit."""

    # Its first name: the version before goes on asking for it during an upgrade.
    __tablename__ = "staff"
    __table_args__ = (UniqueConstraint("name"), {"sqlite_autoincrement": True})

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    name: Mapped[str] = mapped_column(Text)
    password_hash: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
