"""Why two identifiers, or two contacts, belong together; or what keeps them apart."""

from flask import Response, jsonify, request

from identity import database, explaining
from identity.auditing import Deed
from identity.errors import InvalidInput, NotFound
from identity.explaining import Why
from identity.identifiers import Identifiers, Value, parse_one
from identity.web import blueprint, charging, query
from identity.web.api import presenters
from identity.web.api.ruling_schemas import WhyQuery, WhyTold
from identity.web.domain import cluster_of, region
from identity.web.marks import May, allow, describe, recorded

PAIRS = ("one", "other"), ("oneContact", "otherContact")


@blueprint.get("/why")
@allow(May.READ)
@describe(WhyTold, errors=(404, 410), query=WhyQuery)
@recorded(Deed.LOOKED_UP)
def why() -> Response:
    """Answer with the pairs that lead from one identifier, or contact, to another."""
    asked = query.read(WhyQuery)
    names = _pair(asked)
    if asked.oneContact is not None and asked.otherContact is not None:
        one, other = _between(asked.oneContact, asked.otherContact)
    else:
        one, other = map(_identifier, names)
        if one == other:
            raise _wrong("other", "other is the same identifier as one.")
    return jsonify(presenters.why(_explained(one, other)))


def _pair(asked: WhyQuery) -> tuple[str, str]:
    """Return the names of what was given: both of one pair."""
    given = asked.model_dump(exclude_none=True)
    named = [pair for pair in PAIRS if given.keys() & set(pair)]
    if len(named) != 1:
        sentence = "Either one and other are required, or oneContact and otherContact."
        wrong = given or dict.fromkeys(PAIRS[0])
        raise InvalidInput(sentence, dict.fromkeys(wrong, sentence))
    for name in named[0]:
        if name not in given:
            raise _wrong(name, f"{name} is required too.")
    return named[0]


def _wrong(name: str, sentence: str) -> InvalidInput:
    return InvalidInput(sentence, {name: sentence})


def _identifier(name: str) -> Value:
    typed = request.args[name]
    try:
        return parse_one(query.with_plus(name, typed), region())
    except InvalidInput as problem:
        raise _wrong(name, f"{name}: {problem}") from None


def _between(one: int, other: int) -> tuple[Value, Value]:
    """Return an identifier of each contact: the same where they share one, else the emails."""
    if one == other:
        raise _wrong("otherContact", "otherContact is the same contact as oneContact.")
    here, there = (list(_said_by(contact_id)) for contact_id in (one, other))
    shared = next((value for value in here if value in there), None)
    return (shared, shared) if shared else (here[0], there[0])


def _said_by(contact_id: int) -> list[Value]:
    members = cluster_of(contact_id).members
    (member,) = (each for each in members if each.id == contact_id)
    return list(Identifiers(member.email, member.phone_number).values())


def _explained(one: Value, other: Value) -> Why:
    try:
        with database.snapshot() as connection:
            return explaining.why(connection, one, other)
    except NotFound:
        charging.charge_miss()
        raise
