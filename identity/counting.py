"""Numbers in front of what they count, as people write them."""


def counted(number: int, one: str = "", many: str = "") -> str:
    """Return a number with its thousands apart, and in front of what it counts: 2,000 contacts.

    `many` is for words that take more than an s.
    """
    counts = one if number == 1 else many or (one and f"{one}s")
    return f"{number:,} {counts}".rstrip()
