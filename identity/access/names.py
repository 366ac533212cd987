"""What keys and users may be called: their names are the sources of what they bring."""

from identity.errors import InvalidInput

ENVIRONMENT_KEY, ENVIRONMENT_USER = "environment", "staff"
"""What the key that the environment gives is called, and whoever signs in with its password.

Both are on record as the sources of what they brought, so neither can be called otherwise."""
RESERVED = {
    *(ENVIRONMENT_KEY, ENVIRONMENT_USER, "api", "form", "seed"),
    *("evidence", "caution", "retention", "the command line", "a browser"),
}
"""Sources of links and lines of history that are not a key's or a user's name."""


def is_name(name: str) -> bool:
    """Tell whether a key or a user may be called that.

    Names are in the log, so none may be an email or a phone number; and `:` is for imports.
    """
    if not 0 < len(name) <= 100 or not name.isprintable() or set(name) & set("@:"):
        return False
    return any(map(str.isalpha, name))


def checked(name: str) -> str:
    """Return what somebody is to be called; raise `InvalidInput`."""
    name = name.strip()
    if not is_name(name):
        raise InvalidInput(
            "A name has 1 to 100 printable characters with a letter, and no colon and no @."
        )
    if name in RESERVED:
        raise InvalidInput(f"{name} is the source of something else. Choose another name.")
    return name
