"""Rulings at the door: planned, applied, listed, undone; and what callers see of them."""

import json
import logging
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from pydantic import BaseModel
from werkzeug.test import TestResponse

from identity import access
from identity.access import Scope
from identity.errors import InvalidInput
from identity.importing import register as imports
from identity.models import Claim
from identity.rulings import applying, effects, kinds
from identity.rulings.applying import Ordered
from identity.verification import verify
from identity.web.api import erasing_schemas, ruling_schemas, schemas
from tests.bringing import bring
from tests.callers import bearing, from_outside
from tests.conftest import Make, See
from tests.tables import count, everything

LORRAINE, MARTY, SHARED = "lorraine@hillvalley.edu", "mcfly@hillvalley.edu", "123456"
APART = {"kind": "apart", "one": {"email": LORRAINE}, "other": {"email": MARTY}}
TURNED = {"kind": "apart", "one": {"email": MARTY}, "other": {"email": LORRAINE}}
NOBODY = {"kind": "links_nobody", "value": {"phoneNumber": SHARED}}
CLAIM = {"kind": "withdrawn", "email": MARTY, "phoneNumber": SHARED}
ALWAYS = {"since": "1985-10-26T01:21:00Z", "until": "2285-10-26T01:21:00+02:00"}
CHECKOUT = {"kind": "withdrawn", "source": "checkout"} | ALWAYS
UNKNOWN = {"email": "biff@hillvalley.edu"}

Body = dict[str, Any]


@pytest.fixture
def family(see: See) -> None:
    """Lorraine and Marty, who share a phone number and are taken for one."""
    see(LORRAINE, SHARED, source="checkout")
    see(MARTY, SHARED, source="checkout")


def told(response: TestResponse, shape: type[BaseModel], status: int = 200) -> Any:
    """Return an answer, held to the shape that is documented."""
    assert response.status_code == status, response.text
    shape.model_validate_json(response.data)
    return response.get_json()


def plan(client: FlaskClient, ruling: Body) -> Any:
    return told(client.post("/rulings/plan", json=ruling), ruling_schemas.PlanTold)


def rule(client: FlaskClient, ruling: Body, **more: Any) -> Any:
    return told(client.post("/rulings", json=ruling | more), ruling_schemas.Ruled, 201)


def undo(client: FlaskClient, ruling_id: int, **body: Any) -> Any:
    response = client.post(f"/rulings/{ruling_id}/withdrawal", json=body)
    return told(response, ruling_schemas.Ruled, 201)


def refused(response: TestResponse, status: int) -> Any:
    shapes: dict[int, type[BaseModel]] = {409: erasing_schemas.Conflicting, 410: schemas.Ceased}
    said = told(response, shapes.get(status, schemas.Problem), status)
    assert said["error"].endswith(".")
    return said


def identify(client: FlaskClient, email: str | None, phone: str | None) -> Any:
    response = client.post("/identify", json={"email": email, "phoneNumber": phone})
    return told(response, schemas.Identified)


@pytest.mark.usefixtures("family")
@pytest.mark.parametrize(
    "ruling", [APART, NOBODY, CLAIM, CHECKOUT], ids=["apart", "nobody", "claim", "window"]
)
def test_a_ruling_is_planned_applied_told_and_undone(client: FlaskClient, ruling: Body) -> None:
    before = client.get("/clusters/1.json").get_json()

    planned = plan(client, ruling)
    ruled = rule(client, ruling, plan=planned["fingerprint"], reason=" They are two.\n")

    assert ruled["plan"] == planned
    assert planned["changes"]
    named = {name: ruling[name] for name in ruling.keys() - ALWAYS.keys()}
    assert ruled["ruling"] | named == ruled["ruling"]
    assert ruled["ruling"]["reason"] == "They are two."
    assert ruled["ruling"]["withdrawn"] is None
    address = f"/rulings/{ruled['ruling']['id']}"
    assert client.get(address).get_json() == ruled

    would = told(client.post(f"{address}/withdrawal/plan", json={}), ruling_schemas.PlanTold)
    undone = undo(client, ruled["ruling"]["id"], plan=would["fingerprint"], reason="They are one.")

    assert undone["plan"] == would
    assert undone["ruling"]["withdrawn"]["reason"] == "They are one."
    assert undone["ruling"] == ruled["ruling"] | {"withdrawn": undone["ruling"]["withdrawn"]}
    assert client.get("/clusters/1.json").get_json() == before
    assert verify().problems == []


@pytest.mark.usefixtures("family")
def test_a_plan_tells_who_becomes_whom(client: FlaskClient) -> None:
    planned = plan(client, APART)

    def customer(id_: int | None, emails: list[str], phones: list[str], *others: int) -> Body:
        return {
            "primaryContatctId": id_,
            "primaryContactId": id_,
            "emails": emails,
            "phoneNumbers": phones,
            "secondaryContactIds": list(others),
        }

    assert planned == {
        "fingerprint": planned["fingerprint"],
        "customers": {"before": 1, "after": 2},
        "contacts": {"before": 2, "after": 2},
        "changes": [
            {
                "before": [customer(1, [LORRAINE, MARTY], [SHARED], 2)],
                "after": [customer(1, [LORRAINE], [SHARED]), customer(2, [MARTY], [])],
                "more": 0,
            }
        ],
        "more": 0,
    }


@pytest.mark.usefixtures("family")
def test_planning_writes_nothing(client: FlaskClient) -> None:
    ruled = rule(client, NOBODY)["ruling"]
    before = everything()

    plan(client, APART)
    assert client.post(f"/rulings/{ruled['id']}/withdrawal/plan", json={}).status_code == 200

    assert everything() == before


@pytest.mark.usefixtures("family")
def test_what_is_no_longer_as_planned_is_not_done(client: FlaskClient, see: See) -> None:
    planned = plan(client, APART)
    see(MARTY, "1955", source="checkout")
    before = everything()

    response = client.post("/rulings", json=APART | {"plan": planned["fingerprint"]})

    said = refused(response, 409)
    assert said["plan"] == plan(client, APART)
    assert said["plan"] != planned
    assert everything() == before
    rule(client, APART, plan=said["plan"]["fingerprint"])


@pytest.mark.usefixtures("family")
def test_an_undoing_that_is_no_longer_as_planned_is_not_done(client: FlaskClient, see: See) -> None:
    rule(client, APART)
    planned = client.post("/rulings/1/withdrawal/plan", json={}).get_json()
    see(MARTY, "1955")
    before = everything()

    response = client.post("/rulings/1/withdrawal", json={"plan": planned["fingerprint"]})

    now = client.post("/rulings/1/withdrawal/plan", json={}).get_json()
    assert refused(response, 409)["plan"] == now != planned
    assert everything() == before


@pytest.mark.usefixtures("family")
def test_claims_that_change_no_customer_leave_a_plan_good(client: FlaskClient, see: See) -> None:
    planned = plan(client, APART)

    see(MARTY, SHARED, source="newsletter")

    rule(client, APART, plan=planned["fingerprint"])


@pytest.mark.usefixtures("family")
@pytest.mark.parametrize(("first", "again"), [(APART, APART), (APART, TURNED), (NOBODY, NOBODY)])
def test_the_same_ruling_is_not_made_twice_while_it_stands(
    client: FlaskClient, first: Body, again: Body
) -> None:
    id_ = rule(client, first)["ruling"]["id"]
    before = everything()

    for path in ("/rulings", "/rulings/plan"):
        assert refused(client.post(path, json=again), 409)["ruling"] == id_

    assert everything() == before
    undo(client, id_)
    assert rule(client, again)["ruling"]["id"] > id_


@pytest.mark.usefixtures("family")
def test_a_ruling_is_not_withdrawn_twice(client: FlaskClient) -> None:
    rule(client, APART)
    undo(client, 1)
    before = everything()

    for path in ("/rulings/1/withdrawal", "/rulings/1/withdrawal/plan"):
        assert refused(client.post(path, json={}), 409)["ruling"] == 1

    assert everything() == before


@pytest.mark.usefixtures("family")
@pytest.mark.parametrize(
    "ruling",
    [
        APART | {"one": UNKNOWN},
        APART | {"other": UNKNOWN},
        {"kind": "withdrawn", "import": 7},
        {"kind": "withdrawn", "import": 2**63 - 1},
        CHECKOUT | {"source": "newsletter"},
        CHECKOUT | {"until": "1985-10-26T01:22:00Z"},
        CLAIM | {"source": "newsletter"},
        {"kind": "withdrawn", "email": MARTY},
    ],
    ids=repr,
)
def test_a_ruling_about_nothing_on_record_is_a_404(client: FlaskClient, ruling: Body) -> None:
    before = everything()

    for path in ("/rulings", "/rulings/plan"):
        refused(client.post(path, json=ruling), 404)

    assert everything() == before


@pytest.mark.parametrize("ruling_id", ["1", "0", str(2**63 - 1), str(2**63), "one"])
def test_an_unknown_ruling_is_a_404(client: FlaskClient, ruling_id: str) -> None:
    refused(client.get(f"/rulings/{ruling_id}"), 404)
    for path in ("withdrawal", "withdrawal/plan"):
        refused(client.post(f"/rulings/{ruling_id}/{path}", json={}), 404)


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({}, ["kind"]),
        ({"kind": "together"}, ["kind"]),
        ({"kind": ["apart"]}, ["kind"]),
        ({"kind": "apart"}, ["kind"]),
        ({"kind": "apart", "one": UNKNOWN}, ["kind"]),
        (APART | {"source": "checkout"}, ["kind"]),
        (APART | {"flux": "capacitor"}, ["kind"]),
        (APART | {"other": {"email": LORRAINE.upper()}}, ["other"]),
        (APART | {"one": {}}, ["one"]),
        (APART | {"one": LORRAINE}, ["one"]),
        (APART | {"one": {"email": LORRAINE, "phoneNumber": SHARED}}, ["one"]),
        (APART | {"one": {"email": None}}, ["one"]),
        (APART | {"one": {"phoneNumber": True}}, ["one"]),
        (APART | {"one": {"contact": 1}}, ["one"]),
        (NOBODY | {"value": {"email": "nobody"}}, ["value"]),
        (NOBODY | {"value": None}, ["value"]),
        ({"kind": "withdrawn"}, ["kind"]),
        ({"kind": "withdrawn", "source": "checkout"}, ["kind"]),
        ({"kind": "withdrawn", "import": 1, "source": "checkout"}, ["kind"]),
        ({"kind": "withdrawn", "import": "1"}, ["import"]),
        ({"kind": "withdrawn", "import": True}, ["import"]),
        ({"kind": "withdrawn", "import": 0}, ["import"]),
        ({"kind": "withdrawn", "import": 2**63}, ["import"]),
        ({"kind": "withdrawn", "email": None, "phoneNumber": None}, ["email", "phoneNumber"]),
        (CLAIM | {"source": ""}, ["source"]),
        (CLAIM | {"source": 7}, ["source"]),
        (CHECKOUT | {"source": "check\x00out"}, ["source"]),
        (CHECKOUT | {"since": "yesterday"}, ["since"]),
        (CHECKOUT | {"since": "2026-05-01T09:58:12"}, ["since"]),
        (CHECKOUT | {"until": 1985}, ["until"]),
        (CHECKOUT | {"until": CHECKOUT["since"]}, ["until"]),
        (CHECKOUT | {"since": "0001-01-01T00:00:00+14:00"}, ["since"]),
        (APART | {"reason": 7}, ["reason"]),
        (APART | {"reason": "x" * 1001}, ["reason"]),
        (APART | {"reason": "because\x00"}, ["reason"]),
        (APART | {"reason": "\x1b[2J"}, ["reason"]),
        (APART | {"plan": 7}, ["plan"]),
        (b'{"kind": NaN}', ["kind"]),
        (b'{"kind": "withdrawn", "import": 1e400}', ["import"]),
        (b'{"kind": "withdrawn", "import": ' + b"9" * 4000 + b"}", ["import"]),
        (b'{"kind": "links_nobody", "value": {"phoneNumber": NaN}}', ["value"]),
        (b'{"reason": "\\ud800"}', []),
        (b"", []),
        (b"{", []),
        (b"null", []),
        (b"[]", []),
        (b'"apart"', []),
        (b"\xff\xfe", []),
        (b"[" * 100_000, []),
        (b'{"one":' * 20_000, []),
    ],
    ids=lambda value: repr(value)[:60],
)
@pytest.mark.usefixtures("family")
def test_a_body_that_is_no_ruling_is_a_400_that_names_what_is_wrong(
    client: FlaskClient, body: Body | bytes, fields: list[str]
) -> None:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    before = everything()

    for path in ("/rulings", "/rulings/plan"):
        said = refused(client.post(path, data=data, content_type="application/json"), 400)
        if path == "/rulings":
            assert sorted(said["fields"]) == fields

    assert everything() == before


@pytest.mark.usefixtures("family")
def test_a_plan_is_not_planned(client: FlaskClient) -> None:
    said = refused(client.post("/rulings/plan", json=APART | {"plan": "1.21"}), 400)

    assert list(said["fields"]) == ["plan"]
    assert plan(client, APART | {"reason": "For later."}) == plan(client, APART)


@pytest.mark.usefixtures("family")
@pytest.mark.parametrize(
    "body", [{"kind": "apart"}, {"plan": 7}, {"reason": []}, {"reason": "\x07"}], ids=repr
)
def test_a_withdrawal_says_a_plan_and_a_reason_and_no_more(client: FlaskClient, body: Body) -> None:
    rule(client, APART)
    before = everything()

    for path in ("withdrawal", "withdrawal/plan"):
        refused(client.post(f"/rulings/1/{path}", json=body), 400)

    assert everything() == before


@pytest.mark.usefixtures("family")
def test_what_is_not_json_is_refused(client: FlaskClient) -> None:
    rule(client, APART)
    before = everything()

    for path in ("", "/plan", "/1/withdrawal", "/1/withdrawal/plan"):
        for content_type in ("text/plain", "application/x-www-form-urlencoded"):
            address = f"/rulings{path}"
            refused(client.post(address, data=b"{}", content_type=content_type), 415)
        large = b'{"reason": "' + b"d" * 5_000_000 + b'"}'
        refused(client.post(address, data=large, content_type="application/json"), 413)

    assert everything() == before


@pytest.mark.usefixtures("family")
def test_nothing_to_say_needs_no_body_except_from_a_page_of_another_site(
    client: FlaskClient,
) -> None:
    rule(client, APART)

    for path in ("withdrawal/plan", "withdrawal"):
        other = client.post(f"/rulings/1/{path}", headers={"Origin": "https://evil.example"})
        refused(other, 415)
    assert client.post("/rulings/1/withdrawal/plan").status_code == 200
    assert client.post("/rulings/1/withdrawal").status_code == 201


@pytest.mark.usefixtures("family")
def test_a_reason_may_have_several_lines(client: FlaskClient) -> None:
    assert rule(client, APART, reason="One.\r\nTwo.")["ruling"]["reason"] == "One.\nTwo."
    assert undo(client, 1, reason="  ")["ruling"]["withdrawn"]["reason"] is None


def test_rulings_are_listed_by_the_page(client: FlaskClient) -> None:
    numbers = [f"555000{number:02}" for number in range(52)]
    for number in numbers:
        rule(client, {"kind": "links_nobody", "value": {"phoneNumber": number}})

    first = told(client.get("/rulings"), ruling_schemas.Rulings)
    last = told(client.get("/rulings?before=3"), ruling_schemas.Rulings)

    assert [each["id"] for each in first["rulings"]] == list(range(52, 2, -1))
    assert first["more"] is True
    assert [each["id"] for each in last["rulings"]] == [2, 1]
    assert last["more"] is False
    assert first["rulings"][0]["value"] == {"phoneNumber": numbers[-1]}


@pytest.mark.parametrize("before", ["", "x", "-1", "1.5", str(2**63), "9" * 5000])
def test_before_what_is_no_ruling_is_a_400(client: FlaskClient, before: str) -> None:
    said = refused(client.get(f"/rulings?before={before}"), 400)

    assert list(said["fields"]) == ["before"]


@pytest.mark.parametrize("heard_of", [timedelta(minutes=-1), timedelta(days=1)])
def test_an_import_that_runs_cannot_be_withdrawn(
    app: Flask, client: FlaskClient, heard_of: timedelta
) -> None:
    bring(b"email,phone\nmcfly@hillvalley.edu,123456\n")
    ruling = {"kind": "withdrawn", "import": 1}
    imports.note(1, finished_at=None, seen_at=datetime.now(UTC))

    for path in ("/rulings", "/rulings/plan"):
        said = refused(client.post(path, json=ruling), 409)
        assert said["error"].startswith("Import 1 is running")

    # A broken-off one can be, also when it was heard of by a clock that was ahead.
    imports.note(1, seen_at=datetime.now(UTC) + heard_of)
    assert rule(client, ruling)["plan"]["customers"] == {"before": 1, "after": 0}


def in_parts_of_two(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a ruling work in parts of two claims."""

    def matching(connection: Any, effect: Any, after: int | None = None, most: int = 2) -> Any:
        return effects.matching(connection, effect, after, most)

    monkeypatch.setattr(applying, "AT_ONCE", 2)
    monkeypatch.setattr(applying, "matching", matching)


def break_off(_: int) -> None:
    raise KeyboardInterrupt


def test_a_large_ruling_that_was_broken_off_is_finished_by_saying_it_again(
    client: FlaskClient, see: See, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(5):
        see(f"{number}@hillvalley.edu", f"555{number}", source="checkout")
    in_parts_of_two(monkeypatch)

    with pytest.raises(KeyboardInterrupt):
        applying.rule(kinds.parse(CHECKOUT), Ordered("Doc"), break_off)
    half = told(client.get("/rulings/1"), ruling_schemas.Ruled)
    done = rule(client, CHECKOUT)

    assert half["plan"]["customers"] == {"before": 2, "after": 0}
    assert done["ruling"]["id"] == 1
    assert done["plan"]["customers"] == {"before": 5, "after": 0}
    assert client.get("/rulings/1").get_json() == done
    assert verify().problems == []


def test_a_large_ruling_that_was_broken_off_can_be_taken_back(
    client: FlaskClient, see: See, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(5):
        see(f"{number}@hillvalley.edu", f"555{number}", source="checkout")
    in_parts_of_two(monkeypatch)
    with pytest.raises(KeyboardInterrupt):
        applying.rule(kinds.parse(CHECKOUT), Ordered("Doc"), break_off)

    planned = client.post("/rulings/1/withdrawal/plan").get_json()
    undone = undo(client, 1)

    assert planned["customers"] == undone["plan"]["customers"] == {"before": 0, "after": 2}
    assert client.get("/clusters/1.json").status_code == 200
    refused(client.post("/rulings/1/withdrawal", json={}), 409)
    assert verify().problems == []


def test_who_ruled_is_on_record(make: Make) -> None:
    app = make()
    client = from_outside(app)
    with app.app_context():
        token = access.create_key("Hill Valley desk", {Scope.STEWARD})

    ruled = client.post("/rulings", json=NOBODY, headers=bearing(token)).get_json()

    assert ruled["ruling"]["by"] == "Hill Valley desk"


@pytest.mark.parametrize("scope", [scope for scope in Scope if scope is not Scope.STEWARD])
def test_a_key_without_the_scope_rules_nothing(make: Make, scope: Scope) -> None:
    app = make()
    client = from_outside(app)
    with app.app_context():
        headers = bearing(access.create_key("shop", {scope}))

        refused(client.post("/rulings", json=NOBODY, headers=headers), 403)
        refused(client.get("/rulings", headers=headers), 403)

        assert not everything()["ruling"]


def test_a_steward_reads_no_customer(make: Make) -> None:
    app = make()
    client = from_outside(app)
    with app.app_context():
        headers = bearing(access.create_key("desk", {Scope.STEWARD}))

    for address in ("/lookup?email=a@b.org", "/clusters/1.json", "/why?one=a@b.org&other=1"):
        refused(client.get(address, headers=headers), 403)
    refused(client.post("/identify", json={"email": MARTY}, headers=headers), 403)


@pytest.mark.parametrize("ruling", [APART, NOBODY, CLAIM, CHECKOUT, {"kind": "withdrawn"}])
def test_the_documented_shapes_are_those_that_are_taken(ruling: Body) -> None:
    is_ruling = ruling != {"kind": "withdrawn"}

    documented = ruling_schemas.RulingRequest.model_validate_json(json.dumps(ruling))
    if is_ruling:
        kinds.parse(ruling)
    else:
        # That one of the three must be there, the shape does not say.
        with pytest.raises(InvalidInput):
            kinds.parse(ruling)

    assert documented.root.kind == ruling["kind"]


# What callers of the other endpoints see.


def test_a_call_that_is_kept_apart_is_answered_with_the_customer_of_the_email(
    client: FlaskClient, see: See
) -> None:
    see(LORRAINE, "1955")
    see(MARTY, "1985")
    rule(client, APART)

    for _ in range(2):
        said = identify(client, MARTY, "1955")
        assert said["contact"]["primaryContactId"] == 2
        assert said["contact"]["phoneNumbers"] == ["1985"]
        assert said["keptApartFrom"] == 1

    looked = told(client.get(f"/lookup?email={MARTY}&phoneNumber=1955"), schemas.LookedUp)
    assert looked == said | {"wouldMergeWith": None}
    assert count(Claim) == 3


def test_what_is_held_is_told_of_both_customers(client: FlaskClient, see: See) -> None:
    see(LORRAINE, "1955")
    see(MARTY, "1985")
    rule(client, APART)
    see(MARTY, "1955", source="till")
    see(MARTY, "1955", source="newsletter")

    for contact_id, other in ((1, 2), (2, 1)):
        said = told(client.get(f"/clusters/{contact_id}.json"), schemas.CustomerWithContacts)
        assert said["held"] == [
            {
                "email": MARTY,
                "phoneNumber": "1955",
                "sources": ["till", "newsletter"],
                "keptApartFrom": other,
                "ruling": 1,
            }
        ]


def test_a_value_that_links_nobody_counts_as_absent(client: FlaskClient, see: See) -> None:
    rule(client, NOBODY)

    one = identify(client, LORRAINE, SHARED)
    other = identify(client, MARTY, SHARED)

    assert one["contact"]["phoneNumbers"] == []
    assert one["linksNobody"] == other["linksNobody"] == "phoneNumber"
    assert one["contact"]["primaryContactId"] != other["contact"]["primaryContactId"]
    looked = client.get(f"/lookup?email={MARTY}&phoneNumber={SHARED}")
    assert told(looked, schemas.LookedUp) == other | {"wouldMergeWith": None}


def test_with_nothing_left_a_call_is_a_400_and_a_lookup_a_404(client: FlaskClient) -> None:
    rule(client, NOBODY)
    rule(client, {"kind": "links_nobody", "value": {"email": "test@hillvalley.edu"}})
    before = everything()

    alone = client.post("/identify", json={"phoneNumber": SHARED})
    both = client.post("/identify", json={"phoneNumber": SHARED, "email": "test@hillvalley.edu"})

    assert list(refused(alone, 400)["fields"]) == ["phoneNumber"]
    assert list(refused(both, 400)["fields"]) == ["email", "phoneNumber"]
    refused(client.get(f"/lookup?phoneNumber={SHARED}"), 404)
    assert everything() == before


def test_masked_answers_tell_the_same(make: Make, see: See) -> None:
    see(LORRAINE, "1955")
    see(MARTY, "1985")
    app = make()
    local, outside = app.test_client(), from_outside(app)
    rule(local, APART)
    rule(local, NOBODY)
    with app.app_context():
        headers = bearing(access.create_key("partner", {Scope.RESOLVE}))

    def resolve(email: str, phone: str) -> Any:
        body = {"email": email, "phoneNumber": phone}
        return told(outside.post("/identify", json=body, headers=headers), schemas.Resolved)

    assert resolve(MARTY, "1955")["keptApartFrom"] == 1
    assert resolve(MARTY, SHARED)["linksNobody"] == "phoneNumber"
    assert resolve(MARTY, "1985").keys() == {"contact"}


def test_a_contact_that_ceased_is_gone_and_says_who_has_what_it_said(
    client: FlaskClient, see: See
) -> None:
    see(LORRAINE, SHARED, source="checkout")
    see(MARTY, "1985", source="checkout")
    see(MARTY, SHARED, source="till")
    see("biff@hillvalley.edu", source="till")
    rule(client, {"kind": "withdrawn", "source": "till"} | ALWAYS)
    see("biff@hillvalley.edu", "717171", source="checkout")
    see("tannen@hillvalley.edu", source="checkout")
    tannen = rule(client, {"kind": "withdrawn", "email": "tannen@hillvalley.edu"})["ruling"]

    for suffix in (".json", "/graph.json", ""):
        assert refused(client.get(f"/clusters/3{suffix}"), 410)["now"] == [4]
    assert refused(client.get("/clusters/5.json"), 410)["now"] == []
    page = client.get("/clusters/3", headers={"Accept": "text/html"})
    assert page.status_code == 410
    assert '<a href="/clusters/4">customer 4</a>' in page.text
    page = client.get("/clusters/5", headers={"Accept": "text/html"})
    assert "Nobody has what it said." in page.text
    undo(client, tannen["id"])
    assert client.get("/clusters/5.json").status_code == 200


# What a source calls a customer.


@pytest.mark.parametrize("reference", ["R-88", 88, "", None])
def test_references_and_names_are_shown_on_the_customer_and_never_answered(
    client: FlaskClient, reference: object, caplog: pytest.LogCaptureFixture
) -> None:
    body = {"email": MARTY, "reference": reference, "name": "  Calvin Klein "}

    with caplog.at_level(logging.DEBUG):
        response = client.post("/identify", json=body)

    assert told(response, schemas.Identified).keys() == {"contact"}
    assert "Calvin" not in response.text + caplog.text
    assert "R-88" not in response.text + caplog.text
    shown = told(client.get("/clusters/1.json"), schemas.CustomerWithContacts)["references"]
    assert shown == [
        {"source": "api", "reference": str(reference or "") or None, "name": "Calvin Klein"}
    ]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("reference", True),
        ("reference", 1.5),
        ("reference", ["R-88"]),
        ("reference", "x" * 201),
        ("reference", "R\x0088"),
        ("name", 88),
        ("name", {"first": "Marty"}),
        ("name", "x" * 201),
        ("name", "Mar\x00ty"),
    ],
)
def test_a_wrong_reference_or_name_is_a_400_that_names_it(
    client: FlaskClient, field: str, value: object
) -> None:
    before = everything()

    response = client.post("/identify", json={"email": MARTY, field: value})

    assert list(refused(response, 400)["fields"]) == [field]
    assert everything() == before
