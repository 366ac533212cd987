"""Which country a cell means."""

import pytest

from identity.errors import InvalidInput
from identity.importing.countries import region_named, region_of


@pytest.mark.parametrize(
    ("country", "region"),
    [
        ("DE", "DE"), ("de", "DE"), (" DE ", "DE"), ("DEU", "DE"), ("276", "DE"), ("40", "AT"),
        ("Germany", "DE"), ("Deutschland", "DE"), ("Allemagne", "DE"), ("Alemania", "DE"),
        ("Germania", "DE"), ("Duitsland", "DE"), ("Alemanha", "DE"), ("GERMANY", "DE"),
        ("USA", "US"), ("U.S.A.", "US"), ("United States of America", "US"), ("États-Unis", "US"),
        ("Estados Unidos", "US"), ("Vereinigte Staaten", "US"), ("840", "US"),
        ("UK", "GB"), ("England", "GB"), ("Great Britain", "GB"), ("GBR", "GB"),
        ("Österreich", "AT"), ("Osterreich", "AT"), ("Autriche", "AT"), ("España", "ES"),
        ("Espana", "ES"), ("Türkiye", "TR"), ("Turkey", "TR"), ("Côte d’Ivoire", "CI"),
        ("NA", "NA"), ("Namibia", "NA"), ("The Netherlands", "NL"), ("Holland", "NL"),
        ("Narnia", None), ("", None), ("Europe", None), ("0", None), ("SUN", None),
    ],
)  # fmt: skip
def test_a_country_is_known_by_code_number_and_name(country: str, region: str | None) -> None:
    assert region_of(country) == region


def test_a_country_that_somebody_chose_has_to_be_one() -> None:
    assert region_named("Deutschland") == "DE"
    assert region_named(" ") is None
    with pytest.raises(InvalidInput, match="There is no country “XX”"):
        region_named("XX")
