"""Importing and exporting in a browser's terms: choose, see the plan, confirm, see the result."""

import io
import re

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from identity.models import Contact
from identity.verification import verify
from identity.web.import_pages import LARGEST_FILE
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
    return client.post("/import", data=data, follow_redirects=True, headers=PAGE)


def confirm(client: FlaskClient, plan: TestResponse) -> TestResponse:
    path = plan.request.path
    data = {"csrf_token": token(client)}
    return client.post(path, data=data, follow_redirects=True, headers=PAGE)


def figure(page: str, label: str) -> int:
    (number,) = re.findall(rf"<dt>{label}</dt><dd>([\d,]+)</dd>", page)
    return int(number)


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
    assert "Email: email must be an address" in page
    assert count(Contact) == 2


def test_confirming_does_what_the_plan_said(client: FlaskClient, see: See) -> None:
    see("mcfly@hillvalley.edu")
    see(phone="717171")

    page = folded(confirm(client, choose(client)))

    assert "The file is imported." in page
    assert figure(page, "Customers merged into others") == 1
    assert "import:1" in page
    assert "became part of" in page
    assert count(Contact) == 3
    assert verify().problems == []
    assert see("mcfly@hillvalley.edu").phone_numbers == ("717171",)


def test_rejected_rows_can_be_downloaded(client: FlaskClient) -> None:
    confirm(client, choose(client))

    rejects = client.get("/imports/1/rejects.csv")

    assert rejects.text.splitlines() == [
        "rejected_line,rejected_because,Email,Phone,Created at",
        "4,Email: email must be an address like name@example.com.,nobody,,",
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

    plan = choose(client, b"email,phone,created at\nemmett@brown.org,5554385,1955-11-05\n")

    assert "1 known customer would get an older contact" in folded(plan)
    assert "is older than customer 1" in folded(confirm(client, plan))
    assert see("doc@hillvalley.edu").emails == ("emmett@brown.org", "doc@hillvalley.edu")


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "The file is empty."),
        (b"name,age\nDoc,65\n", "No column with emails or phone numbers"),
        (b"PK\x03\x04\x00", "This is not a CSV file."),
        (b'email\n"mcfly@hillvalley.edu\n', "never closed"),
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
    kind = "multipart/form-data; boundary=b"
    response = client.post(
        "/import", data=b"x" * (LARGEST_FILE + 1), content_type=kind, headers=PAGE
    )

    assert response.status_code == 413
    assert "flask identity import FILE" in response.text


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
