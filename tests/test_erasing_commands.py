"""Forgetting from the command line and by programs: planned, asked, done, listed."""

import json

from flask import Flask
from flask.testing import FlaskClient

from identity import access
from identity.access import Scope
from tests.callers import bearing
from tests.conftest import See
from tests.standing import live
from tests.terminal import run

MARTY = {"identifiers": [{"email": "MARTY@hillvalley.edu"}]}


def test_it_is_planned_asked_and_done(app: Flask, see: See) -> None:
    see("marty@hillvalley.edu", "5554385")
    see("doc@hillvalley.edu", "5554385")

    planned = run(app, "erase", "marty@hillvalley.edu", "--dry-run")
    assert "On record: 1 identifier, 1 contact, 1 claim, 1 line of the history." in planned.output
    assert "Nothing was changed." in planned.output
    assert len(live()) == 2
    done = run(app, "erase", "--customer", "2", "--yes", "--reason", "Asked for it.")
    assert "Erasure 1 is applied." in done.output

    assert live() == []
    listed = run(app, "erasures")
    assert "Asked for it." in listed.output
    assert "2 contacts" in listed.output
    assert "doc@" not in listed.output


def test_who_is_not_on_record_is_said_to_be_so(app: Flask) -> None:
    planned = run(app, "erase", "matry@hillvalley.edu", "--dry-run")

    assert "On record: nothing. Check the spelling" in planned.output


def test_what_somebody_wrote_about_another_erasure_goes_too(app: Flask, see: See) -> None:
    see("griff@hillvalley.edu")
    see("biff@hillvalley.edu")
    why = "--reason", "Lives with biff@hillvalley.edu."
    run(app, "erase", "griff@hillvalley.edu", "--yes", *why)
    run(app, "erasures", "lift", "griff@hillvalley.edu", *why)

    run(app, "erase", "biff@hillvalley.edu", "--yes")

    told = [json.loads(line) for line in run(app, "erasures", "--json").stdout.splitlines()]
    assert [(each["reason"], each["lifted"] and each["lifted"]["reason"]) for each in told] == [
        (None, None),
        (None, None),
    ]
    assert told[1]["lifted"]


def test_a_plan_is_printed_as_json(app: Flask, see: See) -> None:
    see("marty@hillvalley.edu", "5554385")

    planned = run(app, "erase", "marty@hillvalley.edu", "--dry-run", "--json")

    told = json.loads(planned.stdout)
    assert told["emails"] == ["marty@hillvalley.edu"]
    assert told["phoneNumbers"] == ["5554385"]
    assert told["customers"] == {"before": 1, "after": 0}


def test_identifiers_or_a_customer_and_not_both(app: Flask) -> None:
    assert "Name emails and phone numbers" in run(app, "erase").output
    assert run(app, "erase", "a@b.org", "--customer", "1").exit_code == 2


def test_programs_plan_apply_and_list(client: FlaskClient, see: See) -> None:
    see("marty@hillvalley.edu", "5554385")
    desk = bearing(access.create_key("desk", {Scope.STEWARD}))

    plan = client.post("/erasures/plan", json=MARTY, headers=desk).get_json()
    see("doc@hillvalley.edu", "5554385")
    overtaken = client.post("/erasures", json=MARTY | {"plan": plan["fingerprint"]}, headers=desk)
    assert (overtaken.status_code, len(live())) == (409, 2)
    plan = overtaken.get_json()["plan"]
    done = client.post(
        "/erasures", json=MARTY | {"plan": plan["fingerprint"], "reason": "Asked."}, headers=desk
    )

    assert done.status_code == 201
    erasure = done.get_json()["erasure"]
    assert (erasure["by"], erasure["reason"], erasure["lifted"]) == ("desk", "Asked.", None)
    assert erasure["changes"] == [{"before": [1], "after": [2]}]
    listed = client.get("/erasures", headers=desk).get_json()
    assert listed == {"erasures": [erasure], "more": False}
    assert client.get("/erasures/1", headers=desk).get_json() == {"erasure": erasure}
    assert client.get("/erasures/2", headers=desk).status_code == 404


def test_what_is_wrong_is_named(client: FlaskClient) -> None:
    desk = bearing(access.create_key("desk", {Scope.STEWARD}))

    for body, field in (
        ({}, None),
        ({"customer": "1"}, "customer"),
        ({"customer": 1, "identifiers": []}, "customer"),
        ({"identifiers": []}, "identifiers"),
        ({"identifiers": [{"email": "nobody"}]}, "identifiers"),
        ({"identifiers": ["marty@hillvalley.edu"]}, "identifiers"),
        (MARTY | {"reason": 1}, "reason"),
        (MARTY | {"plan": "x"}, "plan"),
    ):
        answer = client.post("/erasures/plan", json=body, headers=desk)
        assert answer.status_code == 400, body
        assert not field or field in answer.get_json()["fields"], body
