"""Turn what somebody typed into something we can compare.

Two contacts are the same customer when an identifier matches *exactly*, so all the
forgiveness in the system happens here, once, before anything is looked up. Everything
after this page may trust an `Identifiers` value as it is.
"""

import re
import unicodedata
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache, lru_cache
from typing import Any, NamedTuple, Self

import email_validator
import phonenumbers
from email_validator import EmailNotValidError, validate_email
from phonenumbers import NumberParseException, PhoneNumber, PhoneNumberFormat

from identity.errors import InvalidInput

EMAIL_LENGTH = 254
PHONE_LENGTH = 32
TEXT_LENGTH = 200
"""Of a name, or of what a source calls somebody."""
DECOMPOSED = 4
"""How many times as long a text may be before it is composed. Composing takes time that grows with
the square of a text of nothing but marks: of a quarter of a megabyte, ten seconds."""

# The library refuses names like user@localhost and anything under .test or .invalid. A shop's
# old data is full of those, and turning a customer away is worse than linking an odd address.
email_validator.SPECIAL_USE_DOMAIN_NAMES.clear()

# NUL and lone surrogates raise deep inside PostgreSQL's driver and pass through SQLite: the same
# call would fail on one and store rubbish on the other.
_UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")

# Address books wrap numbers in marks for the direction of writing; a copied mark would make a
# stranger of a known customer.
_INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff]")
# Most addresses look like this. The library would take 20 µs to find nothing to change about one;
# a test holds that it agrees. Everything else is its to judge.
_PLAIN_EMAIL = re.compile(
    r"(?=[^@]{1,64}@)[a-z0-9_+-]+(?:\.[a-z0-9_+-]+)*"
    r"@(?:(?=[^.]{1,63}\.)[a-z0-9]+(?:-[a-z0-9]+)*\.)+[a-z]{2,63}"
)
# Most phone numbers in files look like this, and come out of the library as they went in.
_PLAIN_PHONE = re.compile(r"\+[1-9][0-9]{6,14}")
# So do most of those that people write for their own country.
_PLAIN_NATIONAL = re.compile(r"\(?[1-9][0-9 ().-]{5,}")
_NO_PUNCTUATION = {ord(each): None for each in " ().-"}
_DIGIT_OR_PLUS = re.compile(r"[\d+\uff0b]")


class Kind(StrEnum):
    """What an identifier is."""

    EMAIL = "email"
    PHONE = "phone"

    @property
    def field(self) -> str:
        """What the interface calls it."""
        return "email" if self is Kind.EMAIL else "phoneNumber"

    @property
    def noun(self) -> str:
        """What people call it."""
        return "email" if self is Kind.EMAIL else "phone number"

    @property
    def other(self) -> "Kind":
        """What is told together with it."""
        return Kind.PHONE if self is Kind.EMAIL else Kind.EMAIL


KINDS = {kind.value: kind for kind in Kind}
"""The kinds by their names in the tables. Quicker than asking the class, for a million rows."""


class Value(NamedTuple):
    """One identifier: a normalised email or a normalised phone number."""

    kind: Kind
    text: str

    def __repr__(self) -> str:
        # No email, no phone: reprs end up in logs.
        return f"<Value {self.kind}>"


MET = 2**15
"""Values of each kind that are kept made, for whoever comes upon the same again and again."""


def _maker(kind: Kind) -> Callable[[str], Value]:
    # A tuple that is made of names takes half as long again. There are millions.
    return lambda text: tuple.__new__(Value, (kind, text))


email_value = lru_cache(MET)(_maker(Kind.EMAIL))
phone_value = lru_cache(MET)(_maker(Kind.PHONE))


def referred(reference: Mapping[str, str]) -> Value:
    """Return the identifier that the interface names so, as it is: it was normalised once.

    The rules for that may have changed since.
    """
    ((field, text),) = reference.items()
    return Value(Kind.EMAIL if field == Kind.EMAIL.field else Kind.PHONE, text)


@dataclass(frozen=True, slots=True)
class Identifiers:
    """A normalised email, a normalised phone number, or both; None where none was given."""

    email: str | None
    phone_number: str | None

    @classmethod
    def parse(cls, email: object, phone_number: object, *, region: str | None = None) -> Self:
        """Normalise what was given; raise `InvalidInput` naming every field that is wrong.

        Missing, None, empty and blank all mean *absent*. `phone_number` may be an int.
        `region` is the two-letter country for phone numbers without a country code.
        """
        problems: dict[str, str] = {}
        parsed: dict[str, str | None] = {"email": None, "phoneNumber": None}
        try:
            parsed["email"] = parse_email(email)
        except ValueError as problem:
            problems["email"] = str(problem)
        try:
            parsed["phoneNumber"] = parse_phone_number(phone_number, region)
        except ValueError as problem:
            problems["phoneNumber"] = str(problem)
        if problems:
            raise InvalidInput(" ".join(problems.values()), problems)
        if not any(parsed.values()):
            raise nothing_given()
        return cls(parsed["email"], parsed["phoneNumber"])

    def without(self, values: Collection[Value]) -> Self:
        """Return what is left when values are taken out; raise `InvalidInput` for nothing."""
        left = {value.kind: value.text for value in self.values() if value not in values}
        if not left:
            raise nothing_given()
        return type(self)(left.get(Kind.EMAIL), left.get(Kind.PHONE))

    def values(self) -> Iterator[Value]:
        """Yield what was given, the email first."""
        if self.email is not None:
            yield Value(Kind.EMAIL, self.email)
        if self.phone_number is not None:
            yield Value(Kind.PHONE, self.phone_number)

    def __repr__(self) -> str:
        # No email, no phone: reprs end up in logs.
        given = ("email", self.email), ("phone_number", self.phone_number)
        return f"<Identifiers {' and '.join(kind for kind, value in given if value)}>"


def nothing_given() -> InvalidInput:
    """Return what is told to whoever gave neither."""
    message = "Either email or phoneNumber is required."
    return InvalidInput(message, {"email": message, "phoneNumber": message})


def parse_one(typed: str, region: str | None = None) -> Value:
    """Return the one identifier that was typed, which is an email when there is an @ in it."""
    email, phone_number = (typed, None) if is_of_email(typed) else (None, typed)
    (value,) = Identifiers.parse(email, phone_number, region=region).values()
    return value


def parse_email(given: object) -> str | None:
    """Return the email as we compare it, None when absent; raise ValueError with a sentence."""
    if given is None:
        return None
    if not isinstance(given, str):
        raise ValueError("email must be a string.")
    text = _printable(given, "email")
    if not text:
        return None
    if len(text) > EMAIL_LENGTH:
        raise ValueError(f"email must be at most {EMAIL_LENGTH} characters long.")
    if _PLAIN_EMAIL.fullmatch(plain := text.lower()):
        return plain
    try:
        checked = validate_email(
            text,
            check_deliverability=False,
            globally_deliverable=False,
            allow_quoted_local=True,
            allow_domain_literal=True,
        )
    except EmailNotValidError:
        # The library's sentences may quote the address, and ours are logged and shown.
        raise ValueError("email must be an address like name@example.com.") from None
    # Lower-casing can undo the composed form ("İ" becomes two characters), hence once more.
    return unicodedata.normalize("NFC", checked.normalized.lower())


def plain_email(text: str) -> str | None:
    """Return the email that a text plainly is, None when it takes a closer look to tell."""
    plain = text.lower()
    return plain if len(text) <= EMAIL_LENGTH and _PLAIN_EMAIL.fullmatch(plain) else None


def plain_phone_number(text: str) -> str | None:
    """Return the phone number that a text plainly is, None when it takes a closer look to tell."""
    return text if _PLAIN_PHONE.fullmatch(text) and _needs_no_change(text) else None


def parse_phone_number(given: object, region: str | None = None) -> str | None:
    """Return the number as we compare it, None when absent; raise ValueError with a sentence.

    A valid international number, or a valid one of `region`, becomes E.164 (+17755550154).
    Anything else keeps its digits and a leading plus, so that `123456` stays what it is.
    """
    if given is None:
        return None
    # To Python a bool is an int, but nobody's phone number is `true`.
    if isinstance(given, bool) or not isinstance(given, str | int):
        raise ValueError("phoneNumber must be a string or a whole number.")
    if isinstance(given, int):
        # Python refuses to print an int of thousands of digits, so the size is asked first.
        if not 0 <= given < 10**PHONE_LENGTH:
            raise ValueError("phoneNumber must not be negative or absurdly long.")
        given = str(given)
    text = _printable(given, "phoneNumber")
    if not text:
        return None
    if len(text) > PHONE_LENGTH:
        raise ValueError(f"phoneNumber must be at most {PHONE_LENGTH} characters long.")
    if plain := plain_phone_number(text):
        return plain
    first = _DIGIT_OR_PLUS.search(text)
    plus = first is not None and not first[0].isdigit()
    if not plus and not region:
        # The library has nothing to read the number by, and says so slowly.
        return _digits(text, plus=plus)
    international = _national(text, region) or _international(text, region)
    if international:
        return international
    # With a mark in its middle that the library does not know, it is still the number it would be
    # without, and must be the same the next time.
    digits = _digits(text, plus=plus)
    if digits == text:
        return digits
    return _international(digits, region) or digits


def _needs_no_change(plain: str) -> bool:
    """Tell whether the library would find nothing to change about a number that begins with +.

    It would take 15 µs to say so; a test holds that it agrees.
    """
    for length in (1, 2, 3):
        country_code = int(plain[1 : length + 1])
        if country_code in phonenumbers.COUNTRY_CODE_TO_REGION_CODE:
            prefix = _national_prefix(country_code)
            return prefix is None or not prefix.match(plain, length + 1)
    return True


@cache
def _national_prefix(country_code: int) -> re.Pattern[str] | None:
    """Return what people of a country dial before its numbers, and may write where it is wrong."""
    region = phonenumbers.region_code_for_country_code(country_code)
    metadata = phonenumbers.PhoneMetadata.metadata_for_region_or_calling_code(country_code, region)
    prefix = metadata and metadata.national_prefix_for_parsing
    return re.compile(prefix) if prefix else None


def _national(text: str, region: str | None) -> str | None:
    """Return a number as it is written in its own country; None where it takes a closer look.

    The library would take 30 µs for the same; a test holds that it agrees.
    """
    if region is None or not _PLAIN_NATIONAL.fullmatch(text) or not (rules := _rules(region)):
        return None
    country_code, prefixes, patterns = rules
    digits = text.translate(_NO_PUNCTUATION)
    if prefixes.match(digits):
        return None
    for lengths, pattern in patterns:
        if len(digits) in lengths and pattern.fullmatch(digits):
            return f"+{country_code}{digits}"
    return None


@cache
def _rules(region: str) -> tuple[int, re.Pattern[str], list[tuple[Any, re.Pattern[str]]]] | None:
    """Return a country's code, what stands before numbers there, and how the usual ones look.

    None for a country that shares its code with a larger one: what its numbers are depends on that.
    """
    plan: Any = phonenumbers.PhoneMetadata.metadata_for_region(region)
    if not plan or phonenumbers.region_code_for_country_code(plan.country_code) != region:
        return None
    before = plan.international_prefix, str(plan.country_code), plan.national_prefix_for_parsing
    prefixes = re.compile("|".join(f"(?:{each})" for each in before if each))
    whole = plan.general_desc.national_number_pattern
    usual = [each for each in (plan.fixed_line, plan.mobile) if each]
    return (
        plan.country_code,
        prefixes,
        [
            (
                each.possible_length,
                re.compile(f"(?=(?:{whole})$)(?:{each.national_number_pattern})"),
            )
            for each in usual
            if each.national_number_pattern
        ],
    )


def _international(text: str, region: str | None) -> str | None:
    try:
        number = phonenumbers.parse(text, region)
    except NumberParseException:
        return None
    # Parsing is not enough: 123456 in the US parses, to a +1123456 that rings nowhere.
    if not _valid(number):
        return None
    e164 = phonenumbers.format_number(number, PhoneNumberFormat.E164)
    # Without its extension a company's switchboard would join all of its staff.
    return f"{e164};ext={number.extension}" if number.extension else e164


def is_valid_phone_number(typed: str, region: str | None = None) -> bool:
    """Tell whether that is a number that can ring, with its country code or in `region`."""
    return _international(typed, region) is not None


def _valid(number: PhoneNumber) -> bool:
    # Twenty-five countries share +1, and the library tries all of them before it looks closely.
    # Nearly every number is of the first, so asking that one first halves the time.
    first = phonenumbers.region_code_for_country_code(number.country_code or 0)
    return phonenumbers.is_valid_number_for_region(number, first) or phonenumbers.is_valid_number(
        number
    )


def _digits(text: str, *, plus: bool) -> str:
    if any(character.isalpha() for character in text):
        # Dropping letters would make one number of 1-800-FLOWERS and 1-800-LAWYERS.
        raise ValueError("phoneNumber must hold digits and punctuation, not letters.")
    digits = phonenumbers.normalize_digits_only(text)
    if not digits:
        raise ValueError("phoneNumber must hold at least one digit.")
    return f"+{digits}" if plus else digits


def legible(typed: str) -> str:
    """Return what somebody typed without what cannot be seen, composed as we keep texts."""
    text = _UNPRINTABLE.sub("", _INVISIBLE.sub("", typed))
    return unicodedata.normalize("NFC", text[: DECOMPOSED * EMAIL_LENGTH]).strip()


def as_searched(typed: str) -> str:
    """Return a part of an email or phone number as it would stand in a normalised one."""
    text = legible(typed)[:EMAIL_LENGTH].lower()
    if is_of_email(text) or any(character.isalpha() for character in text):
        return unicodedata.normalize("NFC", text)
    if any(character.isdigit() for character in text):
        # Part of a phone number, which is kept without its punctuation.
        return "".join(_DIGIT_OR_PLUS.findall(text))
    return text


def is_of_email(typed: str) -> bool:
    """Tell whether what was typed can be a part of an email and nothing else."""
    return "@" in typed


def plain_text(given: object, field: str = "name") -> str:
    """Return a name or reference on one line, "" when absent; raise ValueError with a sentence."""
    if given is None:
        return ""
    if isinstance(given, bool) or not isinstance(given, str | int):
        raise ValueError(f"{field} must be a string.")
    if isinstance(given, int):
        if not abs(given) < 10**TEXT_LENGTH:
            raise ValueError(f"{field} must be at most {TEXT_LENGTH} characters long.")
        given = str(given)
    text = _printable(given, field)
    if not text.isascii() and len(text) <= DECOMPOSED * TEXT_LENGTH:
        text = unicodedata.normalize("NFC", text)
    if len(text) > TEXT_LENGTH:
        raise ValueError(f"{field} must be at most {TEXT_LENGTH} characters long.")
    return text


def _printable(text: str, field: str) -> str:
    if text.isascii() and text.isprintable():
        return text.strip()
    text = _INVISIBLE.sub("", text)
    if _UNPRINTABLE.search(text.strip(" \t\r\n\f\v")):
        raise ValueError(f"{field} must not hold control characters.")
    return text.strip()
