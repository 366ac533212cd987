"""The search: what finds whom, what is marked, and what is said of it."""

import unicodedata
from collections.abc import Sequence

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st

from identity import searching
from identity.searching import Asked, Where, places, scanning, words
from tests.conftest import See
from tests.pages import PAGES, field, folded, search, text


def found(typed: str, region: str | None = None) -> list[int]:
    """The customers that are found, the best first."""
    results = searching.search(searching.read(typed, region))
    return [match.primary_id for match in results.matches]


def marked(asked: Asked, where: Where, value: str) -> str:
    return "".join(
        f"[{text}]" if is_marked else text for text, is_marked in asked.pieces(where, value)
    )


@pytest.fixture
def town(client: FlaskClient, see: See) -> None:
    """Marty is 1, with contacts 4 and 5; Doc is 2, and called Emmett Brown; Strickland is 3."""
    see("marty@hillvalley.edu", "+1 617 253 1014")
    see("doc@hillvalley.edu", "0171 1234567")
    see("strickland@hillvalley.edu", "617-253-9999")
    see("calvin@hillvalley.edu", "+1 617 253 1014")
    see("clint@hillvalley.edu", "+49 171 7654321")
    see("clint@hillvalley.edu", "+1 617 253 1014")
    body = {"email": "doc@hillvalley.edu", "reference": "cus_R88", "name": "Emmett Müller-Brown"}
    client.post("/identify", json=body)
    client.post("/identify", json={"phoneNumber": "6172539999", "name": "Gerald Strickland"})


@pytest.mark.usefixtures("town")
@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("calvin", [1]),
        (" CALVIN ", [1]),
        ("cal\x00vin\u200b", [1]),
        ("@hill", [3, 2, 1]),
        ("doc@hillvalley.edu", [2]),
        ("617-253-1014", [1]),
        ("(617) 253-1014", [1]),
        ("617 253 1014", [1]),
        ("617.253.1014", [1]),
        ("1 617 253 1014", [1]),
        ("+1 617 253 9999", [3]),
        ("+1 (617) 253-9999", [3]),
        ("+1 617", [1, 3]),
        ("00 1 617 253 1014", [1]),
        ("253", [3, 1]),
        ("0171 7654321", [1]),
        ("+49 171 1234567", [2]),
        ("+49 (0)171 1234567", [2]),
        ("0049 171 1234567", [2]),
        ("+49 171", [1, 2]),
        ("emmett", [2]),
        ("MÜLLER", [2]),
        ("muller", []),
        ("cus_R88", [2]),
        ("cus_r8", []),
        ("cus_R", [2]),
        ("emmett brown", [2]),
        ("brown emmett", [2]),
        ("emmett strickland", []),
        ("doc@ brown", [2]),
        ("marty calvin", [1]),
        ("marty@hillvalley.edu · 6172531014", [1]),
        ("calvin 617-253-1014", [1]),
        ("gerald 617 253", [3]),
        ("doc 617", []),
        ("nobody", []),
        ("%%%", []),
        ("hill_alley", []),
        ("\\\\\\", []),
        ("((()))", []),
        ("<script>", []),
        ("a" * 60_000, []),
    ],
)
def test_what_is_typed_finds_whom_it_means(typed: str, expected: list[int]) -> None:
    assert sorted(found(typed)) == sorted(expected)


@pytest.mark.usefixtures("town")
@pytest.mark.parametrize("region", [None, "US", "DE"])
@pytest.mark.parametrize("typed", ["617-253-1014", "(617) 253-1014", "+16172531014"])
def test_a_number_is_found_whatever_country_is_set(typed: str, region: str | None) -> None:
    assert found(typed, region) == [1]


@pytest.mark.usefixtures("town")
def test_an_id_is_that_of_a_customer_or_of_any_contact() -> None:
    assert found("2") == [2]
    assert found("#4") == [1]
    assert found("88") == []
    assert found("9" * 30) == []
    (match,) = searching.search(searching.read("4")).matches
    assert match.hits[0].contact_id == 4


def test_the_id_of_a_contact_that_ceased_finds_who_has_it_now(
    client: FlaskClient, see: See
) -> None:
    see("marty@hillvalley.edu", "555-1985")
    see("calvin@hillvalley.edu", "555-1985")
    see("calvin@hillvalley.edu", "555-1955")
    told = {"kind": "withdrawn", "email": "calvin@hillvalley.edu", "phoneNumber": "5551985"}
    assert client.post("/rulings", json=told).status_code == 201
    assert client.get("/clusters/2.json").status_code == 410

    page = text(search(client, "#2"))

    assert "Contact 2 ceased; what it said is here now" in page
    assert "Customer 3" in page


@pytest.mark.usefixtures("town")
def test_what_is_whole_comes_before_what_only_contains_it(see: See) -> None:
    see("madoc@hillvalley.edu")

    assert found("doc@hillvalley.edu")[0] == 2
    assert found("3")[0] == 3


def test_the_same_digits_come_before_those_that_contain_them(see: See) -> None:
    see(phone="+49 30 6172531014")
    see(phone="+1 617 253 1014")
    see(phone="617 253 1014 99")

    assert found("617-253-1014")[0] == 2


@pytest.mark.usefixtures("town")
def test_a_match_leads_to_the_contact_that_has_it(client: FlaskClient) -> None:
    page = folded(search(client, "calvin"))

    assert '<a href="/clusters/4">Customer 1</a>' in page
    assert '<tr id="contact-4" class="marked">' in folded(
        client.get("/clusters/4", follow_redirects=True)
    )


@pytest.mark.parametrize(
    ("typed", "where", "value", "expected"),
    [
        ("vin@hill", Where.EMAIL, "calvin@hillvalley.edu", "cal[vin@hill]valley.edu"),
        ("MÜLLER", Where.NAME, "Emmett Müller-Brown", "Emmett [Müller]-Brown"),
        ("br emm", Where.NAME, "Emmett Brown", "[Emm]ett [Br]own"),
        ("stan", Where.NAME, "İSTANBUL İstanbul", "İ[STAN]BUL İ[stan]bul"),
        ("617-253", Where.PHONE, "+16172531014", "+1[617253]1014"),
        ("0171 765", Where.PHONE, "+491717654321", "+49[171765]4321"),
        ("+1 617 253", Where.PHONE, "6172531014", "[617253]1014"),
        ("cus_", Where.REFERENCE, "cus_R88", "[cus_]R88"),
        ("nana", Where.EMAIL, "nanana@x.example", "[nana]na@x.example"),
        ("<b>", Where.NAME, "a<b>c", "a[<b>]c"),
        ("doc", Where.PHONE, "5554385", "5554385"),
    ],
)
def test_what_was_typed_is_marked(typed: str, where: Where, value: str, expected: str) -> None:
    assert marked(searching.read(typed), where, value) == expected


@given(typed=st.text(max_size=40), value=st.text(max_size=60), where=st.sampled_from(Where))
def test_marks_lose_nothing_and_never_overlap(typed: str, value: str, where: Where) -> None:
    pieces = searching.read(typed).pieces(where, value)

    assert "".join(text for text, _ in pieces) == value
    assert all(text for text, _ in pieces)


@given(typed=st.text(max_size=300))
def test_whatever_is_typed_can_be_read(typed: str) -> None:
    asked = searching.read(typed, "DE")

    assert len(asked.words) <= 5
    given = asked.given()
    assert given is None or any(given.values())


@given(name=st.text(st.characters(exclude_categories=["C", "Z"]), min_size=3, max_size=20))
def test_a_name_is_found_in_itself_in_either_case(name: str) -> None:
    kept = unicodedata.normalize("NFC", f"x{name}")
    for typed in (kept, kept.upper(), kept.lower()):
        word = searching.read(typed).words[0]

        if words.folded(typed) == words.folded(kept) and word.typed == typed and word.in_names:
            assert word.spans(Where.NAME, kept)


@given(
    digits=st.text("0123456789", min_size=7, max_size=12),
    between=st.lists(st.sampled_from(["", " ", "-", ".", " - "]), min_size=12, max_size=12),
)
def test_a_number_is_one_word_however_it_is_spaced(digits: str, between: list[str]) -> None:
    typed = "".join(map("".join, zip(digits, between, strict=False))).strip(" -.")

    (word,) = searching.read(typed).words

    assert word.spans(Where.PHONE, digits)
    assert word.spans(Where.PHONE, f"+1{digits}")


def test_the_results_are_counted_and_paged(
    client: FlaskClient, see: See, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(60):
        see(f"{number}@crowd.example")

    first = search(client, "crowd")
    second = client.get(f"{first.request.path}?page=2")
    last = client.get(f"{first.request.path}?page=3")

    assert "1–25 of 60 customers with “crowd”." in text(first)
    assert "26–50 of 60 customers" in text(second)
    assert "51–60 of 60 customers" in text(last)
    pages = [
        {c for c in range(1, 61) if f">Customer {c}<" in p.text} for p in (first, second, last)
    ]
    assert sorted(map(len, pages)) == [10, 25, 25]
    assert set().union(*pages) == set(range(1, 61))
    assert client.get(f"{first.request.path}?page=99").status_code == 200

    monkeypatch.setattr(places, "ROWS", 40)
    assert "1–25 of at least 40 customers" in text(search(client, "crowd"))


def test_two_common_words_find_who_has_both_and_say_that_there_may_be_more(
    client: FlaskClient, see: See, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(30):
        see(f"ada.{number}@crowd.example")
        see(f"bob.{number}@crowd.example")
    monkeypatch.setattr(places, "ROWS", 20)

    results = searching.search(searching.read("bob crowd"))

    assert results.more
    assert {match.primary_id % 2 for match in results.matches} == {0}


def test_a_value_that_links_nobody_is_said_to_and_leads_to_the_rulings(
    client: FlaskClient,
) -> None:
    ruling = {"kind": "links_nobody", "value": {"phoneNumber": "0000000000"}}
    assert client.post("/rulings", json=ruling).status_code == 201

    page = folded(search(client, "000-000-0000"))

    assert "By a ruling, this value is nobody's" in page
    assert 'href="/review/rulings"' in page
    assert "Add this contact" not in page


@pytest.mark.usefixtures("town")
def test_what_was_typed_stays_in_the_search_field(client: FlaskClient) -> None:
    assert field(search(client, " (617) 253-1014 "), "typed") == "(617) 253-1014"


@pytest.mark.parametrize("typed", ["", "ab", "  ", "+4", "é"])
def test_too_little_is_said_to_be(client: FlaskClient, typed: str) -> None:
    assert "Type at least 3 characters" in text(search(client, typed))


@pytest.mark.usefixtures("town")
def test_a_search_from_a_page_that_was_open_for_too_long_is_answered(app: Flask) -> None:
    response = app.test_client().post(
        "/search", data={"typed": "calvin"}, follow_redirects=True, headers=PAGES
    )

    assert response.status_code == 200
    assert "1 customer with “calvin”" in text(response)


def test_an_address_that_was_made_up_is_a_page_that_helps(client: FlaskClient) -> None:
    response = client.get("/search/calvin", headers=PAGES)

    assert response.status_code == 404
    assert "This address is not complete, or no longer good." in text(response)


@pytest.mark.usefixtures("town")
@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("jennifer@hillvalley.edu", True),
        ("+1 617 253 5555", True),
        ("jennifer@hillvalley.edu +1 617 253 5555", True),
        ("marty@hillvalley.edu 0171 1234567", True),
        ("jennifer", False),
        ("@hillvalley.nowhere", False),
        ("55555", False),
        ("jennifer@hillvalley.edu parker", False),
        ("jennifer@hillvalley.edu biff@hillvalley.edu", False),
        ("marty@hillvalley.edu", False),
        ("+1 617 253 1014", False),
    ],
)
def test_what_is_whole_and_unknown_can_be_added(
    client: FlaskClient, typed: str, offered: bool
) -> None:
    assert ("Add this contact" in text(search(client, typed))) == offered


@pytest.mark.usefixtures("town")
def test_where_no_customer_has_both_those_with_one_are_shown(client: FlaskClient) -> None:
    page = text(search(client, "marty@hillvalley.edu 0171 1234567"))

    assert "With “marty@hillvalley.edu” alone" in page
    assert "With “01711234567” alone" in page


@pytest.mark.usefixtures("town")
def test_an_email_that_is_nobodys_shows_who_is_called_so_elsewhere(client: FlaskClient) -> None:
    page = folded(search(client, "doc@hillvaley.edu"))

    assert ">Close to it</h2>" in page
    assert '<a href="/clusters/2">Customer 2</a>' in page
    assert "Add this contact" in page


def test_two_common_words_in_different_places_find_somebody(
    client: FlaskClient, see: See, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(30):
        body = {"email": f"{number}@crowd.example", "name": f"Ada Nr {number}"}
        assert client.post("/identify", json=body).status_code == 200
    monkeypatch.setattr(places, "ROWS", 25)

    results = searching.search(searching.read("ada crowd"))

    assert results.more
    assert len(results.matches) == 25


@pytest.mark.usefixtures("town")
def test_a_search_is_few_statements(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []

    def counting(scans: Sequence[scanning.Scan]) -> list[places.Hits]:
        asked.append(len(scans))
        return run(scans)

    run = scanning.run
    monkeypatch.setattr(scanning, "run", counting)

    for typed, scans in (("doc@hill", 2), ("+1 617 253", 2), ("#12", 1), ("emmett", 3)):
        found(typed)
        assert asked.pop() == scans, typed
