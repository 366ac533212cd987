"""How a file is read is chosen, and its plan is made once, kept, confirmed and carried out."""

import io
import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import update
from werkzeug.test import TestResponse

from identity import database
from identity.importing import register, run, uploads
from identity.importing.uploads import EXAMINING, PLANNING
from identity.importing.working import Stopped, Worker
from identity.models import Contact, Import
from identity.verification import verify
from identity.web import errands
from identity.web.pages import import_work
from tests.conftest import See
from tests.pages import PAGES, field, folded, send, text
from tests.tables import count

FILE = b"email,phone\ndoc@hillvalley.edu,5551985\n"
GERMAN = (
    b"Wer;Wo;Apparat;Ab\n"
    b"17;doc@hillvalley.edu;0170 1234567;26.10.2015\n"
    b"18;marty@hillvalley.edu;;27.10.2015\n"
)


def upload(client: FlaskClient, content: bytes = FILE, source: str = "") -> TestResponse:
    given = {"file": (io.BytesIO(content), "shop.csv"), "source": source}
    return send(client, "/import", given | {"csrf_token": token(client)})


def token(client: FlaskClient) -> str:
    return field(client.get("/import"), "csrf_token")


def read(client: FlaskClient, button: str = "plan", **chosen: str) -> TestResponse:
    """Choose as what columns are read, by their places."""
    given = {name.replace("_", "-"): role for name, role in chosen.items()}
    given |= {"csrf_token": token(client), button: "1"}
    return send(client, "/imports/1/reading", given)


def confirm(client: FlaskClient, plan: TestResponse, **more: str) -> TestResponse:
    given = {name: field(plan, name) for name in ("csrf_token", "plan")}
    return send(client, "/imports/1", given | {"choices": "made"} | more)


def test_a_file_whose_columns_nobody_knows_leads_to_where_they_are_chosen(
    client: FlaskClient,
) -> None:
    page = upload(client, b"one,two\nred,12\nblue,13\n")

    assert page.request.path == "/imports/1/reading"
    assert "No column is known to hold emails or phone numbers." in text(page)
    assert "red · blue" in text(page)
    assert client.get("/imports/1").location == "/imports/1/reading"


def test_columns_that_nobody_knows_are_chosen_by_what_they_hold_and_looked_at(
    client: FlaskClient,
) -> None:
    page = upload(client, GERMAN)

    assert page.request.path == "/imports/1/reading"
    assert "No column is known by its name." in text(page)
    assert "Wo looks like" not in text(page)
    assert "2 doc@hillvalley.edu 01701234567 2015-10-26" in text(page)
    assert uploads.get(1).plan is None

    assert "New customers2" in text(read(client))


def test_dates_that_may_be_read_in_two_ways_are_asked_about(client: FlaskClient) -> None:
    page = upload(client, b"email,created at\ndoc@hillvalley.edu,05/11/2015\n")
    assert page.request.path == "/imports/1/reading"
    assert "In created at a date like 03/04/2024 may be in March or in April." in text(page)

    page = read(client, "look", dates="day-first")
    assert "2015-11-05" in text(page)
    assert "in March or in April" not in text(page)


def test_columns_that_are_not_read_and_look_as_if_they_should_be_are_named(
    client: FlaskClient,
) -> None:
    row = b"doc%d@hillvalley.edu,emmett%d@brown.org,555000%d\n"
    rows = b"".join(row % (n, n, n) for n in range(5))

    page = upload(client, b"email,Zweitadresse,phone\n" + rows)

    assert "This column is not read: Zweitadresse looks like emails." in text(page)
    page = read(client, as_0="email", as_1="email")
    assert "This column is not read" not in text(page)
    assert "Contacts added10" in text(page)


def test_of_columns_with_one_name_each_is_chosen_by_itself(client: FlaskClient, see: See) -> None:
    page = upload(client, b"E-mail,wo,wo,\ndoc@hillvalley.edu,red,5551985,emmett@brown.org\n" * 2)
    assert "looks like emails" in text(page)
    for label in ("wo (column 2)", "wo (column 3)", "column 4"):
        assert f"<bdi>{label}</bdi>" in client.get("/imports/1/reading").text

    confirm(client, read(client, as_0="email", as_1="", as_2="phone", as_3="email"))

    doc = see("doc@hillvalley.edu")
    assert doc.emails == ("doc@hillvalley.edu", "emmett@brown.org")
    assert doc.phone_numbers == ("5551985",)
    kept = {"email": ["E-mail", "column 4"], "phone": ["wo (column 3)"]}
    assert (register.get(1).choices or {})["read"] == kept


def test_one_of_two_columns_with_a_name_that_is_known_may_be_left_out(
    client: FlaskClient, see: See
) -> None:
    upload(client, b"email,phone,email\ndoc@hillvalley.edu,5551985,emmett@brown.org\n")

    plan = read(client, as_0="", as_1="phone", as_2="email")

    confirm(client, plan)
    assert (register.get(1).choices or {})["read"] == {"email": ["email (column 3)"]}
    assert see(phone="5551985").emails == ("emmett@brown.org",)


def test_the_first_rows_follow_what_is_chosen(client: FlaskClient) -> None:
    upload(client, GERMAN)

    page = read(client, "look", as_1="email", as_0="reference", as_2="", as_3="")
    assert page.request.path == "/imports/1/reading"
    assert "2 doc@hillvalley.edu – now 17" in text(page)

    page = read(client, "look", as_2="phone", region="DE", as_0="name")
    assert "2 doc@hillvalley.edu +491701234567 now – 17" in text(page)
    assert uploads.get(1).plan is None


def test_what_was_chosen_is_what_is_imported(client: FlaskClient, see: See) -> None:
    upload(client, GERMAN)
    plan = read(client, as_1="email", as_2="phone", region="DE", source="Kasse")

    result = confirm(client, plan)

    assert '<p class="lead">Imported <time' in result.text
    assert register.get(1).feed == "feed:kasse"
    assert see("doc@hillvalley.edu").phone_numbers == ("+491701234567",)


def test_a_column_that_is_recognised_may_be_left_out(client: FlaskClient, see: See) -> None:
    upload(client)

    plan = read(client, as_0="email", as_1="")
    confirm(client, plan)

    assert see("doc@hillvalley.edu").phone_numbers == ()
    assert register.get(1).choices == {
        "source": "",
        "read": {"phone": [""]},
    }


def test_without_any_column_there_is_no_plan(client: FlaskClient) -> None:
    upload(client)

    page = read(client, as_0="", as_1="")

    assert page.request.path == "/imports/1/reading"
    assert "Choose at least one that does." in text(page)


@pytest.mark.parametrize(
    ("chosen", "sentence"),
    [
        ({"as_0": "reference", "as_1": "reference"}, "Only one column can be the reference."),
        ({"as_0": "email", "source": "a:b"}, "A source has 1 to 100 printable characters"),
    ],
)
def test_what_cannot_be_chosen_is_said(
    client: FlaskClient, chosen: dict[str, str], sentence: str
) -> None:
    upload(client)

    page = read(client, **chosen)

    assert page.status_code == 400
    assert sentence in page.text


def test_a_column_may_be_called_anything(client: FlaskClient) -> None:
    page = upload(client, b'"<b>\n\x00",b\xff\x80\nx,y\n'.replace(b"\x00", b"\x01"))

    assert "&lt;b&gt;" in page.text
    assert read(client, as_0="email").status_code == 200


def test_a_plan_is_made_once_and_shown_again_at_each_look(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = text(upload(client))

    def made_again(*_: object) -> None:
        raise AssertionError

    monkeypatch.setattr(run, "rehearse", made_again)
    monkeypatch.setattr("identity.web.pages.import_readings.examine", made_again)

    assert text(client.get("/imports/1", headers=PAGES)) == first
    assert "Its plan is ready." in text(client.get("/import"))


def test_a_plan_says_when_something_was_told_since(client: FlaskClient, see: See) -> None:
    upload(client)
    assert "This is as of" not in client.get("/imports/1", headers=PAGES).text

    see("einstein@hillvalley.edu")
    assert "This is as of" in client.get("/imports/1", headers=PAGES).text

    again = send(client, "/imports/1/plan", {"csrf_token": token(client)})
    assert "This is as of" not in again.text


def test_what_is_told_meanwhile_of_others_does_not_hold_up_an_import(
    client: FlaskClient, see: See
) -> None:
    plan = upload(client)
    see("einstein@hillvalley.edu")

    assert '<p class="lead">Imported <time' in confirm(client, plan).text


def test_a_plan_that_would_be_another_one_by_now_is_shown_and_not_done(
    client: FlaskClient, see: See
) -> None:
    plan = upload(client)
    see("doc@hillvalley.edu")
    see(phone="5551985")

    page = confirm(client, plan)

    assert "Something was told or chosen meanwhile" in text(page)
    assert "1 stays primary" in text(page)
    assert count(Contact) == 2
    assert register.get(1).started_at is None

    assert '<p class="lead">Imported <time' in confirm(client, page).text
    assert verify().clusters == 1


def test_only_the_plan_that_was_seen_is_confirmed(client: FlaskClient) -> None:
    seen = upload(client)
    read(client, as_0="email", as_1="")

    page = confirm(client, seen)

    assert "This is not the plan that you confirmed." in text(page)
    assert count(Contact) == 0


def test_what_is_planned_anew_between_the_click_and_the_work_is_not_done(
    client: FlaskClient,
) -> None:
    upload(client)

    with client.application.app_context():
        import_work.carry_out(1, None, seen="the fingerprint of the plan before")
    errands.of(client.application).wait()

    assert register.get(1).started_at is None
    assert count(Contact) == 0


def work(**values: Any) -> None:
    """Let somebody work on the file, as the table has it."""
    told = {"doing": PLANNING, "by": "somebody", "step": "", "rows": 0, "failed": None}
    seen_at = datetime.now(UTC) - values.pop("ago", timedelta())
    plan = values.pop("plan", None)
    values = {"work": told | {"seen_at": seen_at.isoformat()} | values, "plan": plan}
    with database.transaction() as connection:
        connection.execute(update(Import).values(values))


def test_while_a_plan_is_made_there_is_a_bar(client: FlaskClient) -> None:
    upload(client, FILE * 2)
    work(step="Reading", rows=1)

    page = client.get("/imports/1", headers=PAGES).text

    assert '<progress id="work" max="2" value="1">' in page
    assert '<noscript><meta http-equiv="refresh" content="4"></noscript>' in page
    assert "The first rows" in page
    told = client.get("/imports/1/progress.json").get_json()
    assert told == {"doing": "planning", "step": "Reading", "rows": 1}
    assert "Its plan is being made." in text(client.get("/import"))


def test_a_plan_that_is_being_made_is_not_begun_again(client: FlaskClient) -> None:
    upload(client)
    work()

    send(client, "/imports/1/plan", {"csrf_token": token(client)})

    kept = uploads.get(1).work
    assert kept is not None
    assert kept.by == "somebody"


def test_a_plan_that_is_nobodys_any_more_is_begun_again_by_a_button(client: FlaskClient) -> None:
    upload(client)
    work(ago=timedelta(seconds=16))

    page = client.get("/imports/1", headers=PAGES)
    assert "The plan was broken off: the service was stopped meanwhile." in text(page)
    assert "<progress" not in page.text
    assert client.get("/imports/1/progress.json").get_json() == {"doing": None}

    again = send(client, "/imports/1/plan", {"csrf_token": token(client)})
    assert "New customers" in again.text


def test_an_import_that_was_broken_off_before_it_wrote_anything_says_so(
    client: FlaskClient,
) -> None:
    plan = upload(client)
    work(doing="importing", ago=timedelta(seconds=16), plan=uploads.get(1).plan)

    page = client.get("/imports/1", headers=PAGES)
    assert "The import was broken off: the service was stopped meanwhile." in text(page)
    assert "Nothing was imported." in text(page)

    assert '<p class="lead">Imported <time' in confirm(client, plan).text


def test_while_an_import_runs_everybody_sees_how_far_it_is(client: FlaskClient) -> None:
    plan = upload(client, FILE * 2)
    work(doing="importing", rows=1)

    page = client.get("/imports/1", headers=PAGES)
    assert "Import of shop.csv" in page.text
    assert '<progress id="work" max="2" value="1">' in page.text
    assert confirm(client, plan).text == page.text
    refused = send(client, "/imports/1/throw-away", {"csrf_token": token(client)})
    assert refused.status_code == 409
    refused = read(client, as_0="email")
    assert refused.status_code == 409


def test_other_choices_stop_a_plan_that_is_being_made(client: FlaskClient) -> None:
    upload(client)
    by = uploads.begin(1, PLANNING)
    assert by
    worker = Worker(1, by, PLANNING, threading.Event())
    worker.anew(PLANNING)

    read(client, "look", as_0="email", as_1="")

    with pytest.raises(Stopped):
        worker.anew(PLANNING)
    worker.end(plan={"shown": "of choices that nobody made"})
    assert uploads.get(1).plan is None


def test_what_fails_half_way_is_said_and_can_be_done_again(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("identity.caution.running.rehearse", None)
        page = upload(client)
    assert "The plan was broken off: Something went wrong on our side" in text(page)

    again = send(client, "/imports/1/plan", {"csrf_token": token(client)})
    assert "New customers" in again.text


def test_a_service_that_is_stopped_stops_its_work_where_it_can_be_gone_on_with(
    client: FlaskClient,
) -> None:
    errands.of(client.application).stopping.set()
    page = upload(client)
    errands.of(client.application).stopping.clear()

    assert "The plan was broken off: The service was stopped meanwhile." in text(page)


def test_a_machine_that_lets_nobody_begin_a_task_says_so_and_the_file_is_kept(
    client: FlaskClient,
) -> None:
    size = threading.stack_size(2**46)
    try:
        page = upload(client)
    finally:
        threading.stack_size(size)

    assert page.status_code == 503
    assert "no room for another task" in page.text
    assert "shop.csv" in client.get("/import").text
    errands.of(client.application).wait()


def test_files_that_wait_are_listed_and_can_be_thrown_away(client: FlaskClient) -> None:
    upload(client)
    page = client.get("/import")
    assert "shop.csv" in page.text
    assert "Go on" in page.text

    page = send(client, "/imports/1/throw-away", {"csrf_token": token(client)})

    assert "shop.csv is thrown away." in text(page)
    assert client.get("/imports/1", headers=PAGES).status_code == 404
    assert "Go on" not in page.text


def test_what_was_imported_cannot_be_thrown_away_and_keeps_nothing_of_its_file(
    client: FlaskClient,
) -> None:
    confirm(client, upload(client))

    refused = send(client, "/imports/1/throw-away", {"csrf_token": token(client)})

    assert refused.status_code == 409
    assert register.content(1) is None
    assert uploads.get(1) == (None, None, None)
    assert "Go on" not in client.get("/import").text


def test_what_nobody_came_back_for_is_forgotten_with_all_that_was_known_of_it(
    client: FlaskClient,
) -> None:
    upload(client)
    with database.transaction() as connection:
        connection.execute(update(Import).values(given_at=datetime.now(UTC) - register.KEPT))

    upload(client)

    with database.reading() as connection:
        row = connection.execute(Import.table().select().where(Import.id == 1)).one()
    assert (row.content, row.reading, row.plan, row.work) == (None, None, None, None)
    assert "the file is no longer kept" in folded(client.get("/imports/1", headers=PAGES))


def give(content: bytes = FILE) -> str:
    """Give a file that nobody has looked at, and begin to."""
    register.give("shop.csv", "a browser", content, {})
    by = uploads.begin(1, EXAMINING)
    assert by
    return by


def test_while_a_file_is_looked_at_everybody_sees_so(client: FlaskClient) -> None:
    give()

    assert client.get("/imports/1/progress.json").get_json()["doing"] == "examining"
    assert client.get("/imports/1/reading").location == "/imports/1"
    page = client.get("/imports/1", headers=PAGES)
    assert "How this file is to be read is being found out." in text(page)
    assert '<progress id="work"' in page.text
    assert "It is being read." in text(client.get("/import"))


def test_a_file_that_nobody_looked_at_to_the_end_is_looked_at_again(client: FlaskClient) -> None:
    by = give()
    Worker(1, by, EXAMINING, threading.Event()).fail("It was stopped.")
    assert "The plan was broken off: It was stopped." in text(client.get("/imports/1"))

    again = send(client, "/imports/1/plan", {"csrf_token": token(client)})

    assert "New customers1" in text(again)


def test_what_is_no_table_is_told_where_its_page_is_looked_at(client: FlaskClient) -> None:
    Worker(1, give(), EXAMINING, threading.Event()).refuse("This is a PDF document.")

    page = text(client.get("/imports/1", headers=PAGES))

    assert "This file cannot be read." in page
    assert "This is a PDF document." in page
    assert "Find out" not in page


def test_a_file_that_is_refused_is_not_kept(client: FlaskClient) -> None:
    page = upload(client, b"%PDF-1.7")

    assert page.status_code == 400
    assert "a PDF document" in page.text
    assert uploads.unfinished() == []
