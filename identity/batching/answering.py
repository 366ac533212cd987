"""What calls that were sent together are answered with: their customers, as they are then."""

from collections.abc import Container, Sequence
from dataclasses import dataclass, field
from itertools import chain

from sqlalchemy import BigInteger, Connection, FromClause, Integer, bindparam, select

from identity import clusters, database
from identity.batching.questions import HOLDERS, PAIRS
from identity.batching.telling import parts
from identity.bulk import Question, Selected
from identity.clusters import Cluster, Member
from identity.deciding import Call, Content
from identity.errors import Contended, IdentityError, TooLarge
from identity.identifiers import Kind, Value
from identity.models import Contact
from identity.rebuilding import CONTACTS
from identity.reconciliation import Outcome, nothing_left

MOST = 20_000
"""Contacts in all answers together: two megabytes. One customer may have as many."""
FULL = (
    f"The answers to one request hold {MOST:,} contacts at most. This call was decided; "
    "send it by itself to have its answer."
)

_contact = Contact.table().c


def _followers(asked: FromClause) -> Selected:
    return (
        select(
            *(_contact.id, _contact.linked_id, _contact.email),
            *(_contact.phone_number, _contact.created_at),
        )
        .select_from(asked)
        .join(Contact.table(), _contact.linked_id == asked.c.id)
        .where(_contact.deleted_at.is_(None))
        .limit(bindparam("most", type_=Integer))
    )


FOLLOWERS = Question(_followers, id=BigInteger)


def answer(calls: Sequence[Call], told: Container[int]) -> dict[int, Outcome | IdentityError]:
    """Return what each call is answered with by its line, once all of them were decided.

    `told` are the lines of those that said something new. Raise `Unavailable` when the database
    cannot be reached.
    """
    answers: dict[int, Outcome | IdentityError] = {}
    room, reader = MOST, _Reader()
    for part in parts(calls):
        with database.lookups() as connection:
            found = _read(connection, part)
            found.customers = reader.read(connection, found.heads, room)
        for call in part:
            answered = answers[call.line] = found.answer(call, call.line in told, room)
            if isinstance(answered, Outcome):
                room -= len(answered.cluster.members)
    return answers


@dataclass(slots=True)
class _Found:
    """What is known of the values of some calls at one moment."""

    primaries: dict[Value, int] = field(default_factory=dict)
    nobody: set[Value] = field(default_factory=set)
    held: set[Content] = field(default_factory=set)
    heads: list[int] = field(default_factory=list)
    """The primaries of the customers that are to be answered with."""
    customers: dict[int, Cluster] = field(default_factory=dict)
    """Those for which there was room."""

    def left(self, call: Call) -> list[Value]:
        """Return the values of a call that count."""
        return [value for value in call.values() if value not in self.nobody]

    def answer(self, call: Call, is_new: bool, room: int) -> Outcome | IdentityError:
        """Return what a call is answered with."""
        left = self.left(call)
        if not left and not is_new:
            return nothing_left(call.values())
        primaries = [self.primaries.get(value) for value in left]
        apart = len(set(primaries)) > 1
        if not left or None in primaries or (apart and call.content not in self.held):
            # A ruling changed it since it was told. Told again it is answered as it is now.
            return Contended(database.CONTENDED)
        cluster = self.customers.get(primaries[0] or 0)
        if cluster is None or len(cluster.members) > room:
            return TooLarge(FULL)
        nobody = (value.kind for value in call.values() if value in self.nobody)
        return Outcome(cluster, None, primaries[-1] if apart else None, next(nobody, None))


def _read(connection: Connection, calls: Sequence[Call]) -> _Found:
    found = _Found()
    given = {value for call in calls for value in call.values()}
    for kind in Kind:
        asked = ((value.text,) for value in given if value.kind is kind)
        for text, contact_id, primary_id, _, stands, *_ in HOLDERS[kind].ask(connection, asked):
            if contact_id is None:
                found.nobody.add(Value(kind, text))
            elif stands:
                found.primaries[Value(kind, text)] = primary_id
    apart: set[Content] = set()
    for call in calls:
        primaries = [found.primaries[v] for v in found.left(call) if v in found.primaries]
        found.heads += primaries[:1]
        if len(set(primaries)) > 1:
            apart.add(call.content)
    found.heads = list(dict.fromkeys(found.heads))
    for _, email, phone_number, _, _, held_by in PAIRS.ask(connection, apart):
        if held_by is not None:
            found.held.add((email, phone_number))
    return found


@dataclass(slots=True)
class _Reader:
    """Reads customers for as long as there is room for them."""

    rows: int = 5 * MOST
    """Contacts that may still be read: those of a customer for whom there is no room are read in
    vain."""

    def read(
        self, connection: Connection, primaries: Sequence[int], room: int
    ) -> dict[int, Cluster]:
        """Return customers by their primaries: all, or else the first ones that find room."""
        customers = self._read(connection, primaries, room)
        if customers is not None:
            return customers
        found: dict[int, Cluster] = {}
        for primary_id in primaries:
            one = self._read(connection, [primary_id], room) or {}
            room -= sum(len(cluster.members) for cluster in one.values())
            found |= one
        return found

    def _read(
        self, connection: Connection, primaries: Sequence[int], room: int
    ) -> dict[int, Cluster] | None:
        room = min(room, self.rows)
        if len(primaries) > room:
            return None
        asked = [(id_,) for id_ in primaries]
        rows = list(FOLLOWERS.ask(connection, asked, most=room + 1))
        self.rows -= len(rows)
        if len(primaries) + len(rows) > room:
            return None
        members: dict[int, list[Member]] = {}
        for row in chain(CONTACTS.ask(connection, asked), rows):
            member = Member(*row[:5])
            members.setdefault(member.linked_id or member.id, []).append(member)
        return {primary_id: clusters.in_order(each) for primary_id, each in members.items()}
