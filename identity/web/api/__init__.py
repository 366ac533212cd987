"""What programs ask: JSON in, JSON out, described by OpenAPI."""

from identity.web.api import (  # noqa: F401
    batches,
    calls,
    disclosures,
    erasures,
    following,
    rulings,
    why,
)
