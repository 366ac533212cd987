"""The best customers of each currency: as the records that the orders name, and as one person.

Currencies are not added up: nobody said what one is worth in another.
"""

from collections.abc import Callable
from typing import Any

from identity.duplicates.amounts import from_units
from identity.duplicates.records import MOST
from identity.duplicates.till import Person, Till

BEST = 20
SHOWN = 5
"""Records of one person that are shown, the largest first."""
EmailsOf = Callable[[int], int]

_PER_CURRENCY = (
    "SELECT currency FROM ordered GROUP BY currency ORDER BY count(*) DESC, currency LIMIT 20"
)
_FIGURES = """
SELECT count(*), sum(units), sum(person IS NULL), sum(CASE WHEN person IS NULL THEN units END)
FROM ordered WHERE currency = :currency
"""
_RECORDS = "SELECT count(*), sum(orders > 1) FROM records WHERE currency = :currency"
_PEOPLE = """
SELECT count(*), sum(orders > 1), sum(customer IS NULL), sum(many > 1), sum(many > 1 AND most = 1)
FROM people WHERE currency = :currency
"""
_BEST = """
SELECT person, customer, place, orders, units FROM people WHERE currency = :currency
ORDER BY units DESC, orders DESC, person LIMIT :best
"""
_CALLED = """
SELECT records.place, called.orders, called.units, count(*) OVER (),
    sum(record LIKE '%@%') OVER ()
FROM called JOIN records USING (currency, record)
WHERE currency = :currency AND person = :person ORDER BY records.place, record LIMIT :most
"""
_SEVERAL = """
SELECT customer FROM people
WHERE currency = :currency AND customer IS NOT NULL AND many > 1
ORDER BY units DESC, customer LIMIT :most
"""
_AGAIN = """
SELECT customer FROM people
WHERE currency = :currency AND customer IS NOT NULL AND many > 1 AND most = 1
ORDER BY units DESC, customer LIMIT :most
"""
BUYERS, AGAIN = "buyers", "again"
LISTS = {BUYERS: _SEVERAL, AGAIN: _AGAIN}
"""Customers behind figures: who ordered as several records, and who came back only so."""


def of(till: Till, emails_of: EmailsOf) -> dict[str, Any]:
    """Return what the orders of each currency come to, and the customers behind it."""
    lists: list[dict[str, Any]] = []
    currencies = []
    for (currency,) in till.rows(_PER_CURRENCY):
        best = [Person(*row) for row in till.rows(_BEST, currency=currency, best=BEST)]
        currencies.append(
            _figures(till, currency)
            | {"best": [_one(till, currency, each, emails_of) for each in best]}
        )
        for name, chosen in LISTS.items():
            listed = till.rows(chosen, currency=currency, most=MOST)
            customers = [customer for (customer,) in listed]
            lists.append({"of": [name, currency], "customers": customers})
    return {"currencies": currencies, "lists": lists}


def _figures(till: Till, currency: str) -> dict[str, Any]:
    orders, units, nobodys, of_nobody = till.one(_FIGURES, currency=currency)
    records, again = till.one(_RECORDS, currency=currency)
    people, come_back, strangers, several, only_so = till.one(_PEOPLE, currency=currency)
    return {
        "currency": currency,
        "orders": orders,
        "amount": str(from_units(units)),
        "nobodys": {"orders": nobodys, "amount": str(from_units(of_nobody))},
        "strangers": strangers,
        "records": {"many": records, "again": again},
        "people": {"many": people, "again": come_back},
        "several": several,
        "again": only_so,
    }


def _one(till: Till, currency: str, who: Person, emails_of: EmailsOf) -> dict[str, Any]:
    called = till.rows(_CALLED, currency=currency, person=who.person, most=SHOWN)
    *_, many, emails = called[0]
    # What is on record of them, and never ordered.
    silent = 0 if who.customer is None else max(0, emails_of(who.customer) - emails)
    return {
        "customer": who.customer,
        "place": who.place,
        "orders": who.orders,
        "amount": str(from_units(who.units)),
        "records": [
            {"place": place, "orders": orders, "amount": str(from_units(units))}
            for place, orders, units, *_ in called
        ],
        "more": many - len(called),
        "silent": silent,
    }
