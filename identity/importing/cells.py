"""What one cell says: nothing, a value, several, or something that nobody can read.

What somebody typed becomes comparable in `identifiers`, here as everywhere. In this room and the
next ones is what only files have: words for "nothing", several values in one cell, and what
spreadsheets do to them. Every distinct cell is read once; memory does not grow with the file.
"""

import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple

from identity.identifiers import plain_text

REMEMBERED = 2**13
"""Cells whose reading is kept: memory must not grow with the file."""
ABSENT = frozenset(
    {"", "-", "n/a", "#n/a", "#na", "na", "n.a.", "null", "(null)", "<null>", "[null]", "none"}
    | {"(none)", "nil", "nan", "nat", "\\n", "undefined", "unknown", "not available", "empty"}
    | {"(empty)", "blank", "(blank)", "not provided", "no email", "no phone", "keine", "k.a."}
)
"""What people and programs write for nothing. What has neither letter nor digit is nothing too."""
NEVER_A_NAME = frozenset({"", "n/a", "#n/a", "(null)", "<null>", "[null]", "\\n", "(none)"})
"""Of those what is nobody's name and no reference. There are people called Null, Na and None."""
WRITTEN_FOR_NOTHING = frozenset({"NULL", "null", "None", "nan", "NaN", "NaT", "undefined"})
"""Programs write these exactly so, and nobody a whole name."""

BROKEN = (
    "a character in this cell is broken. Write it again, or save the file as UTF-8 and import that."
)
_NOTHING = re.compile(r"['\"\s\-\u2010-\u2015._?*/\\~]*")
_QUOTED = re.compile(r'=?"(.*)"', re.DOTALL)
_BROKEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffd]")


class Values(NamedTuple):
    """What a cell says."""

    values: tuple[str, ...]
    reason: str = ""
    """Why the cell, or a part of it, is not understood."""


NONE = Values(())
SHOWN = 80
"""Characters of a value that are shown."""


def is_absent(text: str) -> bool:
    """Tell whether a cell says that there is nothing."""
    return text.casefold() in ABSENT or _NOTHING.fullmatch(text) is not None


def plain(text: str) -> str:
    """Return a cell without the marks by which spreadsheets keep it from being a number."""
    return unquoted(text.removeprefix("'"))


def unquoted(text: str) -> str:
    """Return a cell without the quotes that were quoted once too often."""
    text = text.strip()
    if quoted := _QUOTED.fullmatch(text):
        text = quoted[1].strip()
    return text


def is_broken(text: str) -> bool:
    """Tell whether a cell holds what is no character of its file's encoding."""
    return _BROKEN.search(text) is not None


def together(parts: Iterable[Values]) -> Values:
    """Return what the parts of a cell say, and why the first of those that say nothing does."""
    values: dict[str, None] = {}
    reason = ""
    for part in parts:
        values.update(dict.fromkeys(part.values))
        reason = reason or part.reason
    return Values(tuple(values), reason)


@lru_cache(REMEMBERED)
def text_of(text: str) -> Values:
    """Return a name or a reference on one line."""
    text = unquoted(text)
    if text.casefold() in NEVER_A_NAME or _NOTHING.fullmatch(text):
        return NONE
    if is_broken(text):
        return Values((), BROKEN)
    try:
        return Values((given,)) if (given := plain_text(text)) else NONE
    except ValueError:
        return Values((), "this is longer than a name or an id can be.")


def shown(value: str) -> str:
    """Return as much of a value as is shown, on one line and without what cannot be printed."""
    text = " ".join(value[: 4 * SHOWN].split())
    text = "".join(each if each.isprintable() else "\ufffd" for each in text)
    return text if len(text) <= SHOWN else f"{text[: SHOWN - 1]}…"


def folded(text: str) -> str:
    """Return the letters and digits of a text, without case and accents."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    return "".join(character for character in plain if character.isalnum())
