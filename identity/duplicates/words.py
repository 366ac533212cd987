"""What the words of the report mean. Printed on it: a figure without its definition is a claim."""

from collections.abc import Mapping, Sequence
from typing import Any

from identity.duplicates.orders import LeftOut
from identity.duplicates.ranking import AGAIN, BUYERS
from identity.duplicates.records import EMAILS_OF, KNOWN, SEVERAL, SHARED, TWICE, WITHIN

RECORD = (
    "A record is what a source calls by an id of its own. Of a source without ids it is each email "
    "it told, and each phone number that it never told with an email. So many entries there would "
    "be if nobody joined them."
)
PERSON = (
    "A person is a customer here: all records that share an email or a phone number, directly or "
    "through others, but for what rulings keep apart. A record whose email and phone number "
    "are two people's counts for the one with the email."
)
MAILED = (
    "Sent twice: one message to each email on record, less one for each person who has an email. "
    "So many messages of one mailing to everybody reach somebody who gets it at another address "
    "as well. Who accepts mailings is not on record, so a mailing to fewer has fewer."
)
SOURCES = (
    "Twice by itself: records of a source, less the people it told of. Known already: its records "
    "that were not the first on record of their person: whoever tells of somebody later brings the "
    "duplicate. Told of by both: people of whom both have a record."
)
SPENT = (
    "An order counts when it is paid and neither cancelled nor a test. It comes to its total, less "
    "what was refunded and what is still open. Taxes and shipping are in it. Currencies are not "
    "added up."
)
BUYER = (
    "As separate records, an order is that of its email, or of its phone number where it has no "
    "email. As one person, it is the customer's who has that email, or else that phone number. "
    "Whoever is not on record is one person for each email; whoever was erased is nobody. Shipping "
    "phones are not looked at."
)
CAME_BACK = (
    "Came back: with two orders or more. Not in the list: an email on record with which nothing "
    "was ordered."
)
WHY = {
    LeftOut.CANCELLED: "cancelled",
    LeftOut.TEST: "tests",
    LeftOut.UNPAID: "not paid",
    LeftOut.VOIDED: "voided or expired",
    LeftOut.REFUNDED: "refunded in full",
}
"""Why orders do not count."""
TITLES = {
    SEVERAL: "People of several records",
    EMAILS_OF: "People with several emails",
    WITHIN: "People of several records from {}",
    KNOWN: "Known already when {} told of them",
    TWICE: "People with several emails from {}",
    SHARED: "People whom {} and {} tell of",
    BUYERS: "People who bought as several records, in {}",
    AGAIN: "People who came back as another record, in {}",
}
"""What lists of customers are called."""


def place(number: int) -> str:
    """Return a place in a ranking: 1st, 2nd, 118th."""
    teen = number % 100 in (11, 12, 13)
    return f"{number:,}{'th' if teen else {1: 'st', 2: 'nd', 3: 'rd'}.get(number % 10, 'th')}"


def money(amount: str) -> str:
    """Return an amount with its thousands apart and two decimal places at least: 4,210.00."""
    whole, _, part = amount.partition(".")
    return f"{int(whole):,}.{part.rstrip('0').ljust(2, '0')}"


def share(part: int, whole: int) -> str:
    """Return how much of a whole a part is, in percent with one decimal place."""
    # In whole numbers, rounded to the nearest: a float would be good enough, and may be wrong.
    tenths = (2_000 * part + whole) // (2 * whole) if whole else 0
    return f"{tenths // 10}.{tenths % 10} %"


def places(best: Mapping[str, Any]) -> str:
    """Return which places somebody's records have by themselves."""
    found = [place(each["place"]) for each in best["records"]]
    if best["more"]:
        found.append(f"{best['more']:,} further down")
    if best["silent"]:
        found.append("not in the list")
    return f"{', '.join(found[:-1])} and {found[-1]}" if len(found) > 1 else found[0]


def definitions(*, orders: bool) -> Sequence[str]:
    """Return what the words mean that are on a report, with orders or without."""
    return RECORD, PERSON, MAILED, SOURCES, *((SPENT, BUYER, CAME_BACK) if orders else ())


def title(of: Sequence[str]) -> str:
    """Return what the list of the customers behind a figure is called."""
    about, *more = of
    return TITLES[about].format(*more)
