"""What duplicates cost, against figures counted by hand and by another way."""

import itertools
import json
from pathlib import Path
from typing import Any

import networkx
import pytest
from click.testing import Result
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from identity.database import db
from identity.duplicates import amounts, figures, orders, till
from identity.erasing import applying as erasing
from identity.erasing.reach import Wanted
from identity.errors import InvalidInput
from identity.identifiers import Kind, Value
from identity.models import Report
from identity.rulings import applying
from identity.rulings.applying import Ordered
from identity.rulings.kinds import ClaimWithdrawn, LinksNobody
from tests.bringing import bring
from tests.conftest import See
from tests.shopify import as_orders, item, order
from tests.tables import empty, rows_in_all_tables

SHOP = b"""Customer ID,Email,Phone,Accepts Email Marketing,Tax Exempt
1,lorraine@hillvalley.edu,+17755550101,yes,no
2,lorraine.mcfly@hillvalley.edu,+17755550101,yes,no
3,george@hillvalley.edu,+17755550102,yes,no
4,,+17755550103,no,no
"""
TILL = b"""email,phone
LORRAINE@hillvalley.edu,+17755550199
,+17755550199
biff@hillvalley.edu,
,+17755550103
"""


def run(app: Flask, *arguments: object) -> Result:
    return app.test_cli_runner().invoke(args=["identity", "report", *map(str, arguments)])


def made(app: Flask, *arguments: object, code: int = 0) -> Any:
    result = run(app, *arguments, "--json")
    assert result.exit_code == code, result.output
    return json.loads(result.stdout)


@pytest.fixture
def town(app: Flask) -> None:
    """Four people: Lorraine (1) of three records, George (3), a phone number (4), Biff (6)."""
    with app.app_context():
        bring(SHOP)
        bring(TILL, feed="till")


def behind(told: Any, *of: str) -> list[int]:
    return next((each["customers"] for each in told["lists"] if each["of"] == [*of]), [])


@pytest.mark.usefixtures("town")
def test_records_are_counted_and_lead_to_the_people_they_are(app: Flask) -> None:
    told = made(app)["customers"]

    # Of the shop four by its ids. Of the till two emails and one number: that it tells of the
    # other number with Lorraine's email too makes no record more.
    assert (told["spread"]["many"], told["spread"]["people"]) == (7, 4)
    assert told["spread"]["spread"] == [[1, 2], [2, 1], [3, 1]]
    assert (told["spread"]["several"], behind(told, "several")) == (2, [1, 4])


@pytest.mark.usefixtures("town")
def test_emails_of_one_person_are_sent_twice(app: Flask) -> None:
    told = made(app)["customers"]

    assert (told["emails"]["many"], told["emails"]["people"]) == (4, 3)
    assert behind(told, "emails") == [1]


@pytest.mark.usefixtures("town")
def test_sources_are_told_apart_by_the_duplicates_they_bring(app: Flask) -> None:
    told = made(app)["customers"]

    shop, till = told["sources"]
    assert shop == {
        "source": "feed:shopify-customers",
        "records": 4,
        "people": 3,
        "within": 1,
        "known": 1,
        "emails": 3,
        "twice": 1,
    }
    assert till == {
        "source": "feed:till",
        "records": 3,
        "people": 3,
        "within": 0,
        "known": 2,
        "emails": 2,
        "twice": 0,
    }
    assert behind(told, "within", "feed:shopify-customers") == [1]
    assert behind(told, "known", "feed:till") == [1, 4]
    assert told["pairs"] == [{"one": "feed:shopify-customers", "other": "feed:till", "people": 2}]
    assert behind(told, "shared", "feed:shopify-customers", "feed:till") == [1, 4]


@pytest.mark.usefixtures("town")
def test_what_is_kept_apart_links_nobody_or_is_withdrawn_is_counted_so(app: Flask) -> None:
    doc = Ordered("Doc")
    number = Value(Kind.PHONE, "+17755550101")
    with app.app_context():
        applying.rule(LinksNobody(number), doc)
        applying.rule(ClaimWithdrawn("biff@hillvalley.edu", None, None), doc)

    told = made(app)["customers"]

    # Lorraine's two emails come apart; the shop's one record of each stays. Biff was never told.
    assert (told["spread"]["many"], told["spread"]["people"]) == (6, 4)
    assert (told["emails"]["many"], told["emails"]["people"]) == (3, 3)


def test_nobody_is_nothing(app: Flask) -> None:
    told = made(app)

    assert told["customers"]["spread"]["many"] == 0
    assert told["customers"]["sources"] == told["customers"]["lists"] == []
    assert told["orders"] is None
    assert "0  are duplicates (0.0 %)" in run(app).output


names = st.sampled_from("abcdef")
tellings = st.lists(
    st.tuples(st.none() | names, st.none() | names, st.sampled_from(["till", "web"])).filter(
        lambda told: told[0] or told[1]
    ),
    max_size=25,
)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(tellings)
def test_figures_are_those_of_a_count_by_hand(
    app: Flask, see: See, told: list[tuple[str | None, str | None, str]]
) -> None:
    empty()
    emails = {each: f"{each}@hillvalley.edu" for each in "abcdef"}
    phones = {each: f"555010{place}" for place, each in enumerate("abcdef")}
    said = [(emails.get(e or ""), phones.get(p or ""), source) for e, p, source in told]
    for email, phone, source in said:
        see(email, phone, source=source)

    found = figures.count()

    people = networkx.Graph()
    for email, phone, _ in said:
        people.add_edge(email or phone, phone or email)
    parts = [frozenset(each) for each in networkx.connected_components(people)]
    records: dict[tuple[frozenset[str], str], set[str]] = {}
    for part, source in itertools.product(parts, ("till", "web")):
        of_it = [(e, p) for e, p, by in said if by == source and (e or p) in part]
        with_email = {p for e, p in of_it if e}
        own = {e for e, _ in of_it if e} | {p for e, p in of_it if p and p not in with_email}
        if own:
            records[part, source] = own
    assert found["spread"]["people"] == len(parts)
    assert found["spread"]["many"] == sum(map(len, records.values()))
    assert found["emails"]["many"] == len({e for e, _, _ in said if e})
    assert found["emails"]["people"] == sum(any("@" in v for v in part) for part in parts)
    for each in found["sources"]:
        mine = {part: own for (part, source), own in records.items() if source == each["source"]}
        first = [
            next(by for e, p, by in said if (e or p) in part) == each["source"] for part in mine
        ]
        assert each["records"] == sum(map(len, mine.values()))
        assert each["within"] == each["records"] - len(mine)
        assert each["known"] == each["records"] - sum(first)
    both = sum((part, "till") in records and (part, "web") in records for part in parts)
    assert [each["people"] for each in found["pairs"]] == ([both] if both else [])


def spent(app: Flask, path: Path, *orders: dict[str, str], code: int = 0) -> Any:
    path.write_bytes(as_orders(orders))
    return made(app, "--orders", path, code=code)["orders"]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "orders.csv"


LORRAINE, MCFLY = "lorraine@hillvalley.edu", "lorraine.mcfly@hillvalley.edu"
GEORGE, BIFF = "george@hillvalley.edu", "biff@hillvalley.edu"


@pytest.mark.usefixtures("town")
def test_who_is_best_is_said_of_records_and_of_people(app: Flask, path: Path) -> None:
    told = spent(
        *(app, path),
        *(order(GEORGE, "100.10"), order(BIFF, "90.00"), order("doc@brown.org", "55")),
        *(order(LORRAINE, "60.20"), order(MCFLY, "50.10"), order(MCFLY.upper(), "0.01")),
    )

    (euros,) = told["currencies"]
    assert (euros["currency"], euros["orders"], euros["amount"]) == ("EUR", 6, "355.4100")
    assert [(each["customer"], each["amount"]) for each in euros["best"]] == [
        *((1, "110.3100"), (3, "100.1000"), (6, "90.0000"), (None, "55.0000"))
    ]
    assert euros["best"][0] == {
        "customer": 1,
        "place": 1,
        "orders": 3,
        "amount": "110.3100",
        "more": 0,
        "silent": 0,
        "records": [
            {"place": 3, "orders": 1, "amount": "60.2000"},
            {"place": 5, "orders": 2, "amount": "50.1100"},
        ],
    }
    assert (euros["records"], euros["people"]) == (
        {"many": 5, "again": 1},
        {"many": 4, "again": 1},
    )
    assert (euros["several"], euros["again"], euros["strangers"]) == (1, 0, 1)
    assert behind(told, "buyers", "EUR") == [1]


@pytest.mark.usefixtures("town")
def test_an_email_that_never_ordered_is_not_in_the_list(app: Flask, path: Path) -> None:
    path.write_bytes(as_orders([order(LORRAINE, "4210.00"), order(GEORGE, "4210.00")]))

    said = run(app, "--orders", path).output

    assert (
        "1st  customer 1: 4,210.00 in 1 order; as separate records: 1st and not in the list" in said
    )
    assert "1st  customer 3: 4,210.00 in 1 order; as separate records: 1st\n" in said


@pytest.mark.usefixtures("town")
def test_who_comes_back_as_another_record_is_said(app: Flask, path: Path) -> None:
    told = spent(app, path, order(LORRAINE, "1"), order(MCFLY, "2"), order(GEORGE, "3"))

    (euros,) = told["currencies"]
    assert (euros["records"]["again"], euros["people"]["again"], euros["again"]) == (0, 1, 1)
    assert behind(told, "again", "EUR") == [1]


def test_an_order_of_several_lines_is_one(app: Flask, path: Path) -> None:
    first, last = order(GEORGE, "10.00"), order(BIFF, "5.00")

    told = spent(
        *(app, path, first, item(first), {**item(first), "Email": ""}),
        *(last, {**item(last), "Total": "5.00", "Currency": "EUR"}, item(first)),
    )

    (euros,) = told["currencies"]
    # A line that has its total once more is the same order still.
    assert (euros["orders"], euros["amount"], told["doubts"]) == (2, "15.0000", [])


def test_an_order_in_two_files_is_one_and_the_later_file_tells(app: Flask, tmp_path: Path) -> None:
    before, after = tmp_path / "april.csv", tmp_path / "may.csv"
    known = order(GEORGE, "10.00", financial_status="pending", paid_at="")
    other = order(BIFF, "7.00")
    before.write_bytes(as_orders([known, other]))
    after.write_bytes(as_orders([known | {"Financial Status": "paid"}, other]))

    told = made(app, "--orders", before, "--orders", after)["orders"]

    assert told["left_out"] == {}
    assert [each["amount"] for each in told["currencies"]] == ["17.0000"]
    assert [each["name"] for each in told["files"]] == ["april.csv", "may.csv"]


def test_what_was_not_paid_or_was_given_back_does_not_count(app: Flask, path: Path) -> None:
    told = spent(
        *(app, path),
        order(GEORGE, "100.00", refunded_amount="30.50", financial_status="partially_refunded"),
        order(GEORGE, "80.00", outstanding_balance="60.00", financial_status="partially_paid"),
        order(GEORGE, "1000", cancelled_at="2024-05-02 10:00:00 +0000"),
        order(GEORGE, "1000", refunded_amount="1000", financial_status="refunded"),
        order(GEORGE, "1000", refunded_amount="", financial_status="refunded"),
        order(GEORGE, "1000", financial_status="pending", paid_at=""),
        order(GEORGE, "1000", financial_status="authorized", paid_at=""),
        order(GEORGE, "1000", financial_status="", paid_at=""),
        order(GEORGE, "1000", financial_status="voided"),
        order(GEORGE, "1000", payment_method="(for testing) Bogus Gateway"),
        order(GEORGE, "0.00"),
    )

    assert told["left_out"] == {
        "cancelled": 1,
        "refunded": 2,
        "unpaid": 3,
        "voided": 1,
        "test": 1,
    }
    (euros,) = told["currencies"]
    assert (euros["orders"], euros["amount"]) == (3, "89.5000")


def test_currencies_are_not_added_up(app: Flask, path: Path) -> None:
    told = spent(
        *(app, path, order(GEORGE, "10.00"), order(GEORGE, "1.250", currency="KWD")),
        order(BIFF, "20.00"),
    )

    assert [(each["currency"], each["amount"]) for each in told["currencies"]] == [
        *(("EUR", "30.0000"), ("KWD", "1.2500"))
    ]
    assert told["currencies"][1]["best"][0]["place"] == 1


@pytest.mark.usefixtures("town")
def test_orders_are_those_of_emails_phones_or_nobody(app: Flask, path: Path) -> None:
    with app.app_context():
        applying.rule(LinksNobody(Value(Kind.EMAIL, BIFF)), Ordered("Doc"))

    told = spent(
        *(app, path),
        order("", "10.00", billing_phone="'+17755550102"),
        order("new@hillvalley.edu", "2.00", phone="+17755550102"),
        order("", "5.00", shipping_phone="+17755550102"),
        order(BIFF, "7.00"),
        order("not an email", "1.00"),
    )

    (euros,) = told["currencies"]
    assert euros["nobodys"] == {"orders": 3, "amount": "13.0000"}
    assert [(each["customer"], each["amount"]) for each in euros["best"]] == [(3, "12.0000")]
    assert euros["records"]["many"] == 2


@pytest.mark.usefixtures("town")
def test_who_was_erased_is_nobody_and_not_to_be_imported(app: Flask, path: Path) -> None:
    with app.app_context():
        erasing.erase(Wanted(frozenset({Value(Kind.EMAIL, GEORGE)})), Ordered("Doc"))

    told = spent(
        *(app, path),
        order(GEORGE, "900.00"),
        order("", "90.00", phone="+17755550102"),
        order(GEORGE, "10.00", phone="+17755550103"),
        order(BIFF, "1.00"),
    )

    (euros,) = told["currencies"]
    assert (euros["amount"], euros["strangers"]) == ("1001.0000", 0)
    assert euros["nobodys"] == {"orders": 2, "amount": "990.0000"}
    assert [(each["customer"], each["amount"]) for each in euros["best"]] == [
        *((4, "10.0000"), (6, "1.0000"))
    ]


def test_what_is_not_understood_is_named_by_its_line_and_not_counted(
    app: Flask, path: Path
) -> None:
    told = spent(
        *(app, path, order(GEORGE, "1,234"), order(GEORGE, "1.234"), order(GEORGE, "ten")),
        *(order(GEORGE, "1e3"), order(GEORGE, "NaN"), order(GEORGE, "99999999999999")),
        *(order(GEORGE, "5", currency="€"), order(GEORGE, "5", financial_status="gone")),
        *(order(GEORGE, "-5"), order(GEORGE, "٥"), order(GEORGE, "5", refunded_amount="x")),
        *(order(GEORGE, "5", id="", name=""), order(GEORGE, "1,234.50"), order(BIFF, "1.234,50")),
        code=1,
    )

    assert {each["reason"]: each["lines"] for each in told["doubts"]} == {
        f"Total: {amounts.WHICH}": ["2", "3"],
        f"Total: {amounts.NO_AMOUNT}": ["4", "5", "6", "11"],
        f"Total: {amounts.TOO_LARGE}": ["7"],
        f"Currency: {amounts.NO_CURRENCY}": ["8"],
        f"Financial Status: {orders.NO_STATUS}": ["9"],
        f"Total: {orders.BELOW_ZERO}": ["10"],
        f"Refunded Amount: {amounts.NO_AMOUNT}": ["12"],
        f"Name: {orders.NO_NUMBER}": ["13"],
    }
    assert [each["amount"] for each in told["currencies"]] == ["2469.0000"]


def test_what_a_spreadsheet_left_of_ids_does_not_make_orders_one(app: Flask, path: Path) -> None:
    told = spent(
        *(app, path, order(GEORGE, "1", id="5.31E+12"), order(GEORGE, "2", id="5.31E+12")),
    )

    assert told["currencies"][0]["orders"] == 2


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (SHOP, "is no export of orders from Shopify, but: Shopify customers"),
        (
            b"Name,Email,Financial Status,Lineitem name\n#1,a@b.example,paid,x\n",
            "no column “Total”",
        ),
        (b"\x00\x01\x02" * 99, "orders.csv"),
        (b"", "orders.csv"),
    ],
)
def test_a_file_that_is_no_export_of_orders_is_refused(
    app: Flask, path: Path, content: bytes, sentence: str
) -> None:
    path.write_bytes(content)

    result = run(app, "--orders", path)

    assert result.exit_code == 2
    assert sentence in result.output
    assert "Records and people" not in result.output


def test_more_money_than_there_is_is_refused() -> None:
    with till.Till.opened() as opened:
        opened.add((str(each), 0, None, "EUR", 2**62, BIFF, None) for each in range(3))

        with pytest.raises(InvalidInput, match="cannot be added up"):
            opened.add_up()


def test_nothing_of_an_order_is_stored(app: Flask, path: Path) -> None:
    before = rows_in_all_tables()

    spent(app, path, order(GEORGE, "10.00"))

    after = rows_in_all_tables()
    assert {name for name in after if after[name] != before[name]} == {"audit", "report"}
    with db.engine.connect() as connection:
        stored = str(connection.execute(select(Report.content)).all())
    assert "10.0000" in stored
    assert "hillvalley" not in stored
