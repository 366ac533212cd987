"""What calls that were sent together are answered with: their customers, as they are then."""

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import NamedTuple

from sqlalchemy import BigInteger, Connection, FromClause, Integer, bindparam, select

from identity import clusters, database
from identity.batching.looking import Look
from identity.batching.questions import PAIRS, PRIMARIES
from identity.bulk import Question, Selected
from identity.clusters import Cluster, Member
from identity.deciding import Call, Content
from identity.errors import Contended, IdentityError, TooLarge
from identity.identifiers import Kind, Value
from identity.models import Contact
from identity.probing import is_value
from identity.rebuilding import CONTACTS
from identity.reconciliation import Outcome, nothing_left

MOST = 20_000
"""Contacts in all answers together: two megabytes. One customer may have as many."""
READ = 5 * MOST
"""Contacts that are read at most: those of a customer for whom there is no room are in vain."""
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
        .join(Contact.table(), is_value(_contact.linked_id, asked.c.id))
        .where(_contact.deleted_at.is_(None))
        .limit(bindparam("most", type_=Integer))
    )


FOLLOWERS = Question(_followers, id=BigInteger)


class Answers:
    """What each call is answered with, by its line."""

    def __init__(self, told: Container[int] = ()) -> None:
        """`told` are the lines of those that said something new."""
        self.by_line: dict[int, Outcome | IdentityError] = {}
        self._told = told
        self._room = MOST
        self._reader = _Reader()

    @property
    def in_vain(self) -> int:
        """How many contacts were read of customers for whom there was no room."""
        return max(0, self._room - self._reader.rows + (READ - MOST))

    def read(
        self, connection: Connection, calls: Sequence[Call], looked: Look | None = None
    ) -> None:
        """Find the answers to some calls, in a snapshot in which somebody may have looked."""
        found = _read(connection, calls) if looked is None else _seen(looked)
        primaries = [found.primaries_of(call) for call in calls]
        heads = dict.fromkeys(each[0] for each in primaries if each)
        customers = self._reader.read(connection, list(heads), self._room)
        for call, each in zip(calls, primaries, strict=True):
            self.by_line[call.line] = self._answer(call, each, found, customers)

    def _answer(
        self,
        call: Call,
        primaries: Sequence[int],
        found: "_Found",
        customers: Mapping[int, Cluster],
    ) -> Outcome | IdentityError:
        given = 2 - call.content.count(None)
        nobody: list[Kind] = []
        if found.nobody:
            nobody = [value.kind for value in call.values() if value in found.nobody]
        if len(nobody) == given and call.line not in self._told:
            return nothing_left(call.values())
        apart = len(primaries) > 1 and primaries[0] != primaries[1]
        whole = primaries and len(primaries) + len(nobody) == given
        if not whole or (apart and call.content not in found.held):
            # A ruling changed it since it was told. Told again it is answered as it is now.
            return Contended(database.CONTENDED)
        cluster = customers.get(primaries[0])
        if cluster is None or len(cluster.members) > self._room:
            return TooLarge(FULL)
        self._room -= len(cluster.members)
        return Outcome(cluster, None, primaries[-1] if apart else None, next(iter(nobody), None))


class _Found(NamedTuple):
    """What is known of the values of some calls at one moment."""

    primaries: dict[Value, int]
    nobody: set[Value]
    held: set[Content]

    def primaries_of(self, call: Call) -> list[int]:
        """Return the primaries of what counts of a call: of the email first."""
        holders, nobody = self.primaries, self.nobody
        return [holders[v] for v in call.values() if v in holders and v not in nobody]


def _seen(looked: Look) -> _Found:
    return _Found(looked.known.holders, looked.ruled.nobody, looked.known.held)


def _read(connection: Connection, calls: Sequence[Call]) -> _Found:
    found = _Found({}, set(), set())
    given = {value for call in calls for value in call.values()}
    for kind in Kind:
        asked = ((value.text,) for value in given if value.kind is kind)
        for text, contact_id, primary_id in PRIMARIES[kind].ask(connection, asked):
            if contact_id is None:
                found.nobody.add(Value(kind, text))
            elif primary_id is not None:
                found.primaries[Value(kind, text)] = primary_id
    apart = {call.content for call in calls if len(set(found.primaries_of(call))) > 1}
    for _, email, phone_number, _, _, held_by in PAIRS.ask(connection, apart):
        if held_by is not None:
            found.held.add((email, phone_number))
    return found


@dataclass(slots=True)
class _Reader:
    """Reads customers for as long as there is room for them."""

    rows: int = READ
    """Contacts that may still be read."""

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
