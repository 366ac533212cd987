"""Statements that go around SQLAlchemy mean the same there, also those that bring values along."""

import pytest
from sqlalchemy import Text, bindparam, insert, literal, select

from identity.database import db
from identity.models import Contact, Identifier
from identity.prepared import Prepared
from tests.conftest import See


@pytest.mark.usefixtures("app")
def test_a_statement_may_bring_constants_of_its_own(see: See) -> None:
    see("doc@hillvalley.edu", "5554385")
    asked = Prepared(
        select(Identifier.value, literal("Hill Valley"), literal(1955)).where(
            Identifier.kind == "email", Identifier.value == bindparam("given", type_=Text)
        )
    )

    with db.engine.connect() as connection:
        for given, found in (("doc@hillvalley.edu", 1), ("5554385", 0), ("doc@hillvalley.edu", 1)):
            rows = asked.rows(connection, {"given": given})
            assert rows == [["doc@hillvalley.edu", "Hill Valley", 1955]] * found


@pytest.mark.usefixtures("app")
def test_what_is_given_goes_before_what_the_statement_brings(see: See) -> None:
    see("doc@hillvalley.edu")
    changed = Prepared(
        insert(Identifier).values(
            kind="phone", value=bindparam("given", "1955", type_=Text), contact_id=1
        )
    )

    with db.engine.begin() as connection:
        changed.run(connection, {"given": "1985"})
        changed.run(connection, {})
        held = connection.scalars(select(Identifier.value).where(Identifier.kind == "phone")).all()

    assert sorted(held) == ["1955", "1985"]


@pytest.mark.usefixtures("app")
def test_moments_arrive_as_python_has_them(see: See) -> None:
    created_at = see("doc@hillvalley.edu").primary.created_at
    asked = Prepared(select(Contact.created_at, Contact.deleted_at))

    with db.engine.connect() as connection:
        assert asked.rows(connection, {}) == [[created_at, None]]
