"""The headers of Shopify's exports, of customers and of orders, and rows of them."""

import csv
import io
from collections.abc import Iterable, Mapping
from itertools import count

HEADER = (
    "Customer ID,First Name,Last Name,Email,Accepts Email Marketing,Default Address Company,"
    "Default Address Address1,Default Address Address2,Default Address City,"
    "Default Address Province Code,Default Address Country Code,Default Address Zip,"
    "Default Address Phone,Phone,Accepts SMS Marketing,Total Spent,Total Orders,Note,"
    "Tax Exempt,Tags"
).split(",")
ORDERS = (
    "Name,Email,Financial Status,Paid at,Fulfillment Status,Fulfilled at,Accepts Marketing,"
    "Currency,Subtotal,Shipping,Taxes,Total,Discount Code,Discount Amount,Shipping Method,"
    "Created at,Lineitem quantity,Lineitem name,Lineitem price,Lineitem sku,Billing Name,"
    "Billing City,Billing Zip,Billing Country,Billing Phone,Shipping Name,Shipping Country,"
    "Shipping Phone,Notes,Cancelled at,Payment Method,Payment Reference,Refunded Amount,Vendor,"
    "Outstanding Balance,Id,Tags,Risk Level,Source,Phone"
).split(",")
_numbers = count(5_310_000_000_001)


def order(email: str = "", total: str = "", **more: str) -> dict[str, str]:
    """Return an order that is paid, in euros, unless `more` says otherwise.

    Columns are spelt as_names: `refunded_amount` is that of "Refunded Amount".
    """
    number = next(_numbers)
    said = {
        "Name": f"#{number % 100_000}",
        "Email": email,
        "Financial Status": "paid",
        "Paid at": "2024-05-01 09:58:12 +0000",
        "Currency": "EUR",
        "Subtotal": total,
        "Total": total,
        "Created at": "2024-05-01 09:58:12 +0000",
        "Lineitem quantity": "1",
        "Lineitem name": "Flux capacitor",
        "Payment Method": "Shopify Payments",
        "Refunded Amount": "0.00",
        "Outstanding Balance": "0.00",
        "Id": str(number),
    }
    spelt = {name.casefold().replace(" ", "_"): name for name in ORDERS}
    return said | {spelt[name]: value for name, value in more.items()}


def item(of: Mapping[str, str], name: str = "Hoverboard") -> dict[str, str]:
    """Return one more line of an order: Shopify repeats its number and its email, and no more."""
    return {"Name": of["Name"], "Email": of["Email"], "Lineitem name": name}


def as_orders(orders: Iterable[Mapping[str, str]]) -> bytes:
    """Return orders as Shopify exports them."""
    text = io.StringIO()
    writer = csv.DictWriter(text, ORDERS, restval="")
    writer.writeheader()
    writer.writerows(orders)
    return text.getvalue().encode()
