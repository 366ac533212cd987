"""What a file says, in a sentence of ours: cut, and with nothing in it that is not to be seen."""

LONGEST = 60
"""Characters."""


def shown(text: str) -> str:
    """Return as much of a text as is shown, with a mark for whatever cannot be."""
    # A terminal obeys control characters, and no database takes half of a surrogate pair.
    seen = "".join(
        each if each.isprintable() else "\N{REPLACEMENT CHARACTER}" for each in text[:LONGEST]
    )
    return seen if len(text) <= LONGEST else f"{seen}…"
