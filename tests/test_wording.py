"""Numbers, moments, addresses and sources, as templates write them."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask, get_template_attribute

from identity.counting import counted
from identity.web.pages.wording import ago, breakable, dated


@pytest.fixture
def backend() -> str:
    """Nothing here depends on the database."""
    return "sqlite"


@pytest.fixture(autouse=True)
def _asked(app: Flask) -> Iterator[None]:
    with app.test_request_context():
        yield


def test_numbers_have_their_thousands_apart() -> None:
    assert [counted(number) for number in (0, 999, 20000, -1234567)] == [
        *("0", "999", "20,000", "-1,234,567")
    ]


def test_what_is_counted_agrees_with_its_number() -> None:
    assert counted(1, "contact") == "1 contact"
    assert counted(0, "contact") == "0 contacts"
    assert counted(2000, "contact") == "2,000 contacts"
    assert counted(2, "reply", "replies") == "2 replies"


@pytest.mark.parametrize(
    ("since", "said"),
    [
        (timedelta(seconds=5), "just now"),
        (timedelta(seconds=-5), "just now"),
        (timedelta(minutes=45), "45 minutes ago"),
        (timedelta(days=1, hours=3), "1 day ago"),
        (timedelta(days=64), "2 months ago"),
        (timedelta(days=30 * 365 + 20), "30 years ago"),
        (timedelta(days=-2, minutes=-1), "in 2 days"),
    ],
)
def test_moments_are_told_as_a_person_would(since: timedelta, said: str) -> None:
    assert ago(datetime.now(UTC) - since) == said


def test_a_date_has_its_time_while_that_matters() -> None:
    now = datetime.now(UTC)
    long_ago = datetime(1955, 11, 5, 22, 4, tzinfo=UTC)

    assert dated(now) == f"{now:%Y-%m-%d %H:%M}"
    assert dated(now - timedelta(days=1)) == f"{now - timedelta(days=1):%Y-%m-%d %H:%M}"
    assert dated(long_ago) == "1955-11-05"
    assert dated(long_ago, exact=True) == "1955-11-05 22:04"


def test_an_address_breaks_after_its_punctuation() -> None:
    assert breakable("doc@hillvalley.edu") == "doc@<wbr>hillvalley.<wbr>edu"
    assert breakable("+16172531014") == "+16172531014"
    assert breakable("<b>@x.y") == "&lt;b&gt;@<wbr>x.<wbr>y"


def test_a_moment_is_a_date_with_how_long_ago_beside_it() -> None:
    moment = get_template_attribute("components/moment.html", "moment")

    told = moment(datetime(1955, 11, 5, 22, 4, tzinfo=UTC))

    assert 'datetime="1955-11-05T22:04:00+00:00" title="1955-11-05 22:04:00 UTC"' in told
    assert '>1955-11-05 <span class="ago">' in told


@pytest.mark.parametrize(
    ("name", "link"),
    [
        ("import:7", '<a href="/imports/7">import 7</a>'),
        ("feed:shopify", '<a href="/events?source=feed:shopify"><bdi>feed:shopify</bdi></a>'),
        ("<till>", '<a href="/events?source=%3Ctill%3E"><bdi>&lt;till&gt;</bdi></a>'),
        ("import:x", '<a href="/events?source=import:x"><bdi>import:x</bdi></a>'),
    ],
)
def test_a_source_leads_to_what_it_told(name: str, link: str) -> None:
    assert get_template_attribute("components/source.html", "source")(name) == link
