"""Importing and exporting in a browser's terms: choose, see the plan, confirm, see the result."""

import io
import re
from datetime import UTC, datetime

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from identity.errors import Unavailable
from identity.importing import reading, register, run
from identity.models import Contact
from identity.rulings import applying
from identity.rulings.applying import Ordered
from identity.rulings.kinds import ImportWithdrawn
from identity.verification import verify
from identity.web.pages.import_pages import LARGEST_FILE
from tests import pages
from tests.bringing import Watcher, on
from tests.conftest import See
from tests.pages import folded
from tests.tables import count

FILE = b"""Email,Phone,Created at
mcfly@hillvalley.edu,717171,
jennifer@hillvalley.edu,,2020-01-01
nobody,,
"""
PAGE = {"Accept": "text/html"}


def token(client: FlaskClient, path: str = "/import") -> str:
    found = re.search(
        r'name="csrf_token" (?:type="hidden" )?value="([^"]+)"', client.get(path).text
    )
    assert found
    return found[1]


def choose(client: FlaskClient, content: bytes = FILE, name: str = "shop.csv") -> TestResponse:
    data = {"csrf_token": token(client), "file": (io.BytesIO(content), name)}
    return pages.send(client, "/import", data)


def confirm(client: FlaskClient, plan: TestResponse) -> TestResponse:
    data = {"csrf_token": token(client), "plan": pages.field(plan, "plan")}
    return pages.send(client, plan.request.path, data)


def figure(page: str, label: str) -> int:
    (number,) = re.findall(rf"<dt>{label}</dt><dd>([\d,]+)</dd>", page)
    return int(number.replace(",", ""))


def test_the_plan_says_what_would_happen_and_changes_nothing(client: FlaskClient, see: See) -> None:
    see("mcfly@hillvalley.edu")
    see(phone="717171")

    page = folded(choose(client))

    assert figure(page, "New customers") == 1
    assert figure(page, "Contacts added") == 1
    assert figure(page, "Customers merged into others") == 1
    assert figure(page, "Rows rejected") == 1
    assert "2 stays primary" not in page
    assert "1 stays primary" in page
    assert "Line</th>" in page
    assert "Email: this is not an email address" in page
    assert count(Contact) == 2


def test_confirming_does_what_the_plan_said(client: FlaskClient, see: See) -> None:
    see("mcfly@hillvalley.edu")
    see(phone="717171")

    page = folded(confirm(client, choose(client)))

    assert '<p class="lead">Imported <time' in page
    assert figure(page, "Customers merged into others") == 1
    assert "import:1" in page
    assert "became part of" in page
    assert count(Contact) == 3
    assert verify().problems == []
    assert see("mcfly@hillvalley.edu").phone_numbers == ("717171",)


def test_rejected_rows_can_be_downloaded(client: FlaskClient) -> None:
    confirm(client, choose(client))

    rejects = client.get("/imports/1/rejects.csv")

    assert rejects.data.decode("utf-8-sig").splitlines() == [
        "rejected_line,rejected_because,Email,Phone,Created at",
        "4,Email: this is not an email address. It should look like name@example.com.,nobody,,",
    ]


def test_confirming_twice_imports_once(client: FlaskClient) -> None:
    plan = choose(client)
    confirm(client, plan)

    page = folded(confirm(client, plan))

    assert figure(page, "Contacts added") == 2
    assert count(Contact) == 2


def test_the_same_file_brings_nothing_new_the_second_time(client: FlaskClient) -> None:
    confirm(client, choose(client))

    page = folded(choose(client))

    assert figure(page, "Contacts added") == 0
    assert "2 would bring nothing new" in page


def test_an_older_contact_of_the_file_becomes_the_primary_and_the_page_says_so(
    client: FlaskClient, see: See
) -> None:
    see("doc@hillvalley.edu", "5554385")

    plan = choose(client, b"email,phone,created at\nemmett@brown.org,5554385,1975-11-05\n")

    assert "1 known customer would get an older contact" in folded(plan)
    assert "is older than customer 1" in folded(confirm(client, plan))
    assert see("doc@hillvalley.edu").emails == ("emmett@brown.org", "doc@hillvalley.edu")


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "The file is empty."),
        (b"PK\x03\x04\x00", "The archive or workbook is damaged"),
        (b'email\n"mcfly@hillvalley.edu\n\n', "never closed"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_beside_the_field(
    client: FlaskClient, content: bytes, sentence: str
) -> None:
    response = choose(client, content)

    assert response.status_code == 400
    assert sentence in response.text
    assert 'aria-invalid="true"' in response.text


def test_no_file_is_said_beside_the_field(client: FlaskClient) -> None:
    response = client.post("/import", data={"csrf_token": token(client)}, headers=PAGE)

    assert response.status_code == 400
    assert "Choose a file." in response.text


def test_a_file_that_is_too_large_is_refused_with_the_command_to_use(client: FlaskClient) -> None:
    content = b"email,note\n" + (b"x," + b"y" * 65_533 + b"\n") * (LARGEST_FILE // 65_536)
    content = content[:LARGEST_FILE]
    exactly = choose(client, content)
    larger = choose(client, content + b"x")
    far_larger = choose(client, content + b"x" * 100_000)

    assert "Plan for shop.csv" in exactly.text
    assert larger.status_code == far_larger.status_code == 413
    assert 'aria-invalid="true"' in larger.text
    for refused in (larger, far_larger):
        assert "A file for this page has at most 8 MB." in refused.text
        assert "flask identity import FILE" in refused.text


def test_other_requests_stay_small(client: FlaskClient) -> None:
    response = client.post("/identify", data=b" " * 300_000, content_type="application/json")

    assert response.status_code == 413


def test_a_file_without_a_token_is_refused(client: FlaskClient) -> None:
    data = {"file": (io.BytesIO(FILE), "shop.csv")}

    response = client.post("/import", data=data, headers=PAGE, follow_redirects=True)

    assert "The page was open for too long. Try again." in response.text
    assert "shop.csv" not in client.get("/import").text


def test_a_file_may_be_called_anything(client: FlaskClient) -> None:
    response = choose(client, FILE, "x\0" + "y" * 500 + ".csv")

    assert "xyyy" in response.text


def test_imports_so_far_are_listed(client: FlaskClient) -> None:
    confirm(client, choose(client))

    page = folded(client.get("/import"))

    assert '<a href="/imports/1">shop.csv</a>' in page
    assert client.get("/imports/2", headers=PAGE).status_code == 404


def test_an_export_is_a_download_and_begins_with_its_header(client: FlaskClient, see: See) -> None:
    see("doc@hillvalley.edu", "5554385")
    see("emmett@brown.org", "5554385")

    response = client.get("/export/customers.csv")

    assert response.headers["Content-Disposition"] == "attachment; filename=customers.csv"
    header, row = response.text.splitlines()
    assert header.startswith("customer_id,email,phone_number,other_emails")
    assert row.startswith("1,doc@hillvalley.edu,5554385,emmett@brown.org,,2,")
    assert client.get("/export/anything.csv").status_code == 404


SHARED = b"email,phone\n" + b"".join(
    b"p%d@hillvalley.edu,0000000000\n" % number for number in range(2000)
)


def form_of(client: FlaskClient, path: str) -> dict[str, list[str]]:
    """Return what the form of a plan would send as it stands."""
    fields: dict[str, list[str]] = {}
    for tag in re.findall(r"<input[^>]+>", client.get(path).text.split("<main")[1]):
        given = dict(re.findall(r'([a-z_-]+)="([^"]*)"', tag))
        if given.get("type") == "hidden" or " checked" in tag:
            fields.setdefault(given["name"], []).append(given["value"])
    return fields


def send(client: FlaskClient, path: str, fields: dict[str, list[str]]) -> str:
    return folded(pages.send(client, path, fields))


def test_what_strangers_share_is_named_and_links_nobody_by_default(client: FlaskClient) -> None:
    plan = folded(choose(client, SHARED))
    sent = form_of(client, "/imports/1")

    assert (
        "0000000000</bdi></strong> is the phone number of 2,000 rows with 2,000 different" in plan
    )
    assert (
        "2,000 customers more</strong> than now. If they linked, there would be 1 customer more."
        in plan
    )
    assert figure(plan, "New customers") == 2000

    result = send(client, "/imports/1", sent)

    assert figure(result, "New customers") == 2000
    assert "0000000000</bdi> links nobody." in result
    assert '<a class="button quiet small" href="/review/rulings/1/undo">' in result
    assert "Undo this import…" in result
    assert verify().clusters == 2000


def test_a_choice_is_shown_with_what_it_leads_to_before_it_is_done(client: FlaskClient) -> None:
    choose(client, SHARED)
    sent = form_of(client, "/imports/1")
    del sent["nobody"]

    again = send(client, "/imports/1", sent)

    assert "Nothing has been imported yet." in again
    assert figure(again, "New customers") == 1
    assert count(Contact) == 0

    result = send(client, "/imports/1", form_of(client, "/imports/1"))

    assert figure(result, "New customers") == 1
    assert verify().clusters == 1
    assert "ruled before" not in result


def test_all_may_be_imported_as_it_is(client: FlaskClient) -> None:
    choose(client, SHARED)

    send(client, "/imports/1", form_of(client, "/imports/1") | {"as_it_is": ["1"]})
    send(client, "/imports/1", form_of(client, "/imports/1"))

    assert verify().clusters == 1


def test_a_merge_says_who_and_why_and_can_be_left_out(client: FlaskClient, see: See) -> None:
    see("doc@hillvalley.edu", "5554385")
    see("marty@hillvalley.edu", "5551985")
    content = b"email,phone\ndoc@hillvalley.edu,5551985\n"
    plan = choose(client, content)
    assert "Line 2 gives <bdi>doc@" in folded(plan)
    (box,) = re.findall(r'id="apart-1" name="apart" value="([^"]+)"', plan.text)
    sent = form_of(client, "/imports/1") | {"apart": [box], "again": ["1"]}

    again = send(client, "/imports/1", sent)
    assert figure(again, "Customers merged into others") == 0
    assert "1 row would be held" in again
    assert "Kept apart: the customer of" in again
    result = send(client, "/imports/1", form_of(client, "/imports/1"))

    assert "1 row was held" in result
    assert "are never the same customer" in result
    assert verify().clusters == 2


def test_an_import_may_be_undone_and_says_so(client: FlaskClient) -> None:
    page = confirm(client, choose(client)).text
    (address,) = re.findall(r'href="(/review/plan/[^"]+)">Undo this import', page)
    preview = client.get(address, headers=PAGE)
    assert "Undo import 1" in preview.text

    applying.rule(ImportWithdrawn(1), Ordered("Doc"))

    page = client.get("/imports/1", headers=PAGE).text
    assert "This import is undone" in page
    assert "Undo this import…" not in page


def test_while_an_import_runs_it_is_not_offered_to_be_undone(client: FlaskClient) -> None:
    confirm(client, choose(client))
    register.note(1, finished_at=None, seen_at=datetime.now(UTC))

    page = client.get("/imports/1", headers=PAGE).text

    assert "cannot be undone yet" in page
    assert "Undo this import…" not in page


def test_the_page_of_a_broken_off_import_tells_nothing_untrue(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "BATCH", 10)
    monkeypatch.setattr(run, "NOTED", 0.0)
    taken = iter(range(3))

    def break_off(rows: int) -> None:
        if next(taken) == 2:
            raise Unavailable("gone")

    watcher = Watcher()
    monkeypatch.setattr(watcher, "read", break_off)
    import_id = register.give("customers.csv", "test")
    with pytest.raises(Unavailable):
        run.carry_out(on(SHARED), watcher, import_id)

    counts = register.get(import_id).counts
    assert (counts["rows"], counts["repeats"], counts["claims"]) == (30, 0, 30)
    page = folded(client.get("/imports/1", headers=PAGE))
    assert figure(page, "Rows gone through, at least") == 30
    assert figure(page, "New customers") == 1


def test_a_source_may_be_named(client: FlaskClient) -> None:
    data = {"csrf_token": token(client), "file": (io.BytesIO(FILE), "a.csv"), "source": "Till 1"}
    plan = pages.send(client, "/import", data)
    confirm(client, plan)
    data = {"csrf_token": token(client), "file": (io.BytesIO(FILE), "a.csv"), "source": "a:b"}
    refused = client.post("/import", data=data, follow_redirects=True, headers=PAGE)

    assert register.get(1).feed == "feed:till-1"
    assert refused.status_code == 400
    assert "A source has 1 to 100 printable characters" in refused.text


@pytest.mark.parametrize("name", ["shown", "undone", "nobody"])
def test_customers_who_are_kept_apart_are_no_value(
    client: FlaskClient, see: See, name: str
) -> None:
    see("doc@hillvalley.edu", "5554385")
    see("marty@hillvalley.edu", "5551985")
    plan = choose(client, b"email,phone\ndoc@hillvalley.edu,5551985\n")
    (box,) = re.findall(r'id="apart-1" name="apart" value="([^"]+)"', plan.text)
    sent = form_of(client, "/imports/1") | {name: [box], "again": ["1"]}

    response = client.post("/imports/1", data=sent, headers=PAGE)

    assert response.status_code == 404
    assert "This address is not complete, or no longer good." in response.text


def test_what_strangers_share_keeps_nobody_apart(client: FlaskClient) -> None:
    choose(client, SHARED)
    sent = form_of(client, "/imports/1")

    response = client.post("/imports/1", data=sent | {"apart": sent["shown"]}, headers=PAGE)

    assert response.status_code == 404
    assert count(Contact) == 0
