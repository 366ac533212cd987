"""Cells that a spreadsheet would not leave as they are, guarded by an apostrophe, and back.

A text that begins with = is a formula to it, and carried out; one that begins with a digit or a
plus may be a number or a date, which it writes as it pleases. With an apostrophe it is a text.

What is guarded here comes back exactly as it was. A name that begins with an apostrophe, as some
do in Dutch, is none of that and stays whole.
"""

from collections.abc import Iterable

from identity.identifiers import is_of_email

GUARD = "'"
FORMULAS = tuple("=+-@\t\r\n\uff1d\uff0b\uff0d\uff20")
"""What a formula begins with, as wide letters too."""
CHANGED = *FORMULAS, *"0123456789"
"""What a text begins with that does not stay as it is."""


def guarded(text: str) -> str:
    """Return a text as a spreadsheet shows it and does nothing else with it."""
    return GUARD + text if text.startswith(FORMULAS) or _seems_guarded(text) else text


def kept(text: str) -> str:
    """Return a text as a spreadsheet saves it again: numbers and dates are guarded, too."""
    return GUARD + text if text.startswith(CHANGED) or _seems_guarded(text) else text


def unguarded(text: str) -> str:
    """Return what was guarded, by either of them or by a shop, as it was before."""
    return text.removeprefix(GUARD) if _seems_guarded(text) else text


def all_unguarded(texts: Iterable[str]) -> list[str]:
    """Return texts as they were before they were guarded."""
    return [unguarded(text) for text in texts]


def _seems_guarded(text: str) -> bool:
    if not text.startswith(GUARD):
        return False
    # Guarded twice, it must come back with one guard less. Some programs guard every cell: an
    # address that really begins so is much rarer, and guarded where it is ours to write.
    behind = text.lstrip(GUARD)
    return behind.startswith(CHANGED) or is_of_email(behind)
