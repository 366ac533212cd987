"""Phone numbers that are equal but for the country code, and belong to different customers."""

import json
from collections.abc import Collection, Iterable, Iterator

import phonenumbers
from sqlalchemy import Connection, FromClause, Select, Text, func, literal_column, select

from identity.bulk import Question, Selected
from identity.evidence import holders_of
from identity.explaining import primaries_of
from identity.identifiers import Kind as Of
from identity.identifiers import Value
from identity.models import Identifier
from identity.reviewing.customers import sizes
from identity.reviewing.findings import Found, Kind

SHORTEST = 7
"""Digits of a number without its country code. Shorter ones are equal by chance."""
ENOUGH = 1_000
"""Numbers without a country code that are counted: what is said of them is the same then."""
FEW = 5_000
"""Numbers without a country code up to which they are read, and not asked for one by one."""

_identifier = Identifier.table().c
_codes = sorted({f"+{code}" for code in phonenumbers.COUNTRY_CODE_TO_REGION_CODE})


def _begun_with(asked: FromClause) -> Selected:
    # A number of its own for each, so that each is one look into the key. A plus and digits are
    # smaller than a colon.
    first = (
        select(_identifier.value)
        .where(_identifier.kind == literal_column("'phone'"))
        .where(_identifier.value >= asked.c.code)
        .where(_identifier.value < asked.c.code + literal_column("':'"))
        .limit(1)
    )
    return select(asked.c.code, first.scalar_subquery().label("first"))


BEGUN_WITH = Question(_begun_with, code=Text)


def codes_in_use(connection: Connection) -> list[str]:
    """Return the country codes, each with its plus, that phone numbers here begin with."""
    rows = BEGUN_WITH.ask(connection, ((code,) for code in _codes))
    return [row.code for row in rows if row.first is not None]


def others(number: str, codes: Iterable[str]) -> Iterator[str]:
    """Yield how the same number may stand elsewhere, with a country code or without."""
    if not number.removeprefix("+").isdigit():
        # An extension is somebody's own.
        return
    if number.startswith("+"):
        code = _code(number)
        rest = number.removeprefix(code)
        if code and len(rest) >= SHORTEST:
            yield from (rest, f"0{rest}", number[1:], f"00{number[1:]}")
        return
    national = number.removeprefix("0")
    if len(national) >= SHORTEST:
        yield f"+{number.removeprefix('00')}"
        for code in codes:
            yield f"{code}{national}"
            if national != number:
                # Where the first 0 is part of the number.
                yield f"{code}{number}"


def _code(number: str) -> str:
    for length in (1, 2, 3):
        if int(number[1 : length + 1] or 0) in phonenumbers.COUNTRY_CODE_TO_REGION_CODE:
            return number[: length + 1]
    return ""


def look(connection: Connection, numbers: Collection[str]) -> Iterator[Found]:
    """Yield the pairs in which some numbers are, and that are two customers'."""
    codes: list[str] = []
    if any(not number.startswith("+") for number in numbers):
        codes = codes_in_use(connection)
    likely: dict[Value, list[str]] = {}
    for number in numbers:
        for other in others(number, codes):
            likely.setdefault(Value(Of.PHONE, other), []).append(number)
    # Nearly none of them is there.
    there = holders_of(connection, _likely(connection, likely))
    pairs = {_pair(number, value.text) for value in there for number in likely[value]}
    yield from check(connection, [subject(pair) for pair in pairs])


def _likely(connection: Connection, asked: Collection[Value]) -> Collection[Value]:
    """Leave out what is not there, where it takes one question to tell."""
    national = set(connection.scalars(_without_code(FEW + 1)))
    if len(national) > FEW:
        return asked
    return [value for value in asked if value.text.startswith("+") or value.text in national]


def _pair(one: str, other: str) -> tuple[str, str]:
    """Return two spellings of a number, the one with the country code first."""
    return (one, other) if one < other else (other, one)


def subject(pair: tuple[str, str]) -> str:
    """Return how a finding names two numbers."""
    return json.dumps(pair)


def named(told: str) -> tuple[str, str]:
    """Return the two numbers that a finding names, the one with the country code first."""
    one, other = json.loads(told)
    return one, other


def check(connection: Connection, subjects: Collection[str]) -> Iterator[Found]:
    """Yield what some findings are about as it is now."""
    values = {Value(Of.PHONE, number) for each in subjects for number in named(each)}
    primaries = primaries_of(connection, values)
    large = sizes(connection, set(primaries.values()))
    for told in subjects:
        ids = [primaries.get(Value(Of.PHONE, number)) for number in named(told)]
        known = [id_ for id_ in ids if id_ is not None]
        are_two = len(set(known)) == 2
        detail = {"customers": known, "contacts": [large[id_] for id_ in known]}
        many = sum(detail["contacts"]) if are_two else 0
        yield Found(Kind.COUNTRY_CODE, told, many, detail)


def _without_code(limit: int) -> Select[str]:
    return (
        select(_identifier.value)
        # In the order of the key: of these, plus comes first and the digits after it.
        .where(_identifier.kind == literal_column("'phone'"))
        .where(_identifier.value >= literal_column("'0'"))
        .where(func.length(_identifier.value) >= SHORTEST, _identifier.contact_id.is_not(None))
        .limit(limit)
    )


WITHOUT_CODE = select(func.count()).select_from(_without_code(ENOUGH).subquery())


def without_code(connection: Connection) -> int:
    """Return how many phone numbers stand without a country code, `ENOUGH` at most."""
    return connection.scalar(WITHOUT_CODE) or 0
