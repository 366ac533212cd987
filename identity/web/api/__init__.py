"""What programs ask: JSON in, JSON out, described by OpenAPI."""

from identity.web.api import batches, calls, disclosures, rulings, why  # noqa: F401
