"""Bodies of requests: how large they may be, and reading them whole."""

from flask import abort, request
from pydantic import ValidationError
from werkzeug.exceptions import HTTPException

from identity import database
from identity.errors import InvalidInput
from identity.web import current

LINES = "application/x-ndjson"
LARGEST = 256 * 1024
"""In bytes. The largest honest request is under one kilobyte, but for files."""


def allow_larger() -> None:
    """Let the body be as large as its view takes. Called before anything reads it."""
    largest: int | None = getattr(current.view(), "largest", None)
    if largest is not None:
        request.max_content_length = largest


def read_json() -> bytes:
    """Return the body, which says that it is JSON."""
    if not request.is_json:
        abort(415)
    return _whole()


def is_lines() -> bool:
    """Tell whether the body says that each of its lines is JSON."""
    return request.mimetype == LINES


def read_lines() -> list[bytes]:
    """Return the lines of a body that says so, without those that are blank."""
    return [line for line in _whole().splitlines() if line.strip()]


def _whole() -> bytes:
    data = _read()
    if request.content_length is None and len(data) == request.max_content_length:
        # A body sent in chunks is cut off at the limit, without a word.
        abort(413)
    return data


def wrong_fields(error: ValidationError, what: str = "The body") -> set[str]:
    """Return the fields of a body that are not as they must be; raise when it is no JSON at all."""
    problems = error.errors(include_url=False, include_input=False)
    if problems[0]["type"] == "json_invalid":
        # Says what and where, and quotes nothing of the body.
        raise InvalidInput(f"{what} is not valid JSON: {problems[0]['ctx']['error']}.")
    return {str(problem["loc"][0]) for problem in problems if problem["loc"]}


def _read() -> bytes:
    try:
        data = request.get_data(cache=False)
        # A client may take its time to send it, which is not the database's.
        database.anew()
        return data
    except HTTPException:
        raise
    except Exception:
        # Each server has errors of its own for a body that breaks off or is badly framed.
        raise InvalidInput("The body cannot be read.") from None
