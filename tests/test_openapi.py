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

from tests.callers import KEY, bearing
from tests.conftest import See, app_on

TAKE_NOTHING = {"/health", "/ready", "/metrics"}
PATHS = TAKE_NOTHING | {
    "/identify",
    "/lookup",
    "/clusters/{contact_id}.json",
    "/clusters/{contact_id}/graph.json",
}
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


def test_a_request_is_described_by_what_validates_it(client: FlaskClient) -> None:
    told = client.get("/openapi.json").get_json()
    schema = told["components"]["schemas"]["IdentifyRequest"]["properties"]["phoneNumber"]

    assert [each["type"] for each in schema["anyOf"]] == ["string", "integer", "null"]


@pytest.fixture
def specification(database_url: str, see: See) -> BaseSchema:
    see("mcfly@hillvalley.edu", "123456")
    many = "1000000/minute"
    app = app_on(database_url, IDENTITY_API_KEY=KEY, RATE_LIMIT_KEY=many, RATE_LIMIT_ADDRESS=many)
    return schemathesis.openapi.from_wsgi("/openapi.json", app)


@pytest.mark.slow
@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
@pytest.mark.parametrize("backend", ["sqlite"])
def test_no_answer_is_undocumented(specification: BaseSchema, mode: GenerationMode) -> None:
    tried = set()
    for found in specification.get_all_operations():
        assert isinstance(found, Ok)
        operation = found.ok()
        if mode is GenerationMode.NEGATIVE and operation.path in TAKE_NOTHING:
            continue

        @settings(max_examples=60, suppress_health_check=list(HealthCheck))
        @given(operation.as_strategy(generation_mode=mode))
        def answer_as_documented(case: Case[Any]) -> None:
            tried.add(case.operation.path)
            case.call_and_validate(headers=bearing(KEY), checks=CHECKS)

        answer_as_documented()

    assert tried == PATHS - (TAKE_NOTHING if mode is GenerationMode.NEGATIVE else set())
