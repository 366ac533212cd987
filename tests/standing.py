"""What stands: contacts that did not cease, identifiers, and claims."""

from typing import Any

from sqlalchemy import select

from identity.database import db
from identity.models import Claim, Contact, Identifier


def claims() -> list[Any]:
    with db.engine.connect() as connection:
        return list(connection.execute(select(Claim).order_by(Claim.id)).all())


def live() -> list[Any]:
    columns = Contact.id, Contact.email, Contact.phone_number, Contact.linked_id, Contact.created_at
    with db.engine.connect() as connection:
        chosen = select(*columns).where(Contact.deleted_at.is_(None)).order_by(Contact.id)
        return [tuple(row) for row in connection.execute(chosen)]


def tables() -> Any:
    with db.engine.connect() as connection:
        held = sorted(map(tuple, connection.execute(select(Identifier)).all()))
    told = [(each.id, each.held_by, each.stands, each.dated_at) for each in claims()]
    return live(), held, told
