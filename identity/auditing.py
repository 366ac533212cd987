"""The audit trail: which person did what, and when. Lines are added, and never changed.

No emails and no phone numbers: what somebody looked at or exported is named by its id. Calls of
keys are not here, but for what they rule: they are in the log and, where they told something new,
in the ledger.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum

from sqlalchemy import Connection, insert, select

from identity import database
from identity.models import Audit

COMMAND_LINE = "the command line"


class Deed(StrEnum):
    """What somebody did. How it is told to people is in `web.pages.audit`."""

    SIGNED_IN = "signed_in"
    SIGN_IN_FAILED = "sign_in_failed"
    SIGNED_OUT = "signed_out"
    SIGNED_OUT_EVERYWHERE = "signed_out_everywhere"
    SEARCHED = "searched"
    CUSTOMER_OPENED = "customer_opened"
    LOOKED_UP = "looked_up"
    """Asked an endpoint for programs who somebody is."""
    EXPORTED = "exported"
    RECORD_TAKEN = "record_taken"
    """Took everything on record about one customer away."""
    ACCESS_GIVEN = "access_given"
    """Looked at all that is on record about one customer, and who was told."""
    REJECTS_TAKEN = "rejects_taken"
    """Took the rows away that an import could not use."""
    REPORT_MADE = "report_made"
    """Had what duplicates cost counted anew."""
    REPORT_OPENED = "report_opened"
    IMPORTED = "imported"
    RULED = "ruled"
    RULING_UNDONE = "ruling_undone"
    ERASED = "erased"
    """Forgot a person."""
    ERASURE_LIFTED = "erasure_lifted"
    """Let somebody come back who was erased."""
    ERASURE_KEY_GIVEN_UP = "erasure_key_given_up"
    """Let all come back who were erased with a key that is lost."""
    USER_CREATED = "user_created"
    PASSWORD_CHANGED = "password_changed"  # noqa: S105
    ROLE_CHANGED = "role_changed"
    USER_REMOVED = "user_removed"
    KEY_CREATED = "key_created"
    KEY_REVOKED = "key_revoked"
    WEBHOOK_ADDED = "webhook_added"
    WEBHOOK_ROTATED = "webhook_rotated"
    """Gave a webhook another secret."""
    WEBHOOK_ENABLED = "webhook_enabled"
    WEBHOOK_DISABLED = "webhook_disabled"
    WEBHOOK_REMOVED = "webhook_removed"
    WEBHOOK_TESTED = "webhook_tested"
    MESSAGE_SENT_AGAIN = "message_sent_again"
    LOCAL_LET_IN = "local_let_in"
    """Let whoever is on the machine in without a key again."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the trail."""

    id: int
    at: datetime
    who: str | None
    """A user, a key, the command line; None for somebody who is nobody."""
    what: Deed
    about: str | None
    """An id, or the name of a user or a key."""
    came_from: str | None
    """The network of whoever signed in, or tried to."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which lines are asked for: all, or those of somebody, of a kind, of a day."""

    who: str | None = None
    what: Deed | None = None
    day: date | None = None


def record(
    connection: Connection,
    what: Deed,
    who: str | None,
    about: str | int | None = None,
    came_from: str | None = None,
) -> None:
    """Add a line, in the transaction that does what it tells of."""
    values: dict[str, object] = {
        "at": datetime.now(UTC),
        "who": who,
        "what": what.value,
        "came_from": came_from,
    }
    values["about"] = None if about is None else str(about)
    connection.execute(insert(Audit).values(values))


def note(
    what: Deed, who: str | None, about: str | int | None = None, came_from: str | None = None
) -> None:
    """Add a line before something is done; raise `Unavailable`, and it must not be done."""

    def write() -> None:
        with database.transaction(one_statement=True) as connection:
            record(connection, what, who, about, came_from)

    database.retrying(write)


def page(
    connection: Connection, wanted: Wanted, before: int | None, most: int
) -> tuple[list[Line], bool]:
    """Return lines, the newest first, and whether there are more."""
    chosen = select(*_columns).order_by(Audit.id.desc()).limit(most + 1)
    if before is not None:
        chosen = chosen.where(Audit.id < before)
    if wanted.who is not None:
        chosen = chosen.where(Audit.who == wanted.who)
    if wanted.what is not None:
        chosen = chosen.where(Audit.what == wanted.what.value)
    if wanted.day is not None:
        midnight = datetime.combine(wanted.day, time(), UTC)
        chosen = chosen.where(Audit.at >= midnight, Audit.at < midnight + timedelta(days=1))
    rows = connection.execute(chosen).all()
    lines = [Line(id_, at, who, Deed(what), *more) for id_, at, who, what, *more in rows[:most]]
    return lines, len(rows) > most


_columns = Audit.id, Audit.at, Audit.who, Audit.what, Audit.about, Audit.came_from
