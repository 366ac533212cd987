"""The two engines on one database, and their pools."""

from typing import Any

from flask import Flask
from sqlalchemy import event
from sqlalchemy.pool import NullPool, QueuePool

from identity.config import Config
from identity.database import patience, postgresql, schemas, sqlite
from identity.database.patience import PATIENCE
from identity.database.tables import db

READING, DECIDING = "reading", "deciding"


class Pool(QueuePool):
    """Connections, waited for within the time that a call has for everything."""

    # What SQLAlchemy has to say of its pools, it says in the name of their module, and ours is
    # listened to.
    __module__ = QueuePool.__module__

    @property
    def _timeout(self) -> float:
        return patience.left()

    @_timeout.setter
    def _timeout(self, _: float) -> None:
        """Ignore what SQLAlchemy would wait for."""


def configure(app: Flask, config: Config) -> None:
    """Give the app its two engines for `config.database_url`."""
    common, pool = _options(config)
    deciding: dict[str, Any] = dict(pool)
    if config.database_url.startswith("sqlite"):
        if not config.frozen:
            # SQLite has one writer anyway. Waiting for it in our own queue is fair and wakes at
            # once; SQLite's busy timeout sleeps up to 100 ms at a time and may pass a caller over.
            deciding["pool_size"] = 1
    else:
        # In a stricter level the second reading, under the lock, would see the world as it was
        # before the wait for it. A database may have such a level as its default.
        deciding["isolation_level"] = "READ COMMITTED"
    reading = pool | {
        "isolation_level": "AUTOCOMMIT",
        # There is no transaction to roll back.
        "pool_reset_on_return": None,
        "skip_autocommit_rollback": True,
    }
    app.config["SQLALCHEMY_ENGINE_OPTIONS"] = common | deciding
    app.config["SQLALCHEMY_BINDS"] = {READING: common | reading}
    db.init_app(app)
    with app.app_context():
        if db.engine.dialect.name == "sqlite":
            _listen_sqlite()
        else:
            _listen_postgresql(pooler=config.pooler)


def _options(config: Config) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return what both engines are made with, and what the pool of each is."""
    # Parameters are customers' emails and phone numbers; they must not ride on exceptions.
    common: dict[str, Any] = {"url": config.database_url, "hide_parameters": True}
    pool: dict[str, Any] = {"poolclass": NullPool}
    if not config.frozen:
        pool = {"poolclass": Pool, "pool_size": config.threads, "max_overflow": 0}
        # The one used last is warm, has its statements prepared, and was told how long to wait.
        pool["pool_use_lifo"] = True
    if config.database_url.startswith("sqlite"):
        common["connect_args"] = {"timeout": PATIENCE}
        return common, pool
    common["execution_options"] = {"pooler": config.pooler}
    common["connect_args"] = {
        "client_encoding": "utf8",
        # A host that vanished without a word is noticed after ten seconds, not two hours.
        "tcp_user_timeout": 10_000,
        "keepalives_idle": 5,
        "keepalives_interval": 1,
        "keepalives_count": 5,
    }
    if config.pooler:
        # The next transaction may be on another connection, where nothing was prepared.
        common["connect_args"]["prepare_threshold"] = None
    return common, pool


def _listen_sqlite() -> None:
    for engine in db.engines.values():
        event.listen(engine, "connect", sqlite.prepare)
    event.listen(db.engine, "connect", sqlite.never_doze)
    event.listen(db.engine, "begin", sqlite.begin_immediate)


def _listen_postgresql(*, pooler: bool) -> None:
    if pooler:
        event.listen(db.engine, "begin", postgresql.limit)
    for engine in db.engines.values():
        event.listen(engine, "do_connect", postgresql.connect)
        event.listen(engine, "checkout", postgresql.hurry)
        if not pooler:
            event.listen(engine, "connect", postgresql.prepare)
            event.listen(engine, "connect", schemas.keep_to_own)
