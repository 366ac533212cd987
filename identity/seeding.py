"""Demo customers: a few hundred contacts in clusters of many shapes, the same every time."""

import random
from collections import Counter
from collections.abc import Iterator

from identity.identifiers import Identifiers
from identity.reconciliation import identify

CUSTOMERS = 150
FIRST_NAMES = """ada alan barbara claude donald edsger frances grace hedy ida john katherine leslie
margaret niklaus ole radia sophie tim ursula""".split()
LAST_NAMES = """ashdown birch cole dunmore elliott fairfax garland hale ives jarvis kimble larkin
moss norwood oakes penrose quill rowan sterling thorne""".split()
HOSTS = "hillvalley.edu example.com mail.example.net post.example.org".split()
HILL_VALLEY = [
    ("lorraine@hillvalley.edu", "123456"),
    ("mcfly@hillvalley.edu", "123456"),
    ("george@hillvalley.edu", "919191"),
    ("biffsucks@hillvalley.edu", "717171"),
    ("george@hillvalley.edu", "717171"),
    ("doc@hillvalley.edu", None),
    (None, "555-4385"),
]


def seed() -> str:
    """Send the demo customers to identify, and return a sentence with what happened."""
    chance = random.Random(1955)
    happened: Counter[str] = Counter()
    for email, phone_number in [*HILL_VALLEY, *_town(chance)]:
        outcome = identify(Identifiers.parse(email, phone_number), source="seed")
        happened[outcome.event.value if outcome.event else "nothing_new"] += 1
    told = ", ".join(f"{count} {kind}" for kind, count in sorted(happened.items()))
    return f"{sum(happened.values())} calls: {told}"


Call = tuple[str | None, str | None]


def _town(chance: random.Random) -> Iterator[Call]:
    for number in range(CUSTOMERS):
        name = f"{chance.choice(FIRST_NAMES)}.{chance.choice(LAST_NAMES)}{number}"
        emails = [f"{name}@{host}" for host in chance.sample(HOSTS, k=chance.choice((1, 1, 2, 3)))]
        phones = [f"+1775555{chance.randrange(10000):04}" for _ in range(chance.choice((1, 1, 2)))]
        shape = chance.choice((_alone, _chain, _star, _bridge))
        yield from shape(chance, emails, phones)
    # One customer whom a shared reception desk made large: how a wrong merge looks.
    yield from ((f"guest{number}@hotel.example", "+17755550100") for number in range(40))


def _alone(chance: random.Random, emails: list[str], phones: list[str]) -> Iterator[Call]:
    yield chance.choice(((emails[0], None), (None, phones[0]), (emails[0], phones[0])))


def _chain(_: random.Random, emails: list[str], phones: list[str]) -> Iterator[Call]:
    """Each call shares one identifier with the one before."""
    for email in emails:
        for phone_number in phones:
            yield email, phone_number


def _star(chance: random.Random, emails: list[str], phones: list[str]) -> Iterator[Call]:
    """One phone number, every email, and a repeat."""
    calls = [(email, phones[0]) for email in emails]
    yield from calls
    yield chance.choice(calls)


def _bridge(_: random.Random, emails: list[str], phones: list[str]) -> Iterator[Call]:
    """Two customers at first, then the call that makes them one."""
    yield emails[0], None
    yield None, phones[-1]
    yield emails[0], phones[-1]
