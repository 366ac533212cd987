"""A file as Shopify exports it, with as many customers as one likes, the same every time."""

import csv
import random
from collections.abc import Iterator
from pathlib import Path

from tests.shopify import HEADER

REPEATS = 1 / 3
"""Rows that are about a customer of an earlier row."""
HUB = 5_000
"""Rows of one customer: a reception desk whose phone number everybody gave."""


def write(path: Path, rows: int, first: int = 0) -> None:
    """Write that many rows; customers are numbered from `first`."""
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(HEADER)
        writer.writerows(_rows(rows, first))


def _rows(rows: int, first: int) -> Iterator[list[str]]:
    chance = random.Random(1955)
    hub = set(chance.sample(range(rows), min(HUB, rows // 20)))
    customer = first
    for number in range(rows):
        if number in hub:
            yield _row(number, f"guest{first + number}@hotel.example", "'+17755550100", "")
        elif customer > first and chance.random() < REPEATS:
            yield _again(chance, number, chance.randrange(first, customer))
        else:
            customer += 1
            yield _row(number, *_customer(customer - 1))


def _customer(customer: int) -> tuple[str, str, str]:
    """Return the email, the phone number and the address's phone number of a customer."""
    email = f"customer{customer}@example{customer % 97}.com"
    phone = f"'+1775{2_000_000 + customer % 7_999_999}" if customer % 4 else ""
    address = f"(303) {200 + customer // 10_000 % 800}-{customer % 10_000:04}"
    return email, phone, address if customer % 3 == 0 else ""


def _again(chance: random.Random, number: int, customer: int) -> list[str]:
    email, phone, address = _customer(customer)
    match chance.randrange(4):
        case 0 | 1:
            return _row(number, email.title(), phone, address)
        case 2:
            return _row(number, f"other{customer}@example.net", phone or "'+1775" + "2000001", "")
        case _:
            return _row(number, email, "", f"(720) 555-{customer % 10_000:04}")


def _row(number: int, email: str, phone: str, address: str) -> list[str]:
    given = {
        "Customer ID": f"'{7_210_448_301_122 + number}",
        "First Name": "Emmett",
        "Last Name": "Brown",
        "Email": email,
        "Accepts Email Marketing": "no",
        "Default Address Address1": "1640 Riverside Drive",
        "Default Address City": "Hill Valley",
        "Default Address Province Code": "CO",
        "Default Address Country Code": "US",
        "Default Address Zip": "80301",
        "Default Address Phone": address,
        "Phone": phone,
        "Accepts SMS Marketing": "no",
        "Total Spent": "88.00",
        "Total Orders": "1",
        "Tax Exempt": "no",
    }
    return [given.get(name, "") for name in HEADER]
