"""Which passwords will do: long ones that nobody guesses soon.

What guessers know is the library `zxcvbn`, lists included: 30,000 passwords of leaks, and the
words, names and ways of typing that others are made of. It asks nobody.
"""

SHORTEST = 12
SOON = 10**6
"""Guesses. Each known password of that length is among as many, and what is made of one too."""
LOOKED_AT = 72
"""Characters. The library takes no more, for each costs more than the one before."""
SERVICE = "identity"


def problem(password: str, name: str = "") -> str | None:
    """Return what is wrong with somebody's password, as the end of a sentence; else None."""
    if len(password) < SHORTEST:
        return f"must have at least {SHORTEST} characters"
    names = [each.casefold() for each in (name, SERVICE) if len(each) > 2]
    if any(each in password.casefold() for each in names):
        return "must not hold the name of its user or of this service"
    if _guesses(password, names) < SOON:
        return "must not be one of those that are guessed first"
    return None


def _guesses(password: str, names: list[str]) -> int:
    # Its lists are read when it is imported, and only whoever chooses a password needs them.
    from zxcvbn import zxcvbn

    return int(zxcvbn(password[:LOOKED_AT], user_inputs=names)["guesses"])
