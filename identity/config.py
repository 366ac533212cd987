"""The environment, read once and refused loudly when wrong.

Nothing else in the package looks at `os.environ`, so this page is the whole list of
settings. Each wrong value is a `ConfigurationError` at start that names the variable.
"""

import ipaddress
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Self

import phonenumbers

from identity import database_url, passwords, spans
from identity.errors import ConfigurationError
from identity.roles import Role

DEFAULT_DATABASE_URL = "sqlite:///identity.sqlite3"
KEY_LIMIT = "6000/minute"
ADDRESS_LIMIT = "300/minute"
ERASURE_KEY_LENGTH = 32
MANY_STRANGERS = 4
"""Why so many: `fillers`."""


@dataclass(frozen=True, kw_only=True)
class Config:
    """The settings of one process."""

    database_url: str = DEFAULT_DATABASE_URL
    """An SQLAlchemy URL. A relative SQLite path is below `instance/`.

    Of PostgreSQL it may name several hosts, of which one is the primary.
    """
    pooler: bool = False
    """A pooler in transaction mode stands before PostgreSQL, so nothing outlives a transaction."""
    frozen: bool = False
    """Between two requests the process stands still, and its connections with it."""
    default_phone_region: str | None = None
    """Two letters (ISO 3166): how to read phone numbers that have no country code."""
    many_strangers: int = MANY_STRANGERS
    """People with different names who are too many to be made one by a value that they share."""
    careful: bool = False
    """Calls let a value link nobody, too, when they would join too many strangers by it."""
    secret_key: str | None = None
    """Signs forms and sessions. None: one is made and kept in `instance/`."""
    erasure_keys: tuple[str, ...] = ()
    """What erased identifiers are hashed with, the newest first: all are known by all of them."""
    erasure_key_file: str | None = None
    """A file with the same, one on each line.

    None: of SQLite, one beside the database, which the first erasure makes.
    """
    port: int = 8000
    workers: int = 2
    threads: int = 4
    """Per worker. Also the size of each worker's connection pools."""
    host: str = "127.0.0.1"
    """Where to listen. 0.0.0.0 is everywhere."""
    api_key: str | None = None
    """A key with the scopes identify and read, beside those in the database."""
    password: str | None = None
    """With it anybody may sign in to the pages, beside the users in the database."""
    password_role: str = Role.ADMINISTRATOR
    """What whoever signs in with it may do."""
    open: bool = False
    """Answer everybody."""
    origins: tuple[str, ...] = ()
    """Web sites whose scripts may use the JSON endpoints."""
    proxies: int = 0
    """How many proxies stand before the service, each adding to X-Forwarded-For."""
    key_limit: str = KEY_LIMIT
    address_limit: str = ADDRESS_LIMIT
    """What a key, or an address without one, may ask for, as the library `limits` spells it."""
    metrics_from: str | None = None
    """An address that may read /metrics without a key."""
    webhooks_insecure: bool = False
    """Let webhooks lead to http and to this machine itself. Only to develop and to test: whoever
    administers could ask whatever else runs on the machine."""
    deliver_beside: bool = True
    """Start a process that delivers webhooks, and sweeps, beside the service."""
    sentry_dsn: str | None = None
    """Where faults of ours are reported."""
    retain_history: timedelta | None = None
    """How long history and the audit trail are kept. None: for ever."""
    retain_files: timedelta | None = None
    """How long uploaded files are, and what was rejected of them. None: for ever."""

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] = os.environ) -> Self:
        """Return the settings the environment asks for; a blank variable is an unset one."""
        given = {name: value.strip() for name, value in environ.items() if value.strip()}
        return cls(
            # What some hosts append to say the same.
            pooler=_yes(given, "DATABASE_POOLER")
            or "pgbouncer=true" in given.get("DATABASE_URL", ""),
            frozen="AWS_LAMBDA_FUNCTION_NAME" in given,
            database_url=database_url.read(given.get("DATABASE_URL", DEFAULT_DATABASE_URL)),
            default_phone_region=_phone_region(given.get("DEFAULT_PHONE_REGION")),
            many_strangers=_whole_number(given, "MANY_STRANGERS", cls.many_strangers, 2, 10**6),
            careful=_yes(given, "CAREFUL"),
            secret_key=_secret(given, "SECRET_KEY", 12),
            erasure_keys=_erasure_keys(given),
            erasure_key_file=given.get("ERASURE_KEY_FILE"),
            port=_whole_number(given, "PORT", cls.port, 1, 65535),
            workers=_whole_number(given, "WEB_CONCURRENCY", cls.workers, 1, 64),
            threads=_whole_number(given, "WEB_THREADS", cls.threads, 1, 64),
            # A host that runs us in a container asks from outside of it.
            host=given.get("HOST", "0.0.0.0" if given.get("RENDER") else cls.host),  # noqa: S104
            api_key=_key(given, "IDENTITY_API_KEY"),
            password=_password(given, "IDENTITY_PASSWORD"),
            password_role=_role(given, "IDENTITY_PASSWORD_ROLE", cls.password_role),
            open=_yes(given, "IDENTITY_OPEN"),
            origins=_origins(given, "IDENTITY_ORIGINS"),
            proxies=_whole_number(given, "TRUSTED_PROXIES", cls.proxies, 0, 10),
            key_limit=_limit(given, "RATE_LIMIT_KEY", KEY_LIMIT),
            address_limit=_limit(given, "RATE_LIMIT_ADDRESS", ADDRESS_LIMIT),
            metrics_from=_address(given, "METRICS_FROM"),
            webhooks_insecure=_yes(given, "WEBHOOKS_INSECURE"),
            deliver_beside=_yes({"DELIVER_BESIDE": "1"} | given, "DELIVER_BESIDE"),
            sentry_dsn=_dsn(given, "SENTRY_DSN"),
            retain_history=spans.asked_for(given, "RETAIN_HISTORY", 7),
            retain_files=spans.asked_for(given, "RETAIN_FILES", 1),
        )


def _phone_region(region: str | None) -> str | None:
    if region is None:
        return None
    if region.upper() not in phonenumbers.SUPPORTED_REGIONS:
        raise ConfigurationError("DEFAULT_PHONE_REGION must be a two-letter country such as US.")
    return region.upper()


def _secret(given: Mapping[str, str], name: str, shortest: int) -> str | None:
    secret = given.get(name)
    if secret is not None and len(secret) < shortest:
        raise ConfigurationError(f"{name} must have at least {shortest} characters.")
    return secret


def check_erasure_keys(keys: Iterable[str], where: str) -> None:
    """Raise `ConfigurationError` when one of some keys cannot be one; `where` they are given."""
    if any(len(key) < ERASURE_KEY_LENGTH or len(key.split()) != 1 for key in keys):
        raise ConfigurationError(
            f"Each key in {where} must have at least {ERASURE_KEY_LENGTH} characters, and no blank."
        )


def _erasure_keys(given: Mapping[str, str]) -> tuple[str, ...]:
    keys = tuple(given.get("ERASURE_KEY", "").split())
    check_erasure_keys(keys, "ERASURE_KEY")
    if keys and "ERASURE_KEY_FILE" in given:
        raise ConfigurationError("Set either ERASURE_KEY or ERASURE_KEY_FILE, not both.")
    return keys


def _password(given: Mapping[str, str], name: str) -> str | None:
    password = given.get(name)
    if password is not None and (problem := passwords.problem(password)):
        raise ConfigurationError(f"{name} {problem}.")
    return password


def _role(given: Mapping[str, str], name: str, default: str) -> str:
    role = given.get(name, default)
    if role not in [each.value for each in Role]:
        raise ConfigurationError(f"{name} must be one of {', '.join(Role)}.")
    return role


def _key(given: Mapping[str, str], name: str) -> str | None:
    key = _secret(given, name, 20)
    # What a header Authorization can carry: RFC 6750.
    if key is not None and not re.fullmatch(r"[A-Za-z0-9._~+/-]+=*", key):
        raise ConfigurationError(f"{name} may hold letters, digits and - . _ ~ + / only.")
    return key


def _origins(given: Mapping[str, str], name: str) -> tuple[str, ...]:
    origins = tuple(given.get(name, "").replace(",", " ").split())
    for origin in origins:
        # A pattern would let in more than it seems to: https://*.shop.example too.
        if not re.fullmatch(r"https?://[A-Za-z0-9.-]+(:\d+)?", origin):
            raise ConfigurationError(f"{name} must look like https://shop.example, without a path.")
    return origins


def _address(given: Mapping[str, str], name: str) -> str | None:
    if name not in given:
        return None
    try:
        return str(ipaddress.ip_address(given[name]))
    except ValueError:
        raise ConfigurationError(f"{name} must be one address, such as 10.0.0.7.") from None


def _dsn(given: Mapping[str, str], name: str) -> str | None:
    if name not in given:
        return None
    # It takes as long to load as Flask, and few have such an address.
    from sentry_sdk.utils import BadDsn, Dsn

    try:
        return str(Dsn(given[name]))
    except BadDsn:
        raise ConfigurationError(f"{name} is not an address that Sentry gave.") from None


def _yes(given: Mapping[str, str], name: str) -> bool:
    # Anything else is a mistake: "no" must not open the service to the world.
    if given.get(name, "0") not in ("0", "1"):
        raise ConfigurationError(f"{name} must be 1, or not set at all.")
    return given.get(name) == "1"


def _limit(given: Mapping[str, str], name: str, default: str) -> str:
    if name not in given:
        return default
    # A command counts no calls, and need not load what does.
    from limits import parse_many

    try:
        (limit,) = parse_many(given[name])
    except ValueError:
        limit = None
    if limit is None or not limit.amount or not limit.get_expiry():
        raise ConfigurationError(f"{name} must look like {default}.")
    return given[name]


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
