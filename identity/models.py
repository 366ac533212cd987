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
    Boolean,
    CheckConstraint,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Text,
    UniqueConstraint,
    false,
    text,
    true,
)
from sqlalchemy.orm import Mapped, mapped_column

from identity.database import Base, UtcDateTime
from identity.roles import Role

# Only INTEGER PRIMARY KEY counts by itself on SQLite.
Id = BigInteger().with_variant(Integer(), "sqlite")

LARGEST_ID = 2**63 - 1
"""A larger number is no id in either database, and asking with it is an error there."""

# Identifiers are compared byte by byte. A language's collation is slower, and an upgrade of the
# operating system may change its order and corrupt every index built on it.
Exact = Text().with_variant(Text(collation="C"), "postgresql")


def where(condition: str) -> dict[str, Any]:
    """Return what restricts an index to some rows, in both databases."""
    return {"postgresql_where": text(condition), "sqlite_where": text(condition)}


class EventKind(StrEnum):
    """What a line of history tells. How it is told to people is in `web.telling`."""

    CONTACT_CREATED = "contact_created"
    """A new customer: a new primary."""
    CONTACT_LINKED = "contact_linked"
    """A known customer told us something new: a new secondary."""
    CLUSTERS_MERGED = "clusters_merged"
    """Two customers turned out to be one. The detail tells who was absorbed and who moved."""
    PRIMARY_CHANGED = "primary_changed"
    """A contact older than the primary became known, and stands for the customer from then on."""
    LINK_SEEN = "link_seen"
    """Two identifiers of one customer were given together for the first time."""
    HELD = "held"
    """Two identifiers were given together for the first time, and a ruling keeps them apart."""
    RULED = "ruled"
    """A ruling was applied. The detail names it."""
    RULING_WITHDRAWN = "ruling_withdrawn"
    """A ruling was withdrawn. The detail names it."""
    CUSTOMER_CHANGED = "customer_changed"
    """A ruling or its withdrawal changed a customer. The detail tells who it was before."""
    CUSTOMER_MENDED = "customer_mended"
    """The tables said otherwise than the evidence, and were put right. Detail as above."""
    CUSTOMER_ERASED = "customer_erased"
    """A person was forgotten. The detail names the erasure, and who it was before and after."""
    SWEPT = "swept"
    """What was older than it is kept was removed. The detail tells of what, and how much."""


FREQUENT = EventKind.CONTACT_CREATED, EventKind.CONTACT_LINKED
"""Most of the ledger, and found without an index; the rest is worth one."""
OF_NO_IMPORT = "substr(source, 1, 7) <> 'import:'"
"""Lines of the ledger that are shown one by one. An import may have written a million together."""
UNSOUGHT = (EventKind.SWEPT,)
"""Not even that: nobody asks for all of it."""
SOUGHT = [kind.value for kind in EventKind if kind not in (*FREQUENT, *UNSOUGHT)]
RARE = f"kind IN ({', '.join(map(repr, SOUGHT))})"


class Precedence(StrEnum):
    """Whether a contact stands for its cluster or points at the one that does."""

    PRIMARY = "primary"
    SECONDARY = "secondary"


class Contact(Base):
    """What a customer told us on the day they told us something new."""

    __tablename__ = "contact"
    __table_args__ = (
        CheckConstraint(
            "email IS NOT NULL OR phone_number IS NOT NULL OR deleted_at IS NOT NULL",
            name="something_given",
        ),
        CheckConstraint("email <> '' AND phone_number <> ''", name="nothing_empty"),
        CheckConstraint("linked_id <> id", name="not_linked_to_itself"),
        CheckConstraint("link_precedence IN ('primary', 'secondary')", name="precedence"),
        CheckConstraint(
            "(link_precedence = 'primary') = (linked_id IS NULL)", name="primary_is_unlinked"
        ),
        # Secondaries only: nobody looks for the many primaries by what they are not linked to.
        Index("ix_contact_linked_id", "linked_id", **where("linked_id IS NOT NULL")),
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
    """When the contact ceased, because nothing of what it said counts any more; else None."""

    def __repr__(self) -> str:
        # No email, no phone: reprs end up in logs.
        return f"<Contact {self.id} of {self.linked_id or self.id}>"


class Identifier(Base):
    """An email or a phone number, and the contact that first brought it.

    The primary key is the promise of the whole service: an identifier belongs to exactly one
    cluster. Whoever loses a race is told so by this key. A value that links nobody keeps its row,
    without a contact.
    """

    __tablename__ = "identifier"
    __table_args__ = (
        CheckConstraint("kind IN ('email', 'phone')", name="kind"),
        # Kept in the order of its key, a probe reads one tree in SQLite and not two.
        {"sqlite_with_rowid": False},
    )

    kind: Mapped[str] = mapped_column(Exact, primary_key=True)
    value: Mapped[str] = mapped_column(Exact, primary_key=True)
    contact_id: Mapped[int | None] = mapped_column(ForeignKey("contact.id"))


PHONE_TOLD = "length(phone_number) > 0"


class Claim(Base):
    """What one source told us once: an email, a phone number, or both together.

    All evidence there is. Contacts and identifiers hold what `deciding` makes of it, and so do
    the columns from `contact_id` on.
    """

    __tablename__ = "claim"
    __table_args__ = (
        CheckConstraint("email IS NOT NULL OR phone_number IS NOT NULL", name="something_told"),
        Index("ix_claim_email", "email", "phone_number", "source"),
        # For whoever says so in these words only: whoever asks for a pair has the index above, and
        # one phone number may be thousands of people's.
        Index("ix_claim_phone_number", "phone_number", **where(PHONE_TOLD)),
        Index("ix_claim_contact_id", "contact_id", **where("contact_id IS NOT NULL")),
        Index(
            "ix_claim_other_contact_id", "other_contact_id", **where("other_contact_id IS NOT NULL")
        ),
        Index("ix_claim_held_by", "held_by", **where("held_by IS NOT NULL")),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=False)
    """The place in the order in which claims were told, counted together with the ledger's lines:
    what the version before still tells there, while both run, has its place between ours."""
    email: Mapped[str | None] = mapped_column(Exact)
    phone_number: Mapped[str | None] = mapped_column(Exact)
    source: Mapped[str] = mapped_column(Text)
    told_at: Mapped[datetime] = mapped_column(UtcDateTime)
    dated_at: Mapped[datetime] = mapped_column(UtcDateTime)
    """When it was learnt: when it was told, or the date that its file gives it."""
    import_id: Mapped[int | None] = mapped_column(BigInteger)
    """The import that brought it first."""
    contact_id: Mapped[int | None] = mapped_column(BigInteger)
    """The contact that it made when it brought something new; remembered when it makes it no
    more."""
    brought: Mapped[str | None] = mapped_column(Text)
    """Which identifier that contact is of, should the claim be told as two: its kind."""
    other_contact_id: Mapped[int | None] = mapped_column(BigInteger)
    """The contact of the other identifier, when the claim was told as two."""
    held_by: Mapped[int | None] = mapped_column(BigInteger)
    """The ruling that keeps the two apart."""
    stands: Mapped[bool] = mapped_column(Boolean, server_default=true())
    """False while a ruling withdraws it."""


class Reference(Base):
    """What a source calls the record that it told a claim of. Links nobody to anybody."""

    __tablename__ = "reference"
    __table_args__ = (Index("ix_reference_reference", "reference"),)

    claim_id: Mapped[int] = mapped_column(ForeignKey("claim.id"), primary_key=True)
    reference: Mapped[str] = mapped_column(Exact, primary_key=True)
    """The source's own id; empty when only a name was given, as is the name without one."""
    name: Mapped[str] = mapped_column(Exact, primary_key=True)
    import_id: Mapped[int | None] = mapped_column(BigInteger)
    """The import that brought it."""


class Ruling(Base):
    """What a person decided about evidence, and whether it still stands."""

    __tablename__ = "ruling"
    __table_args__ = (
        # The same ruling twice says nothing; two people may have the same idea at once.
        Index("uq_ruling_what", "what", unique=True, **where("withdrawn_at IS NULL")),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    kind: Mapped[str] = mapped_column(Text)
    what: Mapped[str] = mapped_column(Exact)
    """What it names, as JSON in one spelling."""
    by: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    reason: Mapped[str | None] = mapped_column(Text)
    plan: Mapped[dict[str, Any]] = mapped_column(JSON)
    """What it changed when it was applied."""
    up_to: Mapped[int] = mapped_column(BigInteger)
    """The last claim on record when it was applied: what was told later it does not cover."""
    done: Mapped[int | None] = mapped_column(BigInteger)
    """The last claim up to which it is applied, or taken back; None when nothing is left to do."""
    withdrawn_by: Mapped[str | None] = mapped_column(Text)
    withdrawn_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    withdrawn_reason: Mapped[str | None] = mapped_column(Text)


class Withdrawal(Base):
    """A claim that a ruling withdraws."""

    __tablename__ = "withdrawal"
    __table_args__ = ({"sqlite_with_rowid": False},)

    ruling_id: Mapped[int] = mapped_column(ForeignKey("ruling.id"), primary_key=True)
    claim_id: Mapped[int] = mapped_column(ForeignKey("claim.id"), primary_key=True)


class KeptApart(Base):
    """An identifier, and another that is never the same customer's. Each ruling has two rows."""

    __tablename__ = "kept_apart"
    __table_args__ = ({"sqlite_with_rowid": False},)

    kind: Mapped[str] = mapped_column(Exact, primary_key=True)
    value: Mapped[str] = mapped_column(Exact, primary_key=True)
    other_kind: Mapped[str] = mapped_column(Exact, primary_key=True)
    other_value: Mapped[str] = mapped_column(Exact, primary_key=True)
    ruling_id: Mapped[int] = mapped_column(ForeignKey("ruling.id"))


class Event(Base):
    """One line of history: what was decided, when, from which source, on what evidence.

    No foreign keys: history outlives what it tells about.
    """

    __tablename__ = "event"
    __table_args__ = (
        # A history is read from its end, by the page.
        Index("ix_event_primary_id", "primary_id", "id"),
        Index("ix_event_source", "source", "kind", "id"),
        Index("ix_event_of_no_import", "kind", "id", **where(OF_NO_IMPORT)),
        Index("ix_event_kind", "kind", "id", **where(RARE)),
        Index("ix_event_in_claims", "id", **where("NOT in_claims")),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    occurred_at: Mapped[datetime] = mapped_column(UtcDateTime)
    kind: Mapped[str] = mapped_column(Text)
    source: Mapped[str] = mapped_column(Exact)
    primary_id: Mapped[int | None] = mapped_column(BigInteger)
    """The primary after the decision; None when it is about no customer in particular."""
    contact_id: Mapped[int | None] = mapped_column(BigInteger)
    """The contact made, or the primary absorbed; None when only a pair was new."""
    email: Mapped[str | None] = mapped_column(Exact)
    phone_number: Mapped[str | None] = mapped_column(Exact)
    detail: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    in_claims: Mapped[bool] = mapped_column(Boolean, server_default=false())
    """Whether its evidence is among the claims. What the version before writes, while both run, is
    not yet: it does not know this column."""


class Change(Base):
    """The number of something that happened to a customer, for whoever follows the feed.

    Numbers are given to lines of the ledger once these are committed, and have no gaps. What is
    told of a change is read from its line.
    """

    __tablename__ = "change"
    __table_args__ = (UniqueConstraint("event_id"),)

    number: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=False)
    event_id: Mapped[int] = mapped_column(BigInteger)


class Feed(Base):
    """How far changes are numbered. There is one row at most."""

    __tablename__ = "feed"
    __table_args__ = (CheckConstraint("id = 1", name="one_row"),)

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=False)
    last: Mapped[int] = mapped_column(BigInteger)
    """The last number that was given."""
    begins_after: Mapped[int] = mapped_column(BigInteger)
    """The last number whose change is kept no more; 0 while all are kept."""
    settled: Mapped[int] = mapped_column(BigInteger)
    """The last line of which it is known that it, and each before it, is numbered if it ever is."""
    noted: Mapped[int | None] = mapped_column(BigInteger)
    """The last line that had been begun when somebody looked."""
    horizon: Mapped[int | None] = mapped_column(BigInteger)
    """A transaction of PostgreSQL. When none before it goes on, `noted` is settled."""


OPEN_FINDING = "many > 0 AND (fine_many IS NULL OR many >= 2 * fine_many)"
"""What a person is to look at: nobody said it is fine, or it has doubled since."""


class Finding(Base):
    """Something that looks wrong, and whether somebody said that it is fine."""

    __tablename__ = "finding"
    __table_args__ = (
        UniqueConstraint("kind", "subject"),
        Index("ix_finding_open", "kind", "many", "id", **where(OPEN_FINDING)),
        Index("ix_finding_fine_at", "fine_at", "id", **where("fine_at IS NOT NULL")),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    kind: Mapped[str] = mapped_column(Exact)
    subject: Mapped[str] = mapped_column(Exact)
    """What it is about, in one spelling."""
    many: Mapped[int] = mapped_column(BigInteger)
    """How much of it there is; 0 for what was wrong once and is right now."""
    detail: Mapped[dict[str, Any]] = mapped_column(JSON)
    found_at: Mapped[datetime] = mapped_column(UtcDateTime)
    fine_by: Mapped[str | None] = mapped_column(Text)
    """Who said that it is fine."""
    fine_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    fine_many: Mapped[int | None] = mapped_column(BigInteger)
    """How much of it there was then."""


class Sweep(Base):
    """How far everything told was looked at, for findings. There is one row at most."""

    __tablename__ = "sweep"
    __table_args__ = (CheckConstraint("id = 1", name="one_row"),)

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=False)
    done: Mapped[int | None] = mapped_column(BigInteger)
    """The place of the last claim, or line of the ledger, that was looked at."""
    again_after: Mapped[int | None] = mapped_column(BigInteger)
    """The last finding that was looked at again; None when none has to be."""
    again_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """When it was last begun to look at the findings again."""


class Import(Base):
    """A file of customers, and what it brought."""

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
    seen_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """When it was last known to go on."""
    feed: Mapped[str | None] = mapped_column(Text)
    """The source of its claims; None for a file of the time before there were claims."""
    counts: Mapped[dict[str, int]] = mapped_column(JSON)
    choices: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    """What somebody chose while looking at the plan; None for what is done by default."""
    content: Mapped[bytes | None] = mapped_column(LargeBinary)
    """An uploaded file until it is imported. So with the next three, which tell what is in it."""
    reading: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    """How it is read, as the page shows it."""
    plan: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    """What it would bring, as the page shows it; None until that is known."""
    work: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    """Who is finding that out, or importing it, and how far they are."""
    rejects: Mapped[bytes | None] = mapped_column(LargeBinary)
    """The rows of an uploaded file that could not be used, as CSV."""


class Erasure(Base):
    """That a person was forgotten, and whether they may be known again. No identifiers."""

    __tablename__ = "erasure"
    __table_args__ = ({"sqlite_autoincrement": True},)

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    by: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    reason: Mapped[str | None] = mapped_column(Text)
    counts: Mapped[dict[str, int]] = mapped_column(JSON)
    """How much of each went."""
    changes: Mapped[list[dict[str, list[int]]]] = mapped_column(JSON)
    """The primaries of customers before, and of those that they became."""
    cleared_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """When the space in which it stood was given back; None while that is yet to be done."""
    lifted_by: Mapped[str | None] = mapped_column(Text)
    lifted_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """When the person came back on their own wish; None while nothing of them is taken in."""
    lifted_reason: Mapped[str | None] = mapped_column(Text)


class Erased(Base):
    """What is left of an identifier that was erased: a keyed hash, and who still brings it."""

    __tablename__ = "erased"
    __table_args__ = (
        CheckConstraint("kind IN ('email', 'phone')", name="kind"),
        Index("ix_erased_erasure_id", "erasure_id"),
        {"sqlite_with_rowid": False},
    )

    kind: Mapped[str] = mapped_column(Exact, primary_key=True)
    version: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    """Which key it is hashed with."""
    digest: Mapped[str] = mapped_column(Exact, primary_key=True)
    """HMAC-SHA256, in hexadecimal."""
    erasure_id: Mapped[int] = mapped_column(ForeignKey("erasure.id"))
    tries: Mapped[int] = mapped_column(BigInteger, server_default="0")
    """How often it was brought again."""
    last_tried_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class Forgotten(Base):
    """A contact that ceased because its person was forgotten, and whose it was."""

    __tablename__ = "forgotten"

    contact_id: Mapped[int] = mapped_column(
        ForeignKey("contact.id"), primary_key=True, autoincrement=False
    )
    erasure_id: Mapped[int] = mapped_column(ForeignKey("erasure.id"))
    customer: Mapped[int] = mapped_column(BigInteger)
    """The primary that it had. No claim tells any more whose it was."""


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
    role: Mapped[str] = mapped_column(Text, server_default=Role.STEWARD)


class Session(Base):
    """A session of somebody who signed in, from then until it ends."""

    __tablename__ = "session"
    __table_args__ = (
        Index("ix_session_name", "name"),
        Index("ix_session_ends_at", "ends_at"),
    )

    hash: Mapped[str] = mapped_column(Exact, primary_key=True)
    """SHA-256 of what the browser keeps, in hexadecimal."""
    name: Mapped[str] = mapped_column(Text)
    began_at: Mapped[datetime] = mapped_column(UtcDateTime)
    ends_at: Mapped[datetime] = mapped_column(UtcDateTime)


class Report(Base):
    """What was counted last for the owner: of customers, and of orders. Figures and ids only."""

    __tablename__ = "report"
    __table_args__ = (CheckConstraint("kind IN ('customers', 'orders')", name="kind"),)

    kind: Mapped[str] = mapped_column(Exact, primary_key=True)
    made_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """None until it was counted once; so with the next two."""
    made_by: Mapped[str | None] = mapped_column(Text)
    content: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    work: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    """Who is counting, and when they were last heard of; or why it failed."""


class Guard(Base):
    """That callers are told apart, whatever becomes of keys and users. One row at most."""

    __tablename__ = "guard"
    __table_args__ = (CheckConstraint("id = 1", name="one_row"),)

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=False)
    since: Mapped[datetime] = mapped_column(UtcDateTime)


class Audit(Base):
    """One line of the audit trail: who did what, and when. No identifiers."""

    __tablename__ = "audit"
    __table_args__ = (
        Index("ix_audit_at", "at", "id"),
        Index("ix_audit_who", "who", "id"),
        Index("ix_audit_what", "what", "id"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    who: Mapped[str | None] = mapped_column(Exact)
    what: Mapped[str] = mapped_column(Exact)
    about: Mapped[str | None] = mapped_column(Text)
    """An id, or the name of a user or a key."""
    came_from: Mapped[str | None] = mapped_column(Text)
    """The network of whoever signed in, or tried to."""


class Webhook(Base):
    """Where changes are sent to, and how that stands."""

    __tablename__ = "webhook"
    __table_args__ = ({"sqlite_autoincrement": True},)

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    url: Mapped[str] = mapped_column(Text)
    kinds: Mapped[str | None] = mapped_column(Text)
    """Which kinds of changes it wants, between blanks; None for all."""
    secret: Mapped[str] = mapped_column(Text)
    """What its messages are signed with, sealed with the secret of the service."""
    old_secret: Mapped[str | None] = mapped_column(Text)
    """The one before, with which they are signed too until `old_until`."""
    old_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    created_by: Mapped[str] = mapped_column(Text)
    told: Mapped[int] = mapped_column(BigInteger)
    """The number of the last change of which a message was made, where it is wanted."""
    failing_since: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """When the first delivery failed after which none succeeded."""
    failed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """When the last of those failed."""
    rests_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """Until when it asked not to be sent anything."""
    disabled_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    disabled_why: Mapped[str | None] = mapped_column(Text)
    removed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """When it was removed. What was delivered stays on record."""


class MessageState(StrEnum):
    """How far a message is."""

    WAITING = "waiting"
    DELIVERED = "delivered"
    FAILED = "failed"
    """Tried as often as is done. It can be sent again."""


class Message(Base):
    """What is sent to one webhook: a change, as the feed tells it, or a test."""

    __tablename__ = "message"
    __table_args__ = (
        CheckConstraint("state IN ('waiting', 'delivered', 'failed')", name="state"),
        UniqueConstraint("ident"),
        Index("ix_message_next_at", "webhook_id", "next_at", "id", **where("next_at IS NOT NULL")),
        Index("ix_message_state", "webhook_id", "state", "id"),
        Index("ix_message_webhook_id", "webhook_id", "id"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    ident: Mapped[str] = mapped_column(Exact)
    """What the receiver knows it by: the same in every try."""
    webhook_id: Mapped[int] = mapped_column(ForeignKey("webhook.id"))
    number: Mapped[int | None] = mapped_column(BigInteger)
    """The change's in the feed; None for a test."""
    kind: Mapped[str] = mapped_column(Exact)
    customer_id: Mapped[int | None] = mapped_column(BigInteger)
    body: Mapped[str] = mapped_column(Text)
    """What is sent, to the letter. No email and no phone number."""
    made_at: Mapped[datetime] = mapped_column(UtcDateTime)
    state: Mapped[str] = mapped_column(Exact)
    tries: Mapped[int] = mapped_column(Integer, server_default="0")
    next_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """When it is tried next; None when it is not its turn yet, or nothing is left to do."""
    leased_by: Mapped[str | None] = mapped_column(Exact)
    """Which process is sending it, until `leased_until` at least."""
    leased_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class Turn(Base):
    """That a message waits in the row of a customer, in which only the first is sent."""

    __tablename__ = "turn"
    __table_args__ = (Index("ix_turn_message_id", "message_id"), {"sqlite_with_rowid": False})

    webhook_id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=False)
    customer_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    message_id: Mapped[int] = mapped_column(ForeignKey("message.id"), primary_key=True)


class Delivery(Base):
    """One try to deliver a message, and what came of it."""

    __tablename__ = "delivery"
    __table_args__ = (
        Index("ix_delivery_message_id", "message_id", "id"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    message_id: Mapped[int] = mapped_column(ForeignKey("message.id"))
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    ms: Mapped[int] = mapped_column(Integer)
    """How many milliseconds it took."""
    status: Mapped[int | None] = mapped_column(Integer)
    """What the receiver answered; None when it did not."""
    problem: Mapped[str | None] = mapped_column(Text)
    """Why it did not succeed, in a sentence; None when it did."""
