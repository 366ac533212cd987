"""Numbers and moments as people read them, and addresses as lines may break them.

These are the filters of the templates. What happened is told in `telling`.
"""

from datetime import UTC, datetime, timedelta

from flask import Flask
from markupsafe import Markup, escape

from identity.counting import counted

UNITS = {"year": 365 * 86400, "month": 30 * 86400, "day": 86400, "hour": 3600, "minute": 60}
"""What time is told in, and how many seconds it has."""
BREAKS_AFTER = "@", ".", "-", "_"
"""Where an address may go on in the next line."""


def teach(app: Flask) -> None:
    """Let templates use these."""
    for filter_ in (ago, breakable, counted, dated):
        app.add_template_filter(filter_)


def ago(moment: datetime) -> str:
    """Return how long ago a moment was, or how far off it is, as a person would say it."""
    seconds = int((datetime.now(UTC) - moment).total_seconds())
    for unit, length in UNITS.items():
        if count := abs(seconds) // length:
            return f"{counted(count, unit)} ago" if seconds > 0 else f"in {counted(count, unit)}"
    return "just now"


def dated(moment: datetime, *, exact: bool = False) -> str:
    """Return the date of a moment; with the time, in UTC, when it is exact or of these days."""
    days = datetime.now(UTC).date() - moment.date()
    near = abs(days) <= timedelta(days=1)
    return moment.strftime("%Y-%m-%d %H:%M" if exact or near else "%Y-%m-%d")


def breakable(value: str) -> Markup:
    """Return an address that breaks after its punctuation before it breaks inside a word."""
    parts = [""]
    for character in value:
        parts[-1] += character
        if character in BREAKS_AFTER:
            parts.append("")
    return Markup("<wbr>").join(escape(part) for part in filter(None, parts))


def isolated(text: str) -> Markup:
    """Return what somebody gave, kept from running into the words around it."""
    return Markup("<bdi>{}</bdi>").format(breakable(text))
