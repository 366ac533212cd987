"""The feed: what happened to customers, numbered after the commit, for other systems to follow.

A call writes its line of the ledger and nothing more. Whoever reads the feed, or delivers from
it, numbers the lines that have been committed meanwhile: so a reader that has seen a number will
never meet a smaller one that it has not seen. No email and no phone number is ever in it.
"""

from identity.feed.becoming import became
from identity.feed.changes import Change
from identity.feed.publishing import publish
from identity.feed.reading import (
    after,
    begins_after,
    drop,
    hold,
    latest,
    numbered,
    page,
    settled,
    standing,
)

__all__ = [
    "Change",
    "after",
    "became",
    "begins_after",
    "drop",
    "hold",
    "latest",
    "numbered",
    "page",
    "publish",
    "settled",
    "standing",
]
