"""What a call costs its caller, and on whose account it goes."""

import ipaddress
from contextlib import suppress
from functools import cache, lru_cache

from flask import g, request
from limits import RateLimitItem, parse

from identity.clusters import MANY
from identity.errors import TooManyRequests
from identity.models import EventKind
from identity.web import current
from identity.web.callers import EVERYTHING, NOBODY, Caller

MISS = 10
"""What a look-up that finds nothing counts for: guessing identifiers is mostly missing.

One can guess by telling, too, and a call to identify that brings a contact has missed: what it
named was unknown, all of it or one of the two (with a number of his own beside each guess, nobody
who guesses makes a new customer). But it is also what an honest shop does all day. So these misses
count as much, against the same limit, on an account of their own: calls that bring nothing new and
look-ups are not refused for them, and with 6,000 calls a minute a key may bring 600 contacts a
minute, which is 860,000 a day. Whoever has more to tell at once imports a file, or raises the limit
meanwhile. It is known after it was done, so it is answered, and what comes next is refused.
"""
MISSED = EventKind.CONTACT_CREATED, EventKind.CONTACT_LINKED
TOO_MANY_NEW = (
    "Too many unknown emails and phone numbers in a short time. Try again later, or import a file."
)
HUNDRED = 100
"""Contacts of a large customer for which an answer counts one more. Those of whom a call reads
every contact (`clusters.MANY`) count nothing more: an answer of 20,000 counts for 198 calls and
takes about as long. It is known when the answer is, which is given; what comes next may be refused.
"""
REFUSED = 5
"""What a call with a wrong key counts for."""


def charge(caller: Caller, cost: int = 1) -> None:
    """Count a call; raise `TooManyRequests` when there were too many."""
    account = _account(caller)
    if account:
        current.limiter().count(*account, cost)


def charge_all(calls: int) -> None:
    """Count the calls of one request; raise `TooManyRequests` when there is no room for all."""
    account = _account(g.caller)
    if account is None:
        return
    limit, who = account
    if calls > limit.amount:
        raise TooManyRequests(
            f"These are {calls:,} calls, and {limit.amount:,} may be made in "
            f"{limit.get_expiry():,} seconds. Send fewer at once.",
            limit.get_expiry(),
        )
    # The request was counted once already.
    if calls > 1:
        current.limiter().count_all(limit, who, calls - 1)


def _account(caller: Caller) -> tuple[RateLimitItem, str] | None:
    """Return on whose account a caller's calls go, and how much may; None when it is nobody's."""
    config = current.config()
    if caller is EVERYTHING and not config.open:
        # On this machine only, there is nobody to guard against.
        return None
    if caller.is_key:
        return _parsed(config.key_limit), f"key:{caller.name}"
    if caller.is_user and caller.name:
        # Apart from strangers who come from the same address, and would lock them out.
        return _parsed(config.address_limit), f"user:{neighbourhood()}:{caller.name}"
    return _parsed(config.address_limit), f"address:{neighbourhood()}"


@cache
def _parsed(limit: str) -> RateLimitItem:
    # Each call would read it anew.
    return parse(limit)


def charge_wrong_key() -> None:
    """Count a call with a key that nobody has."""
    charge(NOBODY, REFUSED)


def charge_miss() -> None:
    """Count a look-up that found nothing, which is what guessing looks like."""
    # It was counted once already, as a call.
    charge(g.caller, MISS - 1)


def charge_size(contacts: int) -> None:
    """Count the answer about a large customer for as many calls as it takes the time of."""
    more = max(0, contacts - MANY) // HUNDRED
    if more:
        with suppress(TooManyRequests):
            charge(g.caller, more)


def check_news() -> None:
    """Raise `TooManyRequests` when a key has told of too much that nobody knew."""
    if g.caller.is_key:
        current.limiter().check(_news_of(g.caller), TOO_MANY_NEW)


def charge_news(contacts: int) -> None:
    """Count the contacts that calls to identify have brought."""
    if contacts and g.caller.is_key:
        limit = _parsed(current.config().key_limit)
        current.limiter().note(limit, _news_of(g.caller), contacts * MISS)


def _news_of(caller: Caller) -> str:
    return f"news:{caller.name}"


def neighbourhood() -> str:
    """Return whose guesses are counted together: an IPv4 address, or an IPv6 network.

    With IPv6 each subscriber has 2**64 addresses to come from.
    """
    return _neighbourhood(request.remote_addr or "")


def coarsely() -> str:
    """Return from which network somebody comes, and not from which machine of it."""
    with suppress(ValueError):
        address = ipaddress.ip_interface(neighbourhood())
        size = 24 if address.version == 4 else 48
        return str(ipaddress.ip_network((address.ip, size), strict=False))
    return "unknown"


@lru_cache(1000)
def _neighbourhood(address: str) -> str:
    # Some proxies name the port too.
    for spelling in address, address.rpartition(":")[0].strip("[]"):
        with suppress(ValueError):
            parsed = ipaddress.ip_address(spelling)
            if isinstance(parsed, ipaddress.IPv4Address):
                return str(parsed)
            return str(parsed.ipv4_mapped or ipaddress.ip_network((parsed, 64), strict=False))
    return address
