"""The search: from what somebody typed to the customers who have it.

What was typed is read as words (`typed`, `words`, `numbers`), these are looked for where they may
stand (`places`, `scanning`), and whoever has all of them (`members`) is found, the best first
(`finding`).
"""

from identity.searching.finding import PAGE, Match, Results, near, search
from identity.searching.typed import Asked, read
from identity.searching.words import Where

__all__ = ["PAGE", "Asked", "Match", "Results", "Where", "near", "read", "search"]
