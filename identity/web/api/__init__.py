"""What programs ask: JSON in, JSON out, described by OpenAPI."""

from identity.web.api import batches, calls, rulings, why  # noqa: F401
