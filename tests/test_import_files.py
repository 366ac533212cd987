"""The files people have: each format by its headers, and each trap."""

import io
from functools import partial

import pytest

from identity.errors import InvalidInput
from identity.importing.columns import Chosen
from identity.importing.files import CustomerFile, examine
from identity.importing.run import Source
from tests.shopify import HEADER

OLDER = (
    "Customer ID,First Name,Last Name,Email,Accepts Email Marketing,Company,Address1,Address2,City,"
    "Province,Province Code,Country,Country Code,Zip,Phone,Accepts SMS Marketing,Total Spent,"
    "Total Orders,Tags,Note,Tax Exempt"
)
ORDERS = (
    "Name,Email,Financial Status,Paid at,Created at,Lineitem quantity,Lineitem name,Billing Name,"
    "Billing Country,Billing Phone,Shipping Name,Shipping Country,Shipping Phone,Id,Phone"
)
WOO = (
    "Name,Username,Last Active,Sign Up,Email,Orders,Total Spend,AOV,Country / Region,City,Region,"
    "Postal Code,Billing Phone,Shipping Phone,Role"
)
MAILCHIMP = (
    "Email Address,First Name,Last Name,Phone Number,MEMBER_RATING,OPTIN_TIME,OPTIN_IP,"
    "CONFIRM_TIME,CONFIRM_IP,LATITUDE,LONGITUDE,GMTOFF,DSTOFF,TIMEZONE,CC,REGION,LAST_CHANGED"
)
KLAVIYO = (
    "Email,Klaviyo ID,First Name,Last Name,City,State / Region,Country,Zip Code,Source,"
    "Email Marketing Consent,Profile Created On,Date Added"
)


def read(content: str | bytes, chosen: Chosen | None = None) -> CustomerFile:
    encoded = content.encode() if isinstance(content, str) else content
    return examine("customers.csv", partial(io.BytesIO, encoded), chosen)


def calls(content: str | bytes, region: str | None = None) -> list[tuple[str | None, str | None]]:
    """Return the calls of all rows; a rejected row is its reason."""
    found: list[tuple[str | None, str | None]] = []
    for _, row in Source(read(content), region).first(100):
        found += [call.content for call in row.calls]
        found += [(str(doubt), None) for doubt in row.doubts]
    return found


@pytest.mark.parametrize(
    ("header", "name", "columns"),
    [
        (",".join(HEADER), "Shopify customers",
         "Email|Phone,Default Address Phone||Default Address Country Code"),
        (",".join([*HEADER, "Accepts WhatsApp Marketing", "code (customer.metafields.x.y)"]),
         "Shopify customers", "Email|Phone,Default Address Phone||Default Address Country Code"),
        (",".join([*HEADER[1:15], "Tags", "Note", "Tax Exempt"]), "Shopify customers",
         "Email|Phone,Default Address Phone||Default Address Country Code"),
        (OLDER, "Shopify customers", "Email|Phone||Country Code,Country"),
        (OLDER.removeprefix("Customer ID,"), "Shopify customers",
         "Email|Phone||Country Code,Country"),
        (ORDERS.replace("Paid at", "Fulfillment Status"), "Shopify orders",
         "Email|Phone,Billing Phone|Created at|Billing Country"),
        (WOO, "WooCommerce customers", "Email|Billing Phone|Sign Up|Country / Region"),
        ("id,Description,Email,Name,Created (UTC),Delinquent,Plan,Status", "Stripe customers",
         "Email||Created (UTC)|"),
        ("Record ID,First Name,Last Name,Email,Phone Number,Lead Status,Create Date",
         "HubSpot contacts", "Email|Phone Number|Create Date|"),
        (MAILCHIMP, "Mailchimp audience", "Email Address|Phone Number|OPTIN_TIME,CONFIRM_TIME|CC"),
        (KLAVIYO, "Klaviyo profiles", "Email||Profile Created On,Date Added|Country"),
        ("email,phone", "plain", "email|phone||"),
        ("E-Mail;Telephone;COUNTRY", "plain", "E-Mail|Telephone||COUNTRY"),
    ],
)  # fmt: skip
def test_each_format_is_recognised_by_its_headers(header: str, name: str, columns: str) -> None:
    found = read(f"{header}\n").columns

    assert found.format == name
    parts = found.emails, found.phones, found.created_at, found.country
    assert "|".join(",".join(column.name for column in part) for part in parts) == columns


def test_columns_may_stand_anywhere_and_be_named() -> None:
    content = "note,when,contact,call me\nx,2020-01-01,doc@hillvalley.edu,1955\n"
    chosen = Chosen(email=["Contact"], phone=["call me"], created_at=["when"])

    _, ((call,), _) = next(Source(read(content, chosen), None).first(1))

    assert (*call.content, call.line) == ("doc@hillvalley.edu", "1955", 2)
    assert call.dated
    assert call.dated.year == 2020


@pytest.mark.parametrize(
    ("header", "row", "named"),
    [
        (",".join(HEADER), "7,Emmett,Brown,doc@hillvalley.edu", ("7", "Emmett Brown")),
        (ORDERS, "#1001,doc@hillvalley.edu,paid,,,1,Flux,Emmett Brown", ("", "Emmett Brown")),
        (WOO, "Emmett Brown,doc,,,doc@hillvalley.edu", ("doc", "Emmett Brown")),
        ("id,Description,Email,Name,Created (UTC)", "cus_7,,doc@hillvalley.edu,Emmett Brown",
         ("cus_7", "Emmett Brown")),
        ("Record ID,First Name,Last Name,Email", "7,Emmett,Brown,doc@hillvalley.edu",
         ("7", "Emmett Brown")),
        (f"{MAILCHIMP},LEID", f"doc@hillvalley.edu,Emmett,{',' * 14},7", ("7", "Emmett")),
        (KLAVIYO, "doc@hillvalley.edu,01H,Emmett,Brown", ("01H", "Emmett Brown")),
        ("reference,email,full name", "7,doc@hillvalley.edu,Emmett Brown", ("7", "Emmett Brown")),
        ("email,age", "doc@hillvalley.edu,65", ("", "")),
        ("email,reference,name", "doc@hillvalley.edu,\x01,\x1b", ("", "")),
    ],
)  # fmt: skip
def test_what_a_source_calls_a_record_is_read(
    header: str, row: str, named: tuple[str, str]
) -> None:
    ((_, ((call,), _)),) = Source(read(f"{header}\n{row}\n"), None).first(1)

    assert (call.email, call.reference, call.name) == ("doc@hillvalley.edu", *named)


def test_columns_of_references_and_names_may_be_named() -> None:
    chosen = Chosen(reference=["loyalty card"], name=["forename", "surname"])
    content = "loyalty card,surname,forename,email\n7,Brown,Emmett,doc@hillvalley.edu\n"

    ((_, ((call,), _)),) = Source(read(content, chosen), None).first(1)

    assert (call.reference, call.name) == ("7", "Emmett Brown")


def test_a_column_that_is_not_there_is_named() -> None:
    with pytest.raises(InvalidInput, match=r"no column “mail2”\. Its columns are: email, age\."):
        read("email,age\n", Chosen(email=["mail2"]))


DOC = [("doc@hillvalley.edu", "5554385")]
PLAIN = "email,phone\ndoc@hillvalley.edu,555-4385\n"


@pytest.mark.parametrize(
    "content",
    [
        PLAIN.encode(),
        PLAIN.encode("utf-8-sig"),
        PLAIN.encode("utf-16"),
        PLAIN.encode("utf-16-le"),
        PLAIN.encode("utf-16-be"),
        ("nom,email,phone\nRené,doc@hillvalley.edu,555-4385\n").encode("cp1252"),
        PLAIN.strip().encode(),
        PLAIN.replace("\n", "\r\n").encode(),
        PLAIN.replace("\n", "\r").encode(),
        PLAIN.replace(",", ";").encode(),
        PLAIN.replace(",", "\t").encode(),
        PLAIN.replace(",", "|").encode(),
        PLAIN.replace("\n", "\n\n , \n").encode(),
        b"'email,'phone\n'doc@hillvalley.edu,'555-4385\n",
        b" EMAIL , Phone \n DOC@HillValley.edu ,555 4385\n",
        b'note,email,phone\n"He said:\n""Great Scott""\n",doc@hillvalley.edu,555-4385\n',
        b"email,phone,more\ndoc@hillvalley.edu,555-4385\n",
        b"sep=;\nemail;phone\ndoc@hillvalley.edu;555-4385\n",
        (",".join(f"c{n}" for n in range(1000)) + ",email,phone\n"
         + "," * 1000 + "doc@hillvalley.edu,555-4385\n").encode(),
    ],
)  # fmt: skip
def test_traps(content: bytes) -> None:
    assert calls(content) == DOC


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "empty"),
        (b" \n\n", "empty"),
        (b"name,age\nDoc,65\n", "No column"),
        (b'email\n"doc@hillvalley.edu\nmcfly@hillvalley.edu\n', "line 2 is never closed"),
    ],
)
def test_what_cannot_be_read_is_refused(content: bytes, sentence: str) -> None:
    with pytest.raises(InvalidInput, match=sentence):
        read(content)


def test_a_file_with_only_a_header_has_no_rows() -> None:
    assert read("email,phone").count == 0


def test_both_phones_of_a_row_are_one_customers_and_the_same_one_counts_once() -> None:
    header = "email,phone,mobile,country\n"

    assert calls(f"{header}doc@hillvalley.edu,(775) 555-0154,06 12345678,US") == [
        ("doc@hillvalley.edu", "+17755550154"),
        ("doc@hillvalley.edu", "0612345678"),
    ]
    assert calls(f"{header}doc@hillvalley.edu,(775) 555-0154,'+17755550154,US") == [
        ("doc@hillvalley.edu", "+17755550154")
    ]


@pytest.mark.parametrize("country", ["NL", "nl", "Netherlands", "the Netherlands", " NETHERLANDS "])
def test_a_country_reads_national_spellings(country: str) -> None:
    assert calls(f"phone,country\n06 12345678,{country}\n") == [(None, "+31612345678")]


@pytest.mark.parametrize(
    ("country", "number"), [("USA", "+17755550154"), ("Narnia", "+41446681800")]
)
def test_other_names_of_countries_and_the_configured_one(country: str, number: str) -> None:
    typed = "(775) 555-0154" if country == "USA" else "044 668 18 00"

    assert calls(f"phone,country\n{typed},{country}\n", region="CH")[0] == (None, number)


def test_the_further_lines_of_an_order_are_part_of_it() -> None:
    rows = (
        "#1001,doc@hillvalley.edu,paid,,2024-05-01 09:58:12 +0000,1,Flux,Doc,US,,,,,,",
        "#1001,,,,,2,Capacitor,,,,,,,,",
        "#1002,,paid,,2024-05-02 09:58:12 +0000,1,Flux,,US,(775) 555-0154,,,303 555 0199,,",
    )

    assert calls("\n".join([ORDERS, *rows])) == [
        ("doc@hillvalley.edu", None),
        (None, "+17755550154"),
    ]
