"""What a call costs its caller, and on whose account it goes."""

import ipaddress
from contextlib import suppress
from functools import lru_cache

from flask import g, request

from identity.web import current
from identity.web.callers import EVERYTHING, NOBODY, Caller

MISS = 10
"""What a look-up that finds nothing counts for: guessing identifiers is mostly missing."""
REFUSED = 5
"""What a call with a wrong key counts for."""


def charge(caller: Caller, cost: int = 1) -> None:
    """Count a call; raise `TooManyRequests` when there were too many."""
    config = current.config()
    if caller is EVERYTHING and not config.open:
        # On this machine only, there is nobody to guard against.
        return
    limiter = current.limiter()
    if caller.is_key:
        limiter.count(config.key_limit, f"key:{caller.name}", cost)
    elif caller.is_user and caller.name:
        # Apart from strangers who come from the same address, and would lock them out.
        limiter.count(config.address_limit, f"user:{neighbourhood()}:{caller.name}", cost)
    else:
        limiter.count(config.address_limit, f"address:{neighbourhood()}", cost)


def charge_wrong_key() -> None:
    """Count a call with a key that nobody has."""
    charge(NOBODY, REFUSED)


def charge_miss() -> None:
    """Count a look-up that found nothing, which is what guessing looks like."""
    # It was counted once already, as a call.
    charge(g.caller, MISS - 1)


def neighbourhood() -> str:
    """Return whose guesses are counted together: an IPv4 address, or an IPv6 network.

    With IPv6 each subscriber has 2**64 addresses to come from.
    """
    return _neighbourhood(request.remote_addr or "")


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
