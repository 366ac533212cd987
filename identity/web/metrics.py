"""What is counted, for Prometheus. The library adds up the workers' counts through files.

A worker's counts outlive it, so a restarted worker takes nothing away.
"""

from functools import lru_cache

from flask import Flask
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    REGISTRY,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
    values,
)
from prometheus_client.multiprocess import MultiProcessCollector
from sqlalchemy import event
from sqlalchemy.pool import QueuePool

from identity import database
from identity.batching.telling import Told
from identity.database import db, retried
from identity.reconciliation import Outcome

NOTHING_NEW = "nothing_new"

REQUESTS = Counter("identity_requests", "Requests answered.", ("method", "route", "status"))
SECONDS = Histogram(
    "identity_request_seconds",
    "Seconds from a request's arrival to the beginning of its answer.",
    ("route",),
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
DECISIONS = Counter("identity_decisions", "Calls to identify, by what they changed.", ("kind",))
CONTACTS = Histogram(
    "identity_customer_contacts",
    "Contacts of the customers that calls to identify answered with.",
    buckets=(1, 2, 3, 5, 10, 20, 50, 100, 500, 1000, 5000),
)
RETRIES = Counter("identity_retries", "Calls begun again after a lost race or connection.")
CONFLICTS = Counter("identity_conflicts", "Calls answered 503 because races stayed lost.")
CONNECTIONS = Gauge(
    "identity_pool_connections", "Connections in use.", ("pool",), multiprocess_mode="livesum"
)
POOL = Gauge("identity_pool_size", "Connections at most.", ("pool",), multiprocess_mode="livesum")


def count_request(method: str, route: str, status: int, seconds: float) -> None:
    """Count a request and the time its answer took."""
    _requests(method, route, status).inc()
    _seconds(route).observe(seconds)


@lru_cache(1000)
def _requests(method: str, route: str, status: int) -> Counter:
    # Finding a counter by its labels takes longer than counting.
    return REQUESTS.labels(method, route, status)


@lru_cache(1000)
def _seconds(route: str) -> Histogram:
    return SECONDS.labels(route)


def count_decision(outcome: Outcome) -> str:
    """Count a call to identify and return what it changed, as the counter has it."""
    kind = outcome.event.value if outcome.event else NOTHING_NEW
    DECISIONS.labels(kind).inc()
    if outcome.cluster.whole:
        CONTACTS.observe(len(outcome.cluster.members))
    return kind


def count_crowd(contacts: int) -> None:
    """Count the contacts of a customer of whom the decision knew only a few."""
    CONTACTS.observe(contacts)


def count_decisions(told: Told, calls: int) -> str:
    """Count calls to identify that were sent together, and return what they changed."""
    kinds = {kind.value: count for kind, count in told.kinds.items()}
    if nothing := calls - len(told.news):
        kinds[NOTHING_NEW] = nothing
    for kind, count in kinds.items():
        DECISIONS.labels(kind).inc(count)
    return ", ".join(f"{kind} {count}" for kind, count in sorted(kinds.items()))


def exposition() -> tuple[bytes, str]:
    """Return all counts in Prometheus's text format, and its content type."""
    registry = REGISTRY
    if values.ValueClass is not values.MutexValue:
        # Several workers, each with files of its own.
        registry = CollectorRegistry()
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return generate_latest(registry), CONTENT_TYPE_LATEST


def watch_pools(app: Flask) -> None:
    """Keep count of the connections in use."""
    with app.app_context():
        for name, engine in db.engines.items():
            pool = name or database.DECIDING
            in_use = CONNECTIONS.labels(pool)
            if isinstance(engine.pool, QueuePool):
                POOL.labels(pool).set(engine.pool.size())
            event.listen(engine, "checkout", lambda *_, in_use=in_use: in_use.inc())
            event.listen(engine, "checkin", lambda *_, in_use=in_use: in_use.dec())


@retried.connect
def _count_retry(_: object) -> None:
    RETRIES.inc()
