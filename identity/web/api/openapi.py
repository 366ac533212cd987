"""The documentation of the JSON endpoints, made of the shapes that requests are validated by.

A view says with `describe` what it answers; its address, its arguments and who may use it are
taken from the app itself.
"""

import inspect
import re
from collections.abc import Callable
from functools import cache
from typing import Any

from flask import Flask
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema
from werkzeug.routing import Rule

from identity.models import LARGEST_ID
from identity.web import bodies
from identity.web.api.erasing_schemas import Conflicting
from identity.web.api.schemas import Ceased, Problem
from identity.web.marks import Description, May

REF = "#/components/schemas/{model}"
ERRORS = {
    400: "What was sent is wrong; `fields` names what.",
    401: "No key was sent, or one that is not known or was revoked.",
    403: "The key has no scope for this, or the service answers its own machine only.",
    404: "Nobody we know answers to this.",
    409: "It goes against what stands: `plan` or `ruling` says what that is.",
    410: "This contact ceased; `now` are the customers with what it said. Of the feed: what was "
    "asked for is kept no more; `now` is empty.",
    413: "The body is too large.",
    415: "The body is not JSON.",
    429: "Too much was asked for in a short time. `Retry-After` says when to come back.",
    500: "A fault of ours, with an id to quote.",
    503: "The database does not answer, or too many callers want the same customer. Nothing is "
    "half written; send it again.",
}
PROBLEMS: dict[int, type[Problem]] = {409: Conflicting, 410: Ceased}
"""What is answered with these; with all others, no more than a `Problem`."""
TAGS = {May.ANYONE: "Operation", May.METRICS: "Operation", May.STEWARD: "Rulings"}
LINES = {
    bodies.LINES: {
        "schema": {
            "type": "string",
            "description": "What would stand in the list, one JSON object a line.",
        }
    }
}
INTRODUCTION = """
Send what a customer gave, and get back all that is known of them. An answer is a list of
somebody's emails and phone numbers: every call needs a key, sent as `Authorization: Bearer KEY`.
"""


@cache
def specification(app: Flask) -> dict[str, Any]:
    """Return the endpoints of the app as OpenAPI 3.1."""
    views: dict[str, Any] = app.view_functions
    described = [
        (rule, views[rule.endpoint])
        for rule in app.url_map.iter_rules()
        if hasattr(views[rule.endpoint], "description")
    ]
    paths: dict[str, Any] = {}
    for rule, view in described:
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            path = re.sub(r"<(?:[^:>]+:)?(\w+)>", r"{\1}", rule.rule)
            paths.setdefault(path, {})[method.lower()] = _operation(rule, view)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Identity", "version": "1", "description": INTRODUCTION},
        "paths": paths,
        "components": {
            "schemas": _schemas([view.description for _, view in described]),
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}},
        },
    }


def _operation(rule: Rule, view: Callable[..., object]) -> dict[str, Any]:
    described: Description = view.description  # type: ignore[attr-defined]
    may: May = view.may  # type: ignore[attr-defined]
    told = inspect.getdoc(view) or ""
    answers = [{"$ref": REF.format(model=model.__name__)} for model in described.answers]
    answer = {"anyOf": answers} if len(answers) > 1 else answers and answers[0]
    content: dict[str, Any] = (
        {"application/json": {"schema": answer}}
        if answer
        else {"text/plain": {"schema": {"type": "string"}}}
    )
    if described.lines:
        content = content | LINES
    operation: dict[str, Any] = {
        "operationId": view.__name__,
        "tags": [TAGS.get(may, "Customers")],
        "summary": told.splitlines()[0],
        "description": f"{told}\n\nFor {may.value}.",
        "parameters": [*map(_argument, sorted(rule.arguments)), *_parameters(described.query)],
        "responses": {str(described.status): {"description": "The answer.", "content": content}}
        | {str(status): _problem(status) for status in _errors(described, may)},
        "security": [] if may in (May.ANYONE, May.VISITOR) else [{"key": []}],
    }
    if described.body:
        schema = {"$ref": REF.format(model=described.body.__name__)}
        content = {"application/json": {"schema": schema}}
        sent = content | LINES if described.lines else content
        operation["requestBody"] = {"required": True, "content": sent}
    return operation


def _errors(described: Description, may: May) -> list[int]:
    errors = {*described.errors, 400, 500}
    if may is not May.ANYONE:
        # The database is asked who may.
        errors |= {403, 429, 503}
    if may not in (May.ANYONE, May.VISITOR):
        errors |= {401}
    if described.body:
        errors |= {413, 415}
    return sorted(errors)


def _problem(status: int) -> dict[str, Any]:
    schema = {"$ref": REF.format(model=PROBLEMS.get(status, Problem).__name__)}
    problem: dict[str, Any] = {
        "description": ERRORS[status],
        "content": {"application/json": {"schema": schema}},
    }
    if status in (429, 503):
        problem["headers"] = {"Retry-After": {"schema": {"type": "integer"}}}
    return problem


def _argument(name: str) -> dict[str, Any]:
    schema = {"type": "integer", "minimum": 0, "maximum": LARGEST_ID}
    return {"name": name, "in": "path", "required": True, "schema": schema}


def _parameters(query: type[BaseModel] | None) -> list[dict[str, Any]]:
    if query is None:
        return []
    shapes: dict[str, Any] = query.model_json_schema()["properties"]
    # Any may be left out, and none can be null.
    return [
        {"name": name, "in": "query", "schema": shape["anyOf"][0]} for name, shape in shapes.items()
    ]


def _schemas(descriptions: list[Description]) -> dict[str, Any]:
    answers = {model for each in descriptions for model in each.answers}
    answers |= {Problem, *PROBLEMS.values()}
    bodies = {each.body for each in descriptions if each.body}
    _, schema = models_json_schema(
        [(model, "serialization") for model in sorted(answers, key=lambda model: model.__name__)]
        + [(model, "validation") for model in sorted(bodies, key=lambda model: model.__name__)],
        ref_template=REF,
    )
    schemas: dict[str, Any] = schema["$defs"]
    return schemas
