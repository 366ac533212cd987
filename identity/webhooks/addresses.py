"""Which addresses a webhook may have, and may lead to.

Whoever gives a webhook says where this machine is to connect to, and its own network is not to be
reached that way. A name is looked at once it is resolved, and the connection is made to the very
address that was looked at: asked again, the name might lead elsewhere.
"""

import ipaddress
import re
import socket
from dataclasses import dataclass
from urllib.parse import urlsplit

from identity.config import Config
from identity.errors import InvalidInput

LONGEST = 2000
"""Characters of an address."""
LONGEST_NAME = 253
"""Characters of the name of a machine."""
Address = ipaddress.IPv4Address | ipaddress.IPv6Address
DISGUISED = [
    ipaddress.ip_network(network)
    for network in ("::/96", "::ffff:0:0/96", "64:ff9b::/96", "64:ff9b:1::/48", "2001::/32")
] + [ipaddress.ip_network("2002::/16"), ipaddress.ip_network("fec0::/10")]
"""Addresses of IPv6 that stand for others, which may be internal: IPv4 in IPv6, NAT64, Teredo,
6to4; and those that were internal once."""
WITHIN = [
    ipaddress.ip_network(network)
    for network in ("168.63.129.16/32", "192.0.0.0/24", "192.88.99.0/24", "3fff::/20", "5f00::/16")
]
"""Addresses that look like the world's: services inside a cloud, which answer whatever machine of
it asks, and networks that are nobody's."""
NUMBER = r"(.*\.)?(\d+|0x[0-9a-f]*)"
"""Hosts that a resolver takes for a number of IPv4, in one of its many spellings."""
REFUSED = "The address leads to this machine or an internal network, where nothing is sent."
NAME = r"([a-z0-9_-]{1,63}\.)*[a-z0-9_-]{1,63}\.?"
"""Hosts that can be looked up."""
NO_MACHINE = "address names no machine: it looks like https://shop.example/changes."
UNKNOWN = "The name in the address is not known."


class Refused(OSError):
    """An address to which no connection is made."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What is allowed."""

    insecure: bool = False
    """http, and this machine itself: for development and tests."""


def rules(config: Config) -> Rules:
    """Return what the settings allow."""
    return Rules(insecure=config.webhooks_insecure)


def check(url: str, rules: Rules) -> str:
    """Return the address of a webhook; raise `InvalidInput` when it cannot be one."""
    url = url.strip()
    if problem := _problem(url, rules):
        raise InvalidInput(f"The webhook's {problem}", {"url": f"url: the {problem}"})
    return url


def _problem(url: str, rules: Rules) -> str | None:
    if not url or len(url) > LONGEST or not re.fullmatch(r"[!-~]+", url):
        return f"address has to have 1 to {LONGEST} characters, all of them ASCII and none a blank."
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        return "address is not one: it looks like https://shop.example/changes."
    schemes = ("https", "http") if rules.insecure else ("https",)
    if parts.scheme not in schemes:
        return "address has to begin with https://."
    if not host or port == 0 or len(host) > LONGEST_NAME or not _is_host(host):
        return NO_MACHINE
    if parts.username is not None or parts.password is not None:
        return "address may hold no user and no password: messages are signed instead."
    if parts.fragment:
        return "address may have no part after #, which is never sent."
    return _problem_of(host, rules)


def _is_host(host: str) -> bool:
    """Tell whether a host can be a name, or an address of IPv6."""
    return bool(re.fullmatch(rf"{NAME}|[0-9a-f.]*:[0-9a-f:.]*", host, re.IGNORECASE))


def _problem_of(host: str, rules: Rules) -> str | None:
    """Return what is wrong with a host that tells where it leads by itself."""
    local = host.rstrip(".").lower()
    if local == "localhost" or local.endswith(".localhost"):
        local = "127.0.0.1"
    try:
        found = ipaddress.ip_address(local)
    except ValueError:
        if not local or re.fullmatch(NUMBER, local):
            return NO_MACHINE
        return None
    return None if is_allowed(found, rules) else REFUSED.removeprefix("The ")


def is_allowed(address: Address, rules: Rules) -> bool:
    """Tell whether a connection may be made to an address."""
    if rules.insecure and address.is_loopback:
        return True
    if any(address in each for each in (*DISGUISED, *WITHIN)):
        return False
    reserved = address.is_multicast or address.is_reserved or address.is_unspecified
    return address.is_global and not reserved


def resolve(host: str, port: int, rules: Rules) -> list[tuple[socket.AddressFamily, str]]:
    """Return the addresses of a host to which a connection may be made.

    Raise `Refused` when there are none.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise Refused(UNKNOWN) from None
    places: dict[tuple[socket.AddressFamily, str], None] = dict.fromkeys(
        (family, str(where[0]).partition("%")[0]) for family, *_, where in found
    )
    allowed = [place for place in places if is_allowed(ipaddress.ip_address(place[1]), rules)]
    if not allowed:
        raise Refused(REFUSED)
    return allowed
