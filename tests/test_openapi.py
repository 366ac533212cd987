"""The documentation is true: whatever is sent, the answer is one that it tells of."""

from typing import Any

import pytest
import schemathesis
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from schemathesis import Case, GenerationMode, checks
from schemathesis.core.result import Ok
from schemathesis.schemas import BaseSchema
from schemathesis.specs.openapi import checks as documented

from identity import access
from identity.access import Scope
from identity.identifiers import Kind, Value
from identity.rulings import applying
from identity.rulings.applying import Ordered
from identity.rulings.kinds import LinksNobody
from identity.web.api.erasing_schemas import Conflicting, ErasurePlan
from identity.web.waiting import Waiting
from tests.callers import KEY, bearing
from tests.conftest import See, app_on

TAKE_NOTHING = {"/health", "/ready", "/metrics"}
PATHS = TAKE_NOTHING | {
    "/identify",
    "/identify/batch",
    "/lookup",
    "/clusters/{contact_id}.json",
    "/clusters/{contact_id}/graph.json",
    "/clusters/{contact_id}/access.json",
    "/clusters/{contact_id}/history.json",
    "/changes",
    "/changes/start",
    "/why",
    "/rulings",
    "/rulings/plan",
    "/rulings/{ruling_id}",
    "/rulings/{ruling_id}/withdrawal",
    "/rulings/{ruling_id}/withdrawal/plan",
    "/erasures",
    "/erasures/lift",
    "/erasures/plan",
    "/erasures/{erasure_id}",
}
UNAVAILABLE = 503
PATIENCE = 5
"""How often whoever is told that it is too much just now asks again."""
CHECKS = [
    checks.not_a_server_error,
    documented.status_code_conformance,
    documented.content_type_conformance,
    documented.response_headers_conformance,
    documented.response_schema_conformance,
    documented.ignored_auth,
]


def test_every_json_endpoint_is_documented(client: FlaskClient) -> None:
    told = client.get("/openapi.json").get_json()

    assert told["openapi"] == "3.1.0"
    assert set(told["paths"]) == PATHS


def test_every_operation_has_a_name_of_its_own(client: FlaskClient) -> None:
    told = client.get("/openapi.json").get_json()

    names = [each["operationId"] for path in told["paths"].values() for each in path.values()]
    assert len(set(names)) == len(names)


def test_what_is_answered_with_more_than_a_sentence_is_described(client: FlaskClient) -> None:
    told = client.get("/openapi.json").get_json()

    def shape(path: str, method: str, status: str) -> str:
        answer = told["paths"][path][method]["responses"][status]
        return str(answer["content"]["application/json"]["schema"]["$ref"]).rpartition("/")[2]

    assert shape("/rulings", "post", "201") == "Ruled"
    assert "200" not in told["paths"]["/rulings"]["post"]["responses"]
    assert shape("/rulings", "post", "409") == "Conflicting"
    assert shape("/why", "get", "410") == "Ceased"
    assert shape("/why", "get", "404") == "Problem"
    (before,) = told["paths"]["/rulings"]["get"]["parameters"]
    assert before["schema"]["type"] == "integer"


@pytest.mark.parametrize("backend", ["sqlite"])
def test_what_an_erasure_conflicts_with_is_described(client: FlaskClient, see: See) -> None:
    see("mcfly@hillvalley.edu")
    desk = bearing(access.create_key("desk", {Scope.STEWARD}))
    marty = {"identifiers": [{"email": "mcfly@hillvalley.edu"}], "plan": "0" * 64}

    answer = client.post("/erasures", json=marty, headers=desk)

    assert answer.status_code == 409
    told = Conflicting.model_validate_json(answer.data, extra="forbid")
    assert isinstance(told.plan, ErasurePlan)


def test_a_request_is_described_by_what_validates_it(client: FlaskClient) -> None:
    told = client.get("/openapi.json").get_json()
    schema = told["components"]["schemas"]["IdentifyRequest"]["properties"]["phoneNumber"]

    assert [each["type"] for each in schema["anyOf"]] == ["string", "integer", "null"]


@pytest.mark.parametrize("request_shape", ["IdentifyRequest", "LookupRequest"])
def test_one_of_the_two_is_needed(client: FlaskClient, request_shape: str) -> None:
    told = client.get("/openapi.json").get_json()
    needed = told["components"]["schemas"][request_shape]["anyOf"]

    assert needed == [{"required": ["email"]}, {"required": ["phoneNumber"]}]


@pytest.fixture
def specification(database_url: str, see: See) -> BaseSchema:
    see("mcfly@hillvalley.edu", "123456")
    see("mcfly@hillvalley.edu", "1955")
    many = "1000000/minute"
    app = app_on(database_url, IDENTITY_API_KEY=KEY, RATE_LIMIT_KEY=many, RATE_LIMIT_ADDRESS=many)
    # Nobody waits for a change: there is none to come.
    app.extensions["waiting"] = Waiting(app, at_once=0)
    for text in "123456", "1955":
        # Whatever is asked about the first rulings, there are some.
        what = LinksNobody(Value(Kind.PHONE, f"{text}0"))
        applying.rule(what, Ordered("test"))
    return schemathesis.openapi.from_wsgi("/openapi.json", app)


@pytest.mark.slow
@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
@pytest.mark.parametrize("backend", ["sqlite"])
def test_no_answer_is_undocumented(specification: BaseSchema, mode: GenerationMode) -> None:
    tried = set()
    desk = access.create_key("desk", {Scope.STEWARD})
    for found in specification.get_all_operations():
        assert isinstance(found, Ok)
        operation = found.ok()
        if mode is GenerationMode.NEGATIVE and operation.path in TAKE_NOTHING:
            continue

        @settings(max_examples=60, suppress_health_check=list(HealthCheck))
        @given(operation.as_strategy(generation_mode=mode))
        def answer_as_documented(case: Case[Any]) -> None:
            tried.add(case.operation.path)
            stewards = "rulings", "erasures", "access"
            token = desk if any(w in case.operation.path for w in stewards) else KEY
            headers = bearing(token)
            answer = case.call(headers=headers)
            for _ in range(PATIENCE):
                # On a machine with much to do a second may pass, and then it is told to ask again.
                if answer.status_code != UNAVAILABLE:
                    break
                answer = case.call(headers=headers)
            case.validate_response(answer, headers=headers, checks=CHECKS)

        answer_as_documented()

    assert tried == PATHS - (TAKE_NOTHING if mode is GenerationMode.NEGATIVE else set())
