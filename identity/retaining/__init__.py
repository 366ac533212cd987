"""How long things are kept: what is older goes, in small steps, and a line of the ledger says so.

Only what was set goes, and nothing that somebody still relies on.
"""

from collections.abc import Iterator

from identity.config import Config
from identity.retaining import files, history
from identity.retaining.accounts import Swept


def sweep(config: Config) -> Iterator[Swept]:
    """Remove what is older than the settings have it kept; yield what went.

    May be ended at any time, and be done by several at once. Raise `Unavailable` when the database
    goes away.
    """
    if config.retain_history is not None:
        yield history.sweep(config.retain_history, config.many_strangers)
    if config.retain_files is not None:
        yield files.sweep(config.retain_files)
