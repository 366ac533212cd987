"""Emails and phone numbers that stand in a text: a name, a reference, the name of a file.

In doubt something is one. It is asked only whether it was erased.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from typing import Any

from identity.identifiers import (
    Value,
    email_value,
    is_of_email,
    parse_email,
    parse_phone_number,
    phone_value,
)

REMEMBERED = 2**12
"""Texts whose values are kept: files say the same again and again."""
FEWEST = 5
"""Digits of a number within other words."""
_WORDS = re.compile(r"[^\s,;:|<>()\[\]\"]+")
_NUMBERS = re.compile(r"\+?\d[\d\s().\-/]*")
_EDGES = "'.`!?*_-{} "


@lru_cache(REMEMBERED)
def mentioned(text: str, region: str | None) -> tuple[Value, ...]:
    """Return what looks like an identifier. `region` is the country of numbers without one."""
    return tuple(dict.fromkeys(_mentioned(text[:1000], region)))


def without(told: Any, is_gone: Callable[[str], bool]) -> Any:
    """Return what JSON told without some texts: not in lists, and null where they were alone."""
    match told:
        case str():
            return None if is_gone(told) else told
        case list():
            kept = (each for each in told if not (isinstance(each, str) and is_gone(each)))
            return [without(each, is_gone) for each in kept]
        case dict():
            kept = (name for name in told if not is_gone(name))
            return {name: without(told[name], is_gone) for name in kept}
    return told


def _mentioned(text: str, region: str | None) -> Iterator[Value]:
    if is_of_email(text):
        for word in (text, *_WORDS.findall(text)):
            yield from map(email_value, _read(parse_email, _spellings(word.strip(_EDGES))))
    found = (each for each in _NUMBERS.findall(text) if sum(map(str.isdigit, each)) >= FEWEST)
    numbers = (text, *found) if text[:1] in "+(0123456789" else found
    yield from map(phone_value, _read(lambda each: parse_phone_number(each, region), numbers))


def _spellings(word: str) -> Iterator[str]:
    """Yield a word, and without what may be the ending of a file's name."""
    yield word
    address, dot, _ = word.rpartition(".")
    if dot and is_of_email(address):
        yield address


def _read(parse: Callable[[str], str | None], texts: Iterable[str]) -> Iterator[str]:
    for text in texts:
        try:
            found = parse(text)
        except ValueError:
            continue
        if found:
            yield found
