"""Moments on their way to a database and back, for whoever goes past SQLAlchemy with many rows."""

from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import Dialect

from identity.database import UtcDateTime

MOMENTS = 4096
"""Moments whose converted form is kept."""


def spoken(dialect: Dialect) -> Callable[[datetime], str]:
    """Return what turns a moment into the text that a database of that kind compares."""
    if dialect.name == "postgresql":
        return lru_cache(MOMENTS)(datetime.isoformat)
    speak = UtcDateTime().dialect_impl(dialect).bind_processor(dialect)
    assert speak
    # Most rows carry the same moment.
    return lru_cache(MOMENTS)(speak)


def heard(dialect: Dialect) -> Callable[[Any], datetime]:
    """Return what turns a moment as a driver has it into one in UTC."""
    return _with_its_zone if dialect.name == "postgresql" else _without_zone


def _with_its_zone(moment: datetime) -> datetime:
    return moment if moment.tzinfo is UTC else moment.astimezone(UTC)


@lru_cache(MOMENTS)
def _without_zone(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)
