"""One order of Shopify's export: what it came to, or why it does not count.

The columns are those that Shopify documents. Of an order with several items only the first line
has them; the others are passed over.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple

from identity.duplicates.amounts import amount_of, as_units, currency_of
from identity.errors import InvalidInput
from identity.importing.cells import folded
from identity.importing.columns import Column, named
from identity.importing.files import CustomerFile

FORMAT = "Shopify orders"
NEEDED = {"total": "Total", "currency": "Currency"}
"""Columns without which there is nothing to add up."""
USED = (
    *("name", "id", "createdat", "total", "currency", "financialstatus", "paidat"),
    *("cancelledat", "paymentmethod", "refundedamount", "outstandingbalance"),
)
PAID = frozenset({"paid", "partiallypaid", "partiallyrefunded", "refunded"})
NOT_PAID = frozenset({"pending", "authorized", "unpaid"})
NEVER_PAID = frozenset({"voided", "expired"})
TESTS = "bogus", "fortesting"
"""In the payment methods of orders that were placed to try the shop out."""
NO_STATUS = "this is no status of a payment that is known."
NO_NUMBER = "the order has no number."
BELOW_ZERO = "an order does not come to less than nothing."


class LeftOut(StrEnum):
    """Why an order does not count. How that is told to people is in `words`."""

    CANCELLED = "cancelled"
    TEST = "test"
    UNPAID = "unpaid"
    VOIDED = "voided"
    REFUNDED = "refunded"


class Order(NamedTuple):
    """An order, as it is added up."""

    key: str
    """What tells it from all others."""
    currency: str
    units: int
    """What it came to, in the smallest parts that are kept; 0 when it does not count."""
    left_out: LeftOut | None


class Unclear(ValueError):
    """Something in a line that is not understood, in a sentence with the name of its column."""


class OrderReader:
    """Reads the orders of one file."""

    def __init__(self, file: CustomerFile) -> None:
        """Raise `InvalidInput` when the file is no export of orders with amounts."""
        if file.columns.format != FORMAT:
            raise InvalidInput(
                f"{file.name} is no export of orders from Shopify, but: {file}. Import customers"
                " first, with the page Import or flask identity import; the report reads orders."
            )
        places = named(file.header)
        for name, spelt in NEEDED.items():
            if name not in places:
                raise InvalidInput(f"{file.name} has no column “{spelt}”. Export all of them.")
        self._columns: Mapping[str, Column] = {
            name: Column(places[name][0], file.header[places[name][0]])
            for name in USED
            if name in places
        }

    def read(self, cells: Sequence[str]) -> Order | None:
        """Return the order that begins in a line, None where none does; raise `Unclear`."""
        said = {name: column.cell(cells) for name, column in self._columns.items()}
        if not any(said.get(name) for name in ("total", "currency", "financialstatus")):
            return None
        currency = self._money("currency", said, "")
        left_out = _left_out(said)
        if left_out is not None:
            return Order(_key(said), str(currency), 0, left_out)
        total, refunded, open_ = (
            self._money(name, said, str(currency))
            for name in ("total", "refundedamount", "outstandingbalance")
        )
        assert isinstance(total, Decimal)
        status = folded(said.get("financialstatus", ""))
        rest = total - Decimal(refunded)
        if status == "partiallypaid":
            rest -= Decimal(open_)
        if (refunded and rest <= 0) or (status == "refunded" and not refunded):
            return Order(_key(said), str(currency), 0, LeftOut.REFUNDED)
        if rest < 0:
            raise Unclear(f"{self._columns['total'].name}: {BELOW_ZERO}")
        return Order(_key(said), str(currency), as_units(rest), None)

    def _money(self, name: str, said: Mapping[str, str], currency: str) -> Decimal | str:
        text = said.get(name, "")
        try:
            return amount_of(text, currency) if currency else currency_of(text)
        except ValueError as problem:
            raise Unclear(f"{self._columns[name].name}: {problem}") from None


def _left_out(said: Mapping[str, str]) -> LeftOut | None:
    status = folded(said.get("financialstatus", ""))
    method = folded(said.get("paymentmethod", ""))
    if any(each in method for each in TESTS):
        return LeftOut.TEST
    if said.get("cancelledat"):
        return LeftOut.CANCELLED
    if status in NEVER_PAID:
        return LeftOut.VOIDED
    if status in NOT_PAID or (not status and not said.get("paidat")):
        return LeftOut.UNPAID
    if status and status not in PAID:
        raise Unclear(f"Financial Status: {NO_STATUS}")
    return None


def _key(said: Mapping[str, str]) -> str:
    # Two shops may both have an order #1001. What a spreadsheet has left of an id may be another's.
    if (given := said.get("id", "")).isdecimal():
        return given
    if not said.get("name"):
        raise Unclear(f"Name: {NO_NUMBER}")
    return f"{said['name']} {said.get('createdat', '')}"
