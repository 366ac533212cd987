"""The emails of a cell: one, several, or with the names of those whose they are."""

import re
from collections.abc import Iterator
from functools import lru_cache

from identity.formulas import unguarded
from identity.identifiers import is_of_email, parse_email, plain_email
from identity.importing.cells import (
    BROKEN,
    NONE,
    REMEMBERED,
    Values,
    is_absent,
    is_broken,
    together,
    unquoted,
)

NO_EMAIL = "this is not an email address. It should look like name@example.com."
_ADDRESS = re.compile(r"<([^<>]*)>")
# From the first of several blanks only: of a megabyte of them it would take days.
_BETWEEN_EMAILS = re.compile(r"[;,|\r\n]+|:::|(?<![^\S\r\n])[^\S\r\n]+[/&]\s+")
_BETWEEN_IN_A_PART = re.compile(r"[\s/]+")


@lru_cache(REMEMBERED)
def emails_of(text: str) -> Values:
    """Return the emails of a cell, normalised, in their order."""
    if email := plain_email(text):
        return Values((email,))
    text = unquoted(text)
    if is_absent(text):
        return NONE
    if is_broken(text):
        return Values((), BROKEN)
    try:
        email = parse_email(text)
        return Values((email,)) if email else NONE
    except ValueError:
        first, *others = [*_addresses(text)] or [""]
        # The guard of the first was that of the cell.
        parts = [first, *map(unguarded, others)]
        return together(map(_address if len(parts) == 1 else _whole_address, parts))


def _addresses(text: str) -> Iterator[str]:
    """Yield each address of a cell that is not simply one; what is in angle brackets is one."""
    for part in _BETWEEN_EMAILS.split(text) if "<" not in text else _named(text):
        words = [word for word in _BETWEEN_IN_A_PART.split(part) if word]
        several = len(words) > 1 and all(map(is_of_email, words))
        for each in words if several else [part.strip()]:
            if not is_absent(each):
                yield each


def _named(text: str) -> Iterator[str]:
    """Yield the addresses of "Brown, Emmett <doc@hillvalley.edu>; mcfly@hillvalley.edu"."""
    end = 0
    for found in _ADDRESS.finditer(text):
        # The last part before the bracket is the name of whom it is.
        *others, name = _BETWEEN_EMAILS.split(text[end : found.start()])
        yield from filter(is_of_email, others)
        yield found[1]
        # Some are called by their address; another one than theirs is not to be lost.
        if (also := plain_email(name.strip(" \"'"))) and also != plain_email(found[1].strip()):
            yield also
        end = found.end()
    yield from _BETWEEN_EMAILS.split(text[end:])


def _whole_address(text: str) -> Values:
    """Return one of several; a@b is none of "a@b,de", nor is {a@b.de of a list."""
    _, at, domain = text.rpartition("@")
    if at and (text.startswith("{") or "." not in domain):
        return Values((), NO_EMAIL)
    return _address(text)


def _address(text: str) -> Values:
    if text[:7].lower() == "mailto:":
        text = text[7:].partition("?")[0]
    try:
        email = parse_email(text)
        return Values((email,)) if email else NONE
    except ValueError:
        return Values((), NO_EMAIL)
