"""What is left of people who were erased, so that nothing brings them back.

A keyed hash of each identifier: of no use to whoever has the database and not the key. Whoever is
about to write an identifier for the first time asks here first, and leaves out what was erased.
How a person is erased is not here: `erasing`.
"""

from identity.forgetting.hashes import (
    BroughtAgain,
    check,
    keep,
    recalled,
    recognizer,
    remembered,
    remembers,
    tried,
)
from identity.forgetting.memory import LATER, configure, here, of, stand_in, told_in
from identity.forgetting.shutting import hold_out, shut_out
from identity.forgetting.texts import mentioned

__all__ = [
    "LATER",
    "BroughtAgain",
    "check",
    "configure",
    "here",
    "hold_out",
    "keep",
    "mentioned",
    "of",
    "recalled",
    "recognizer",
    "remembered",
    "remembers",
    "shut_out",
    "stand_in",
    "told_in",
    "tried",
]
