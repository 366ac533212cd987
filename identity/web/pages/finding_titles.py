"""What findings are called: each kind, and each by itself."""

from dataclasses import dataclass

from markupsafe import Markup

from identity.counting import counted
from identity.reviewing import country_codes, joints, values
from identity.reviewing.findings import Kind, Noted
from identity.web.pages.wording import isolated


@dataclass(frozen=True, slots=True)
class Words:
    """What a kind of findings is called, and what it is."""

    name: str
    told: str


KINDS = {
    Kind.FILLER: Words(
        "Look like nobody's",
        "Emails and phone numbers that look like what is typed where nothing is to be told, and "
        "that at least three strangers gave.",
    ),
    Kind.SHARED: Words(
        "Shared by many",
        "Emails and phone numbers that too many people gave who have nothing else in common: the "
        "shop's own number, an office's mailbox.",
    ),
    Kind.BRIDGE: Words(
        "Held together by one link",
        "Customers who would be two, of at least three contacts each, without one email and phone "
        "number that were given together once. Larger customers than 2,000 contacts are not "
        "looked through.",
    ),
    Kind.LARGE_MERGE: Words(
        "Large merges", "Customers of ten contacts or more who became somebody else's at once."
    ),
    Kind.HELD_AGAIN: Words(
        "Kept apart, tried again",
        "What a ruling keeps apart, and was told again since. Perhaps it is true after all.",
    ),
    Kind.COUNTRY_CODE: Words(
        "Equal but for the country code",
        "Phone numbers of two customers, equal but for the country code. Perhaps they are one "
        "person's. Adding an email of the one with the phone number of the other makes them one.",
    ),
}


def title(kept: Noted) -> Markup:
    """Return what a finding is, in one line."""
    match kept.kind:
        case Kind.FILLER | Kind.SHARED:
            value = values.named(kept.subject)
            return Markup("{} is the {} of {}").format(
                isolated(value.text), value.kind.noun, _at_least(kept, "person", "people")
            )
        case Kind.BRIDGE:
            email, phone = joints.named(kept.subject)
            return Markup("{} and {} were given together once").format(
                isolated(email), isolated(phone)
            )
        case Kind.LARGE_MERGE:
            moved = counted(kept.many, "contact")
            return Markup("{} moved at once, from customer {}").format(
                moved, counted(kept.detail["absorbed"])
            )
        case Kind.HELD_AGAIN:
            tellings = counted(kept.many, "telling")
            number = counted(int(kept.subject))
            return Markup("Ruling {} has held {} since it was made").format(number, tellings)
        case Kind.COUNTRY_CODE:
            one, other = country_codes.named(kept.subject)
            return Markup("{} and {}").format(isolated(one), isolated(other))
    raise AssertionError(kept.kind)


def _at_least(kept: Noted, one: str, many: str) -> str:
    number = counted(kept.many, one, many)
    return f"{number} or more" if kept.many >= values.MOST else number
