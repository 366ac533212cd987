"""Spans of time as a setting spells them: `400 days`, `13 months`, `2 years`."""

import re
from datetime import timedelta

DAYS = {"day": 1, "month": 31, "year": 366}
"""The longest of each, so that nothing goes a day too early."""
LONGEST = 100 * DAYS["year"]
SPELLING = re.compile(r"([1-9][0-9]{0,5}) (day|month|year)s?")


def read(spelt: str) -> timedelta | None:
    """Return a span; None for what is spelt otherwise, or longer than a hundred years."""
    found = SPELLING.fullmatch(spelt)
    if found is None:
        return None
    days = int(found[1]) * DAYS[found[2]]
    return timedelta(days=days) if days <= LONGEST else None
