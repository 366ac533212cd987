"""Where the effect of a ruling is seen: the page of a customer, of an import, or of the ruling."""

from collections.abc import Mapping
from typing import Any

from flask import url_for

from identity import database, explaining
from identity.rulings import kinds
from identity.rulings.kinds import ImportWithdrawn, What
from identity.rulings.register import Registered


def where_it_shows(registered: Registered, plan: Mapping[str, Any]) -> str:
    """Return the address of the page to look at once a ruling is applied, or undone."""
    if isinstance(registered.what, ImportWithdrawn):
        return url_for("web.one_import", import_id=registered.what.import_id)
    customer = _of_values(registered.what) or _in(plan)
    if customer is None:
        return url_for("web.ruling_page", ruling_id=registered.id)
    return url_for("web.cluster", contact_id=customer)


def _of_values(what: What) -> int | None:
    values = list(kinds.values_of(what))
    primaries = database.read(lambda connection: explaining.primaries_of(connection, values))
    return next((primaries[value] for value in values if value in primaries), None)


def _in(plan: Mapping[str, Any]) -> int | None:
    """Return a customer that the plan changed, or left."""
    for change in plan["changes"]:
        for contact in change["after"]:
            if contact["primaryContactId"] is not None:
                return int(contact["primaryContactId"])
    return None
