"""The reading room: find a customer. Nothing here writes.

Both questions (whose are these identifiers? who is this contact?) are one statement each.
The statements are built once, and never vary in text, so that the databases keep their plans.
"""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from functools import partial
from typing import Any, Self

from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    Connection,
    Integer,
    Select,
    Subquery,
    Text,
    and_,
    bindparam,
    case,
    cast,
    exists,
    func,
    literal_column,
    null,
    or_,
    select,
    true,
    type_coerce,
    union_all,
)

from identity.identifiers import Identifiers, Kind, Value
from identity.models import Claim, Contact, Id, Identifier, KeptApart, Precedence, Reference
from identity.prepared import Prepared


@dataclass(frozen=True, slots=True)
class Member:
    """A contact as it stands in its cluster."""

    id: int
    linked_id: int | None
    email: str | None
    phone_number: str | None
    created_at: datetime

    @property
    def precedence(self) -> Precedence:
        """Primary, or secondary."""
        return Precedence.PRIMARY if self.linked_id is None else Precedence.SECONDARY

    def __repr__(self) -> str:
        # No email, no phone: reprs end up in logs.
        return f"<Member {self.id} of {self.linked_id or self.id}>"


@dataclass(frozen=True, slots=True)
class Cluster:
    """Everything we know about one customer."""

    members: tuple[Member, ...]
    """The primary first, then oldest first."""
    emails: tuple[str, ...]
    """In the order of the members, without repeats; so are the phone numbers."""
    phone_numbers: tuple[str, ...]
    whole: bool = True
    """False when there are so many members that only those are here who matter to a call: the
    primary, and whoever brought what was given. `crowds` has the rest."""

    @classmethod
    def of(cls, members: Iterable[Member], *, whole: bool = True) -> Self:
        """Return the cluster of `members`, which come primary first, then oldest first."""
        members = tuple(members)
        return cls(
            members,
            tuple(dict.fromkeys(m.email for m in members if m.email)),
            tuple(dict.fromkeys(m.phone_number for m in members if m.phone_number)),
            whole,
        )

    @property
    def primary(self) -> Member:
        """The contact that stands for the customer."""
        return self.members[0]

    @property
    def primary_id(self) -> int:
        """The id by which the customer is known."""
        return self.members[0].id

    @property
    def secondary_ids(self) -> list[int]:
        """The ids of all other contacts, oldest first."""
        return [member.id for member in self.members[1:]]

    def knows(self, given: Identifiers) -> bool:
        """Tell whether every identifier given is this customer's."""
        return (given.email is None or given.email in self.emails) and (
            given.phone_number is None or given.phone_number in self.phone_numbers
        )

    def has(self, value: Value) -> bool:
        """Tell whether an identifier is this customer's."""
        return value.text in (self.emails if value.kind is Kind.EMAIL else self.phone_numbers)

    def values(self) -> Iterator[Value]:
        """Yield all identifiers."""
        yield from (Value(Kind.EMAIL, email) for email in self.emails)
        yield from (Value(Kind.PHONE, number) for number in self.phone_numbers)


def in_order(members: Iterable[Member], *, whole: bool = True) -> Cluster:
    """Return the cluster of `members`, which come in any order."""
    ordered = sorted(members, key=lambda m: (m.linked_id is not None, m.created_at, m.id))
    return Cluster.of(ordered, whole=whole)


class Extent(Enum):
    """How much of a customer is read."""

    ENOUGH = "all members, or the few of a customer who has many"
    FEW = "the primary, and whoever brought what was given"
    ALL = "all members, however many"


@dataclass(frozen=True, slots=True)
class Found:
    """What is known of some identifiers: no cluster, one, or one for each of the two."""

    clusters: tuple[Cluster, ...]
    """Oldest primary first."""
    claim: int | None
    """The claim by which the source has told exactly this before."""
    held_by: int | None
    """The ruling that holds that claim."""
    nobody: frozenset[Kind]
    """Which of the two link nobody."""
    ruled_apart: bool
    """Whether one of the two is kept apart from something."""
    carried: bool
    """Whether the claim carries the reference and the name already."""
    few: bool = False
    """Whether the clusters are not whole, one of them being so large."""

    def left(self, given: Identifiers) -> Identifiers:
        """Return what counts of what was given: maybe nothing."""
        return Identifiers(
            None if Kind.EMAIL in self.nobody else given.email,
            None if Kind.PHONE in self.nobody else given.phone_number,
        )

    def of(self, value: Value) -> Cluster | None:
        """Return the cluster that has a value."""
        return next((cluster for cluster in self.clusters if cluster.has(value)), None)

    def is_repeat(self, given: Identifiers) -> bool:
        """Tell whether the source has said all this before, and the tables hold it."""
        if self.claim is None or not self.carried:
            return False
        if len(self.clusters) == 1 and not self.nobody:
            # As nearly always; the rest says the same, and takes its time.
            (cluster,) = self.clusters
            return cluster.primary.linked_id is None and cluster.knows(given)
        return not self.contradicts(given)

    def contradicts(self, given: Identifiers) -> bool:
        """Tell whether the tables do not hold what was told, as far as can be seen from here."""
        if any(cluster.primary.linked_id is not None for cluster in self.clusters):
            return True
        if self.claim is None:
            return False
        if not all(map(self.of, self.left(given).values())):
            return True
        return len(self.clusters) > 1 and self.held_by is None


_contact = Contact.table().c
_identifier = Identifier.table().c
_claim = Claim.table().c
_apart = KeptApart.table().c
_reference = Reference.table().c

MANY = 300
"""Contacts of a customer up to which each call reads all of them. Of a larger one they are read
once, for the answer, and by nobody who holds a lock."""
NOBODY = 0
"""Stands for a primary where a value links nobody."""

# Bound, not compared to a Python None: that would become "IS NULL" and match strangers.
GIVEN = {
    Kind.EMAIL: bindparam("email", type_=Text),
    Kind.PHONE: bindparam("phone_number", type_=Text),
}
_columns = (
    _contact.id,
    _contact.linked_id,
    _contact.email,
    _contact.phone_number,
    _contact.created_at,
)


def _linked_to(primary: ColumnElement[Any]) -> ColumnElement[bool]:
    # Said twice: by the equality alone PostgreSQL reads the table when its figures are old (see
    # `probing`), and SQLite a whole index as long as nobody has analysed the file.
    linked_id = _contact.linked_id
    return and_(linked_id == primary, linked_id.between(primary, primary))


def known_as(kind: Kind) -> ColumnElement[Any]:
    """Return the primary of a value, `NOBODY` if it links nobody, NULL when it is not known."""
    holder = and_(_contact.id == _identifier.contact_id, _contact.deleted_at.is_(None))
    primary = func.coalesce(_contact.linked_id, _contact.id)
    return (
        select(case((_identifier.contact_id.is_(None), literal_column(str(NOBODY))), else_=primary))
        .select_from(Identifier.table().outerjoin(Contact.table(), holder))
        .where(_identifier.kind == literal_column(f"'{kind.value}'"))
        .where(_identifier.value == GIVEN[kind])
        .scalar_subquery()
    )


def members_of(*primaries: ColumnElement[Any], most: int | None = None) -> Subquery:
    """Return the members of clusters, each of another primary, with so many secondaries at most.

    A select for each and not a join: whatever PostgreSQL's figures say, or SQLite's, there is
    nothing but an index to find one by. And one condition "id = ? OR linked_id = ?" would read all
    contacts; two selects use two indexes.
    """
    standing = select(*_columns).where(_contact.deleted_at.is_(None))
    chosen = [standing.where(_contact.id == primary) for primary in primaries]
    for primary in primaries:
        linked = standing.where(_linked_to(primary))
        chosen.append(linked if most is None else _at_most(most, linked))
    return union_all(*chosen).subquery("member")


def _at_most(most: int, chosen: Select[Any]) -> Select[Any]:
    # SQLite has no limit for one part of a union.
    some = chosen.limit(literal_column(str(most))).subquery("some")
    return select(*some.c)


def _holder_of(kind: Kind) -> ColumnElement[Any]:
    """Return the contact that brought a value."""
    chosen = select(_identifier.contact_id)
    key = _identifier.kind == literal_column(f"'{kind.value}'"), _identifier.value == GIVEN[kind]
    return chosen.where(*key).scalar_subquery()


def of_members(column: ColumnElement[Any], primary_id: ColumnElement[Any]) -> CompoundSelect[Any]:
    """Return a select of a contact's column for each member of a cluster."""
    # Two selects and two indexes, as above.
    return union_all(
        select(column).where(_contact.id == primary_id, _contact.deleted_at.is_(None)),
        select(column).where(_linked_to(primary_id), _contact.deleted_at.is_(None)),
    )


def _claim_of(kinds: Collection[Kind]) -> ColumnElement[Any]:
    """Return the claim by which the source has said exactly this, and the ruling that holds it.

    The two in one text, because each question that is asked beside the members takes its time.
    """
    exactly = [
        column == GIVEN[kind] if kind in kinds else column.is_(None)
        for kind, column in ((Kind.EMAIL, _claim.email), (Kind.PHONE, _claim.phone_number))
    ]
    both = (
        cast(_claim.id, Text)
        + literal_column("':'")
        + func.coalesce(cast(_claim.held_by, Text), literal_column("''"))
    )
    told = _claim.source == bindparam("told_by", type_=Text), _claim.stands
    return select(both).where(*exactly, *told).limit(literal_column("1")).scalar_subquery()


def _is_apart(kind: Kind) -> ColumnElement[Any]:
    return exists().where(
        _apart.kind == literal_column(f"'{kind.value}'"), _apart.value == GIVEN[kind]
    )


def _carried(kinds: Collection[Kind]) -> ColumnElement[Any]:
    """Tell whether such a claim carries the reference and the name."""
    exactly = [
        column == GIVEN[kind] if kind in kinds else column.is_(None)
        for kind, column in ((Kind.EMAIL, _claim.email), (Kind.PHONE, _claim.phone_number))
    ]
    return exists().where(
        *exactly,
        _claim.source == bindparam("told_by", type_=Text),
        _claim.stands,
        _reference.claim_id == _claim.id,
        _reference.reference == bindparam("reference", type_=Text),
        _reference.name == bindparam("name", type_=Text),
    )


def _as_it_comes(told: ColumnElement[Any]) -> ColumnElement[Any]:
    # SQLite has numbers for true and false. Making them Python's own takes longer than to ask.
    return type_coerce(told, Integer)


def _find(
    kinds: Collection[Kind], *, with_reference: bool, extent: Extent
) -> Select[*tuple[Any, ...]]:
    known = [known_as(kind) if kind in kinds else cast(null(), Id) for kind in Kind]
    named = (each.label(kind.name) for each, kind in zip(known, Kind, strict=True))
    asked = select(*named).cte("asked")
    one, other = asked.c
    first, second = (select(each).correlate(None) for each in (one, other))
    # Nearly always both are one customer's, who is not to be found twice.
    second = second.where(or_(one.is_(None), one != other))
    chosen = [first, second] if len(kinds) > 1 else [first if Kind.EMAIL in kinds else second]
    primaries = [each.scalar_subquery() for each in chosen]
    if extent is Extent.FEW:
        # A contact that says exactly what a call says brought one of the two.
        ids = (*primaries, *map(_holder_of, kinds))
        few = select(*_columns).where(_contact.id.in_(ids), _contact.deleted_at.is_(None))
        members = few.subquery("member")
    else:
        members = members_of(*primaries, most=MANY + 1 if extent is Extent.ENOUGH else None)
    facts = (
        _claim_of(kinds),
        _as_it_comes(or_(*map(_is_apart, kinds))),
        _as_it_comes(_carried(kinds) if with_reference else true()),
    )
    # A row even where there is no member: what is ruled about a value is no customer's.
    return (
        select(*members.c, *asked.c, *facts)
        .select_from(asked.outerjoin(members, true()))
        .order_by(members.c.linked_id.is_not(None), members.c.created_at, members.c.id)
    )


NO_KIND: frozenset[Kind] = frozenset()
KINDS_GIVEN = {
    (True, True): (Kind.EMAIL, Kind.PHONE),
    (True, False): (Kind.EMAIL,),
    (False, True): (Kind.PHONE,),
}
"""By whether an email, and a phone number, were given."""
Finding = dict[tuple[tuple[Kind, ...], bool], Prepared]


def finding(extent: Extent) -> Finding:
    """Return what `find` asks, for what was given. A text for each: what is absent is not asked."""
    # Built when they are asked: a command that asks none would wait for all.
    return {
        (kinds, with_reference): Prepared(
            partial(_find, kinds, with_reference=with_reference, extent=extent)
        )
        for kinds in KINDS_GIVEN.values()
        for with_reference in (False, True)
    }


FINDING = {extent: finding(extent) for extent in Extent}
FIND = FINDING[Extent.ENOUGH]

_with_contact = members_of(
    select(func.coalesce(_contact.linked_id, _contact.id))
    .where(_contact.id == bindparam("contact_id", type_=Id), _contact.deleted_at.is_(None))
    .correlate(None)
    .scalar_subquery()
)
WITH_CONTACT = select(*_with_contact.c).order_by(
    _with_contact.c.linked_id.is_not(None), _with_contact.c.created_at, _with_contact.c.id
)
"""The members of the cluster of one contact, primary or secondary."""


def find(
    connection: Connection,
    given: Identifiers,
    source: str = "",
    reference: str = "",
    name: str = "",
    extent: Extent = Extent.ENOUGH,
) -> Found:
    """Return what is known of `given`, and what `source` has said of it, in one statement.

    Of a customer of more than `MANY` contacts a second one returns the few that matter, unless
    `extent` says which to read.
    """
    kinds = KINDS_GIVEN[given.email is not None, given.phone_number is not None]
    rows = FINDING[extent][kinds, bool(reference or name)].rows(
        connection,
        {
            "email": given.email,
            "phone_number": given.phone_number,
            "told_by": source,
            "reference": reference,
            "name": name,
        },
    )
    by_primary: dict[int, list[Member]] = {}
    for row in rows:
        id_, linked_id = row[:2]
        if id_ is not None:
            by_primary.setdefault(linked_id or id_, []).append(Member(*row[:5]))
    if extent is Extent.ENOUGH and any(len(each) > MANY for each in by_primary.values()):
        return find(connection, given, source, reference, name, Extent.FEW)
    *known, told, ruled_apart, carried = rows[0][5:]
    claim, _, held_by = (told or ":").partition(":")
    few = extent is Extent.FEW
    return Found(
        tuple(Cluster.of(members, whole=not few) for members in by_primary.values()),
        int(claim) if claim else None,
        int(held_by) if held_by else None,
        frozenset(k for k, of in zip(Kind, known, strict=True) if of == NOBODY)
        if NOBODY in known
        else NO_KIND,
        bool(ruled_apart),
        bool(carried),
        few,
    )


def with_contact(connection: Connection, contact_id: int) -> Cluster | None:
    """Return the cluster of a contact, whether it is the primary or not; None when unknown."""
    rows = connection.execute(WITH_CONTACT, {"contact_id": contact_id}).all()
    return Cluster.of(Member(*row) for row in rows) if rows else None
