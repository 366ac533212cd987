"""Which country a cell means: by its code of two or three letters, its number or its name."""

from functools import lru_cache

import phonenumbers
from babel import Locale
from babel.core import get_global

from identity.errors import InvalidInput
from identity.importing.cells import folded

LANGUAGES = "en", "de", "fr", "es", "it", "nl", "pt", "pt_PT"
"""Those of the exports that we know."""
OTHER_NAMES = {
    "GB": "uk,great britain,england,scotland,wales,northern ireland,grossbritannien",
    "US": "usa,u.s.a.,u.s.,united states of america,america,eeuu,ee.uu.,etats-unis d'amerique",
    "NL": "holland,the netherlands,niederlande,holanda,olanda",
    "GR": "el,hellas",
    "CZ": "czech republic,tschechische republik",
    "TR": "turkey",
    "RU": "russian federation",
    "VN": "viet nam",
    "KR": "korea republic of,republic of korea,korea south,korea",
    "CI": "ivory coast",
    "XK": "xkx,kosovo",
    "MK": "macedonia",
    "CV": "cape verde",
}
"""What else countries are called, by people and by the forms of shops."""


@lru_cache(1024)
def region_of(country: str) -> str | None:
    """Return the two-letter region of a country's code, number or name; None when unknown."""
    code = country.strip().upper()
    if code in phonenumbers.SUPPORTED_REGIONS:
        return code
    named = _names().get(folded(country))
    if named or (code.isdigit() and len(code) > 3):
        return named
    # Of a country that there is no more, the list names several.
    heirs = get_global("territory_aliases").get(code.zfill(3) if code.isdigit() else code, ())
    known = [heir for heir in heirs if heir in phonenumbers.SUPPORTED_REGIONS]
    return known[0] if len(known) == 1 else None


def region_named(country: str) -> str | None:
    """Return the region that somebody chose, None for an empty text; raise `InvalidInput`."""
    if not country.strip():
        return None
    region = region_of(country)
    if region is None:
        raise InvalidInput(
            f"There is no country “{country.strip()[:40]}”. Name it by its two letters, such as DE."
        )
    return region


@lru_cache(1)
def _names() -> dict[str, str]:
    names = {}
    for language in LANGUAGES:
        for code, name in Locale.parse(language).territories.items():
            if code in phonenumbers.SUPPORTED_REGIONS:
                names[folded(name)] = code
    for code, others in OTHER_NAMES.items():
        names |= {folded(name): code for name in others.split(",")}
    return names
