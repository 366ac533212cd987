"""The address of the database, as hosts and people spell it."""

import re

from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from identity.errors import ConfigurationError


def read(spelling: str) -> str:
    """Return the address as SQLAlchemy reads it; raise `ConfigurationError`."""
    try:
        url = make_url(_hosts_apart(spelling))
    except (ArgumentError, ValueError):
        # The value may hold a password, so it is not repeated.
        raise ConfigurationError("DATABASE_URL is not a database URL.") from None
    if url.drivername in ("postgres", "postgresql", "postgresql+psycopg"):
        # Hosts hand out both spellings; SQLAlchemy refuses the first. The driver refuses an option
        # that it does not know.
        ours = url.set(drivername="postgresql+psycopg").difference_update_query(["pgbouncer"])
        if len(str(ours.query.get("host", "")).split(",")) > 1:
            # Of several hosts one is the primary, and which one may change.
            ours = ours.update_query_dict({"target_session_attrs": "read-write"} | dict(ours.query))
        return ours.render_as_string(hide_password=False)
    if url.drivername not in ("sqlite", "sqlite+pysqlite"):
        raise ConfigurationError("DATABASE_URL must begin with postgresql:// or sqlite:///.")
    if url.database in (None, "", ":memory:") or "mode" in url.query:
        # Every connection would see an empty database of its own.
        raise ConfigurationError("DATABASE_URL must name a file: SQLite in memory is not shared.")
    return spelling


def _hosts_apart(spelling: str) -> str:
    """Move several hosts to where SQLAlchemy reads them: it takes two ports for one number."""
    several = re.fullmatch(
        r"(postgres\S*?://(?:[^/?#]*@)?)([^/?#@]+,[^/?#@]+)(/[^?]*)?(\?.*)?", spelling
    )
    if several is None:
        return spelling
    before, hosts, path, query = several.groups(default="")
    each = [re.fullmatch(r"(\[.+\]|[^:\[]+)(?::(\d+))?", host) for host in hosts.split(",")]
    if not all(each):
        raise ValueError(hosts)
    named = ",".join(one[1].strip("[]") for one in each if one)
    ports = ",".join(one[2] or "5432" for one in each if one)
    return f"{before}{path or '/'}{query or '?'}{'&' if query else ''}host={named}&port={ports}"
