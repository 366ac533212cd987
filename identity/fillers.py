"""Values that look like nobody's: what is typed where nothing is to be told.

To look like one is a reason for suspicion and no verdict: it lowers how many strangers are too
many. `123456` given by two people joins them, as the contract's examples want it, and given by
three in one file it does not. To teach this module another filler, add to its lists.
"""

from identity.config import MANY_STRANGERS
from identity.identifiers import Kind, Value

MANY = MANY_STRANGERS
"""Strangers with different names who are too many for one value: four, unless set otherwise.

Of the public truth set in `tests/truth`: what up to three names share is one customer's (spelt in
three ways, say), and what four share is a family's mailbox, which made one customer of its members.
"""
NAMELESS = 3
"""How many times as many they must be where no names tell: a customer has several emails too.

In a made-up Shopify export of 100,000 rows, without its names, what is one customer's came with at
most five others; the number of a reception desk, with thousands.
"""
FEW = 3
"""Strangers who are too many for what looks like a filler. Two may be a couple."""

NOBODYS_NAMES = frozenset({
    "noreply", "no-reply", "no.reply", "no_reply", "donotreply", "do-not-reply", "do.not.reply",
    "none", "no", "nomail", "noemail", "no-email", "no.email", "nothing", "nobody", "unknown",
    "na", "n.a", "n-a", "nil", "null", "nan", "undefined", "missing", "anonymous", "deleted",
    "test", "tests", "tester", "testing", "test1", "test123", "dummy", "fake", "sample", "example",
    "asdf", "asd", "qwerty", "abc", "xyz", "xx", "xxx", "xxxx", "a", "aa", "aaa", "x", "z", "1",
    "123", "1234", "12345", "email", "mail", "me", "user", "someone", "name", "changeme",
})  # fmt: skip
"""What stands before the @ of addresses that nobody reads. Digits after it count as well."""
NOBODYS_DOMAINS = frozenset({
    "example.com", "example.org", "example.net", "test.com", "test.org", "none.com", "noemail.com",
    "nomail.com", "no.com", "na.com", "asdf.com", "abc.com", "xxx.com", "email.invalid",
})  # fmt: skip
NOBODYS_ENDINGS = frozenset({"example", "test", "invalid", "localhost", "local"})
"""Below them nobody has an address: RFC 2606 and RFC 6762."""

SHORTEST = 7
"""Digits of a phone number. Shorter ones are extensions, codes and rests."""
ROW = "01234567890123456789"
"""Digits as somebody types them one after another."""


def looks_like_filler(value: Value) -> str | None:
    """Return why a value looks like nobody's, in words; None when it does not."""
    return _email(value.text) if value.kind is Kind.EMAIL else _phone_number(value.text)


def too_many(value: Value, strangers: int, *, named: int = 0, many: int = MANY) -> bool:
    """Tell whether so many strangers are too many to be joined by one value.

    `named` are those of them who have names, each another.
    """
    if strangers >= FEW and looks_like_filler(value):
        return True
    return named >= many or strangers >= NAMELESS * many


def _email(text: str) -> str | None:
    local, _, domain = text.rpartition("@")
    if local in NOBODYS_NAMES or local.rstrip("0123456789") in NOBODYS_NAMES:
        return f"{local}@ is what is typed instead of an address"
    if domain in NOBODYS_DOMAINS or domain.rpartition(".")[2] in NOBODYS_ENDINGS:
        return f"nobody has an address at {domain}"
    if local == domain.partition(".")[0]:
        return "the same stands before and after its @"
    return None


def _phone_number(text: str) -> str | None:
    digits = text.lstrip("+")
    if len(digits) < SHORTEST:
        return f"it has {len(digits)} digits, too few for a phone number"
    # Whatever code of a country or a city stands before them.
    end = digits[-SHORTEST:]
    if end == end[0] * SHORTEST:
        return "it ends with one digit, repeated"
    if end in ROW:
        return "its digits ascend one by one"
    if end[::-1] in ROW:
        return "its digits descend one by one"
    return None
