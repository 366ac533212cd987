"""What an order says of money: decimals, and never floats.

Strict, as dates are: 1,234 may be more than a thousand or a little more than one, and is neither.
"""

import re
from decimal import Decimal

from identity.importing.cells import plain

THREE_PLACES = frozenset({"BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"})
"""Currencies whose amounts have three decimal places (ISO 4217)."""
PLACES = 4
"""Decimal places that are kept: no currency has more."""
LARGEST = Decimal(10**10)
"""What no order comes to, in any currency."""
NO_CURRENCY = "there is no currency of three letters, such as EUR."
NO_AMOUNT = "this is not an amount of money. It should look like 1234.50."
TOO_LARGE = "this is more than any order comes to."
WHICH = "this may be a thousand or a thousandth part of that. It should look like 1234.50."
_CURRENCY = re.compile("[A-Z]{3}")
_PLAIN = re.compile(r"-?\d{1,30}(?:\.\d{1,4})?")
_COMMA = re.compile(r"-?\d{1,30},\d{1,2}")
_GROUPED = re.compile(r"-?\d{1,3}(?:,\d{3})+\.\d{1,4}")
_GROUPED_COMMA = re.compile(r"-?\d{1,3}(?:\.\d{3})+,\d{1,4}")
_UNCLEAR = re.compile(r"-?\d{1,3}(?:,\d{3})+|-?\d{1,3}(?:\.\d{3})+")


def currency_of(text: str) -> str:
    """Return the three letters of a currency; raise `ValueError` with a sentence."""
    if not _CURRENCY.fullmatch(code := plain(text).upper()):
        raise ValueError(NO_CURRENCY)
    return code


def amount_of(text: str, currency: str) -> Decimal:
    """Return an amount, 0 when nothing is said; raise `ValueError` with a sentence."""
    text = plain(text)
    if not text:
        return Decimal(0)
    if not text.isascii():
        raise ValueError(NO_AMOUNT)
    if _UNCLEAR.fullmatch(text) and not ("," not in text and currency in THREE_PLACES):
        raise ValueError(WHICH)
    if _PLAIN.fullmatch(text) or _GROUPED.fullmatch(text):
        amount = Decimal(text.replace(",", ""))
    elif _COMMA.fullmatch(text) or _GROUPED_COMMA.fullmatch(text):
        amount = Decimal(text.replace(".", "").replace(",", "."))
    else:
        raise ValueError(NO_AMOUNT)
    if abs(amount) > LARGEST:
        raise ValueError(TOO_LARGE)
    return amount


def as_units(amount: Decimal) -> int:
    """Return an amount in the smallest parts that are kept, exactly."""
    return int(amount.scaleb(PLACES))


def from_units(units: int) -> Decimal:
    """Return the amount of so many of the smallest parts."""
    return Decimal(units).scaleb(-PLACES)
