"""What programs ask: JSON in, JSON out, described by OpenAPI."""
