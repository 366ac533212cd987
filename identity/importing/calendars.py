"""What months and days are called in the languages of the exports that we know."""

from functools import lru_cache

from babel import Locale

from identity.importing.cells import folded

LANGUAGES = "en", "de", "fr", "es", "it", "nl", "pt"


@lru_cache(1)
def months() -> dict[str, int]:
    """Return the number of each month by its names, long and short."""
    return {
        folded(name): number
        for language in LANGUAGES
        for context in Locale.parse(language).months.values()
        for width, names in context.items()
        if width != "narrow"
        for number, name in names.items()
    }


@lru_cache(1)
def weekdays() -> frozenset[str]:
    """Return the names of the days, long and short."""
    return frozenset(
        folded(name)
        for language in LANGUAGES
        for context in Locale.parse(language).days.values()
        for width, names in context.items()
        if width != "narrow"
        for name in names.values()
    )
