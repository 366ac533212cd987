"""A public truth set, imported: who is made one customer, and who should have been."""

import csv
import io
from itertools import combinations
from pathlib import Path
from typing import NamedTuple

import pytest
from sqlalchemy import func, select

from identity.caution import running
from identity.caution.choosing import Choices
from identity.database import db
from identity.identifiers import parse_one
from identity.importing import register
from identity.models import Claim, Contact, Identifier, Reference
from identity.rulings import applying
from identity.rulings.applying import Ordered
from identity.rulings.kinds import LinksNobody
from tests.bringing import Watcher, on
from tests.tables import empty

TRUTH = Path(__file__).parent / "truth"
SHARED = "info@ca-state.gov", "kusha123@hmail.com"
"""What somebody would set aside by hand: an office's mailbox, and a family's."""


class Measured(NamedTuple):
    """Of the pairs made one, how many should be; of those that should be, how many were made."""

    precision: float
    recall: float


def records() -> list[dict[str, str]]:
    with (TRUTH / "truthset_v4.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def reference(record: dict[str, str]) -> str:
    return f"{record['DATA_SOURCE']} {record['RECORD_ID']}"


def as_file() -> bytes:
    """Return the records as the export of one system, with what it calls them and their names."""
    text = io.StringIO()
    file = csv.writer(text)
    file.writerow(("reference", "full name", "email", "phone"))
    whole = "PRIMARY_NAME_FULL", "NATIVE_NAME_FULL", "PRIMARY_NAME_ORG"
    parts = "PRIMARY_NAME_FIRST", "PRIMARY_NAME_MIDDLE", "PRIMARY_NAME_LAST"
    for record in records():
        name = next(filter(None, map(record.get, whole)), None)
        name = name or " ".join(filter(None, map(record.get, parts)))
        cells = reference(record), name, record["EMAIL_ADDRESS"], record["PHONE_NUMBER"]
        file.writerow(cells)
    return text.getvalue().encode()


def measured() -> Measured:
    """Compare all pairs of records: those of one customer, with those that the key calls one."""
    with (TRUTH / "truthset_key.csv").open(newline="") as file:
        true = {reference(row): row["CLUSTER_ID"] for row in csv.DictReader(file)}
    holders = (
        select(Reference.reference, func.coalesce(Contact.linked_id, Contact.id))
        .join(Claim, Claim.id == Reference.claim_id)
        .join(
            Identifier,
            (Identifier.value == Claim.email) | (Identifier.value == Claim.phone_number),
        )
        .join(Contact, Contact.id == Identifier.contact_id)
    )
    with db.engine.connect() as connection:
        told: dict[str, int] = {name: customer for name, customer in connection.execute(holders)}  # noqa: C416
    together = {pair for pair in combinations(true, 2) if true[pair[0]] == true[pair[1]]}
    made = {
        (one, other)
        for one, other in combinations(true, 2)
        if told.get(one, one) == told.get(other, other)
    }
    right = len(together & made)
    return Measured(right / len(made), right / len(together))


def bring(choices: Choices) -> None:
    import_id = register.give("truth.csv", "test")
    running.carry_out(on(as_file(), "US"), Watcher(), import_id, choices)


@pytest.fixture
def backend() -> str:
    return "sqlite"


@pytest.mark.usefixtures("app")
def test_by_default_the_truth_is_found_as_if_shared_values_were_set_aside_by_hand() -> None:
    bring(Choices())
    found = measured()
    empty()
    for value in SHARED:
        applying.rule(LinksNobody(parse_one(value)), Ordered("somebody"))
    bring(Choices(as_it_is=True))
    by_hand = measured()

    assert found.precision >= 0.75
    assert found.precision >= by_hand.precision
    assert found.recall >= by_hand.recall


@pytest.mark.usefixtures("app")
def test_what_strangers_share_is_found_by_itself_and_nothing_else() -> None:
    plan = running.rehearse(on(as_file(), "US"), Watcher())

    assert {suspect.value.text for suspect in plan.found.suspects} == set(SHARED)


@pytest.mark.usefixtures("app")
def test_as_it_is_an_office_and_a_family_are_one_customer_each() -> None:
    bring(Choices(as_it_is=True))

    assert measured().precision < 0.15
