"""Whether two names may be one person's.

Generous, because it is asked about people who share an email or a phone number: Sahra Thompson and
Zara Tompson may be one, so may B Smith and Bob J Smith; Mark, Mary and Marsha Kusha are not.
"""

import re
import unicodedata
from functools import lru_cache

Words = tuple[str, ...]
"""The words of a name, sorted: who writes the last name first means the same."""

TITLES = frozenset({"mr", "mrs", "ms", "miss", "dr", "prof"})
SHORT_FORM = 3
"""Letters from which the beginning of a name stands for it: Dan for Daniel."""
_ALIKE = str.maketrans("cqz", "kks")
_AGAIN = re.compile(r"([^\W\d_])\1+")
_UNHEARD = re.compile("[aeiouhwy]")
_MARKS = re.compile("['\u2019`.]")


@lru_cache(2**12)
def words(name: str) -> Words:
    """Return the words of a name, without case and accents; none for what is no name."""
    plain = unicodedata.normalize("NFKD", _MARKS.sub("", name.casefold()))
    letters = "".join(each for each in plain if not unicodedata.combining(each))
    return tuple(sorted(word for word in re.findall(r"\w+", letters) if word not in TITLES))


@lru_cache(2**12)
def sound(word: str) -> str:
    """Return a word without what is spelt in many ways: vowels, and letters that sound alike."""
    alike = word.replace("ph", "f").replace("ck", "k").translate(_ALIKE)
    once = _AGAIN.sub(r"\1", alike)
    return once[:1] + _UNHEARD.sub("", once[1:])


def may_be_one(one: Words, other: Words) -> bool:
    """Tell whether all words of the shorter name are words of the longer one."""
    shorter, longer = sorted((one, other), key=len)
    # A first name or a last name alone is that of many.
    if not shorter or (len(shorter) == 1 and len(longer) > 1):
        return False
    left = list(longer)
    for word in shorter:
        match = next((each for each in left if _alike(word, each)), None)
        if match is None:
            return False
        left.remove(match)
    return True


def _alike(one: str, other: str) -> bool:
    brief, whole = sorted((one, other), key=len)
    is_short = brief.isalpha() and (len(brief) == 1 or len(brief) >= SHORT_FORM)
    return sound(one) == sound(other) or (is_short and whole.startswith(brief))
