"""The environment, read once and refused loudly when wrong.

Nothing else in the package looks at `os.environ`, so this page is the whole list of
settings. Each wrong value is a `ConfigurationError` at start that names the variable.
"""

import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import phonenumbers
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from identity.errors import ConfigurationError

DEFAULT_DATABASE_URL = "sqlite:///identity.sqlite3"


@dataclass(frozen=True, kw_only=True)
class Config:
    """The settings of one process."""

    database_url: str = DEFAULT_DATABASE_URL
    """An SQLAlchemy URL. A relative SQLite path is below `instance/`."""
    default_phone_region: str | None = None
    """Two letters (ISO 3166): how to read phone numbers that have no country code."""
    secret_key: str | None = None
    """Signs forms and sessions. None: one is made and kept in `instance/`."""
    port: int = 8000
    workers: int = 2
    threads: int = 4
    """Per worker. Also the size of each worker's connection pools."""

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] = os.environ) -> Self:
        """Return the settings the environment asks for; a blank variable is an unset one."""
        given = {name: value.strip() for name, value in environ.items() if value.strip()}
        return cls(
            database_url=_database_url(given.get("DATABASE_URL", DEFAULT_DATABASE_URL)),
            default_phone_region=_phone_region(given.get("DEFAULT_PHONE_REGION")),
            secret_key=given.get("SECRET_KEY"),
            port=_whole_number(given, "PORT", cls.port, 1, 65535),
            workers=_whole_number(given, "WEB_CONCURRENCY", cls.workers, 1, 64),
            threads=_whole_number(given, "WEB_THREADS", cls.threads, 1, 64),
        )


def _database_url(spelling: str) -> str:
    try:
        url = make_url(spelling)
    except (ArgumentError, ValueError):
        # The value may hold a password, so it is not repeated.
        raise ConfigurationError("DATABASE_URL is not a database URL.") from None
    if url.drivername in ("postgres", "postgresql", "postgresql+psycopg"):
        # Hosts hand out both spellings; SQLAlchemy refuses the first.
        return url.set(drivername="postgresql+psycopg").render_as_string(hide_password=False)
    if url.drivername not in ("sqlite", "sqlite+pysqlite"):
        raise ConfigurationError("DATABASE_URL must begin with postgresql:// or sqlite:///.")
    if url.database in (None, "", ":memory:") or "mode" in url.query:
        # Every connection would see an empty database of its own.
        raise ConfigurationError("DATABASE_URL must name a file: SQLite in memory is not shared.")
    return spelling


def _phone_region(region: str | None) -> str | None:
    if region is None:
        return None
    if region.upper() not in phonenumbers.SUPPORTED_REGIONS:
        raise ConfigurationError("DEFAULT_PHONE_REGION must be a two-letter country such as US.")
    return region.upper()


def _whole_number(
    given: Mapping[str, str], name: str, default: int, lowest: int, highest: int
) -> int:
    try:
        number = int(given.get(name, default))
    except ValueError:
        number = lowest - 1
    if not lowest <= number <= highest:
        raise ConfigurationError(f"{name} must be a whole number from {lowest} to {highest}.")
    return number


def kept_secret(folder: Path) -> str:
    """Return the secret in `folder`, making it on the first call; readable by its owner only."""
    path = folder / "secret_key"
    folder.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        # Workers start at the same moment. Each writes a file of its own and only the first
        # to link it wins, so none reads a half-written secret or signs with another one.
        draft = folder / f"secret_key.{os.getpid()}"
        draft.touch(mode=0o600)
        draft.write_text(secrets.token_urlsafe(32))
        try:
            path.hardlink_to(draft)
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return path.read_text().strip()
