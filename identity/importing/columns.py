"""Which columns of a file hold what: recognised by their names, never by their position.

Shops append columns and choose them, so one vocabulary serves all formats. The few that need
more than that are told apart by headers that nobody else has.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from identity.errors import InvalidInput

# In the order of preference: of two columns with emails the first here is read.
EMAIL = ("email", "email address", "e mail", "e mail address", "mail")
PHONE = (
    "phone",
    "phone number",
    "phonenumber",
    "default address phone",
    "billing phone",
    "mobile phone number",
    "mobile phone",
    "mobile number",
    "mobile",
    "telephone",
    "telephone number",
    "tel",
    "cell phone",
)
"""Not among them: the phone an order is shipped to, which is often somebody else's."""
CREATED_AT = (
    "created at",
    "createdat",
    "created",
    "created (utc)",
    "create date",
    "date created",
    "sign up",
    "profile created on",
    "date added",
    "optin time",
    "confirm time",
)
COUNTRY = (
    "default address country code",
    "country code",
    "billing country",
    "country / region",
    "country/region",
    "country",
    "cc",
)
REFERENCE = {
    "Shopify customers": ("customer id",),
    "WooCommerce customers": ("username",),
    "Stripe customers": ("id",),
    "HubSpot contacts": ("record id",),
    "Mailchimp audience": ("leid",),
    "Klaviyo profiles": ("klaviyo id",),
    "plain": ("reference",),
}
"""What each format calls its records by. A Shopify order's number is no customer's."""
NAME = ("first name", "last name"), ("name",), ("billing name",), ("full name",)
"""The columns that hold a name together; the first of these that a file has whole."""
FORMATS: tuple[tuple[str, frozenset[str]], ...] = (
    ("Shopify orders", frozenset({"name", "financial status", "lineitem name"})),
    ("Shopify customers", frozenset({"accepts email marketing", "tax exempt"})),
    ("WooCommerce customers", frozenset({"sign up", "aov"})),
    ("Stripe customers", frozenset({"id", "created (utc)"})),
    ("HubSpot contacts", frozenset({"record id"})),
    ("Mailchimp audience", frozenset({"email address", "member rating"})),
    ("Klaviyo profiles", frozenset({"klaviyo id"})),
)
"""The name of each format we know, and headers that only it has together."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column by its place, counted from 0, and its name as the file spells it."""

    index: int
    name: str

    def cell(self, cells: Sequence[str]) -> str:
        """Return what a row holds in this column, "" when it is too short to have it."""
        if self.index >= len(cells):
            return ""
        # Shops and spreadsheets put an apostrophe before what must not be taken for a number.
        return cells[self.index].strip().removeprefix("'")


@dataclass(frozen=True, slots=True)
class Chosen:
    """The columns somebody named, by their names; what is empty is recognised."""

    email: Sequence[str] = ()
    phone: Sequence[str] = ()
    created_at: Sequence[str] = ()
    country: Sequence[str] = ()
    reference: Sequence[str] = ()
    name: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Columns:
    """What is read from each row."""

    format: str
    email: Column | None
    phones: tuple[Column, ...]
    """Each of them: two phone numbers of one row are one customer's."""
    created_at: tuple[Column, ...]
    """The first that holds something; so is the country."""
    country: tuple[Column, ...]
    reference: Column | None
    """What the source calls the row."""
    name: tuple[Column, ...]
    """The parts of a name, in their order."""
    order: Column | None
    """In Shopify's orders the number of the order, of which only the first line is whole."""


def named(header: Iterable[str]) -> dict[str, list[int]]:
    """Return where each name stands, spelt without case, blanks around it and punctuation."""
    places: dict[str, list[int]] = {}
    for index, name in enumerate(header):
        places.setdefault(plain(name), []).append(index)
    places.pop("", None)
    return places


def plain(name: str) -> str:
    """Return a header as it is compared."""
    text = name.strip().lstrip("\ufeff'").casefold()
    return " ".join(text.replace("_", " ").replace("-", " ").split())


def recognised(header: Sequence[str]) -> int:
    """Return how many columns of a header we would know what to do with."""
    names = set(named(header))
    return len(names & {*EMAIL, *PHONE}) * 2 + len(names & {*CREATED_AT, *COUNTRY})


def choose(header: Sequence[str], chosen: Chosen | None = None) -> Columns:
    """Return what to read; raise `InvalidInput` when a named column or any usable one lacks."""
    chosen, places = chosen or Chosen(), named(header)

    def columns(asked: Sequence[str], known: tuple[str, ...]) -> tuple[Column, ...]:
        for name in asked:
            if plain(name) not in places:
                raise InvalidInput(f"The file has no column “{name}”. {_has(header)}")
        found = [place for name in asked or known for place in places.get(plain(name), ())]
        return tuple(Column(place, header[place].strip()) for place in dict.fromkeys(found))

    format_ = _format(places)
    email, phones = columns(chosen.email, EMAIL), columns(chosen.phone, PHONE)
    if not email and not phones:
        raise InvalidInput(
            f"No column with emails or phone numbers was recognised. {_has(header)} "
            "Name them with --email and --phone."
        )
    return Columns(
        format=format_,
        email=email[0] if email else None,
        phones=phones,
        created_at=columns(chosen.created_at, CREATED_AT),
        country=columns(chosen.country, COUNTRY),
        reference=next(iter(columns(chosen.reference, REFERENCE.get(format_, ()))), None),
        name=columns(chosen.name, _name(format_, places)),
        order=columns((), ("name",))[0] if format_ == "Shopify orders" else None,
    )


def _name(format_: str, places: Mapping[str, object]) -> tuple[str, ...]:
    # The name of a Shopify order is its number.
    whole = (each for each in NAME if format_ != "Shopify orders" or each != ("name",))
    return next((each for each in whole if set(each) <= places.keys()), ())


def _format(places: Mapping[str, object]) -> str:
    for name, headers in FORMATS:
        if headers <= places.keys():
            return name
    return "plain"


def _has(header: Sequence[str]) -> str:
    return f"Its columns are: {', '.join(name.strip() for name in header)}."
