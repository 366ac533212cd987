"""Spans of time as a setting spells them: `400 days`, `13 months`, `2 years`."""

import re
from collections.abc import Mapping
from datetime import timedelta

from identity.errors import ConfigurationError

DAYS = {"day": 1, "month": 31, "year": 366}
"""The longest of each, so that nothing goes a day too early."""
LONGEST = 100 * DAYS["year"]
SPELLING = re.compile(r"([1-9][0-9]{0,5}) (day|month|year)s?")


def asked_for(given: Mapping[str, str], name: str, shortest: int) -> timedelta | None:
    """Return what a setting says, of so many days at least, or None; refuse anything else."""
    span = _read(given.get(name, ""))
    if name in given and (span is None or span < timedelta(days=shortest)):
        least = "1 day" if shortest == 1 else f"{shortest} days"
        raise ConfigurationError(
            f"{name} must look like 400 days, 13 months or 2 years, and be {least} at least."
        )
    return span


def _read(spelt: str) -> timedelta | None:
    found = SPELLING.fullmatch(spelt)
    if found is None:
        return None
    days = int(found[1]) * DAYS[found[2]]
    return timedelta(days=days) if days <= LONGEST else None
