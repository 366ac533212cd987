"""What goes wrong, told to the caller: the status, one sentence, the fields concerned.

A client that asks for HTML gets a page with the sentence, everybody else gets JSON. What
we did not foresee is logged without its message, because messages quote customers' data.
"""

import traceback
from collections.abc import Iterator

from flask import Flask, Response, current_app, g, jsonify, make_response, render_template, request
from werkzeug.exceptions import HTTPException

from identity.errors import (
    ConfigurationError,
    Conflict,
    Contended,
    Forbidden,
    Gone,
    IdentityError,
    InvalidInput,
    LostRace,
    NotFound,
    TooLarge,
    TooManyRequests,
    Unauthenticated,
    Unavailable,
)
from identity.web import current, metrics, reporting
from identity.web.log import Seldom

STATUS: dict[type[IdentityError], int] = {
    InvalidInput: 400,
    Unauthenticated: 401,
    Forbidden: 403,
    NotFound: 404,
    Conflict: 409,
    Gone: 410,
    TooLarge: 413,
    TooManyRequests: 429,
    LostRace: 503,
    Unavailable: 503,
    Contended: 503,
    ConfigurationError: 500,
}
SENTENCES = {
    400: "The request cannot be read.",
    404: "There is nothing at this address.",
    405: "This address does not answer to that method.",
    413: "The request is too large.",
    415: "The body must be JSON, sent with the header Content-Type: application/json.",
}
RETRY_AFTER_SECONDS = 1
_seldom = Seldom()


def answer_every_error(app: Flask) -> None:
    """Answer every error of the app in one shape."""
    app.register_error_handler(IdentityError, _refused)
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(Exception, _unforeseen)


def wants_page() -> bool:
    """Tell whether the client is a browser asking for a page."""
    offered = request.accept_mimetypes.best_match(["application/json", "text/html"])
    return offered == "text/html"


def _refused(error: IdentityError) -> Response:
    fields = error.fields if isinstance(error, InvalidInput) else {}
    more = error.told if isinstance(error, Conflict) else {}
    if isinstance(error, Gone):
        more = {"now": error.now}
    response = _answer(str(error), STATUS[type(error)], fields, **more)
    if isinstance(error, TooManyRequests):
        response.headers["Retry-After"] = str(error.retry_after)
    if isinstance(error, Unauthenticated):
        response.headers["WWW-Authenticate"] = 'Bearer realm="identity"'
    if isinstance(error, Contended):
        metrics.CONFLICTS.inc()
    if response.status_code == 503:
        _seldom.say(str(error), _where(error), current_app.logger.warning)
        response.headers["Retry-After"] = str(RETRY_AFTER_SECONDS)
    return response


def _http(error: HTTPException) -> Response:
    status = error.code or 500
    sentence = SENTENCES.get(status, f"{error.name}.")
    if status == 413:
        sentence = getattr(current.view(), "too_large", sentence)
    response = _answer(sentence, status, {})
    # Allow (405) and the like; the content's own headers are already right.
    for name, value in error.get_headers():
        if not name.lower().startswith("content-"):
            response.headers[name] = value
    return response


def _unforeseen(error: Exception) -> Response:
    current_app.logger.error(
        "request %s to %s failed\n%s", g.request_id, request.endpoint, "".join(_where(error))
    )
    reporting.report(error)
    sentence = f"Something went wrong on our side. Quote {g.request_id} when you report it."
    return _answer(sentence, 500, {}, request_id=g.request_id)


def _where(error: BaseException) -> Iterator[str]:
    """Yield the frames and the names of an error and its causes, and never their messages."""
    chain: list[BaseException] = []
    cause: BaseException | None = error
    # An error raised again may be its own cause, further up.
    while cause is not None and cause not in chain:
        chain.append(cause)
        cause = cause.__cause__ or cause.__context__
    for each in reversed(chain):
        yield from traceback.format_tb(each.__traceback__)
        yield f"{type(each).__module__}.{type(each).__qualname__}\n"


def _answer(sentence: str, status: int, fields: dict[str, str], **more: object) -> Response:
    if wants_page():
        page = render_template("error.html", sentence=sentence, status=status, **more)
        return make_response(page, status)
    return make_response(jsonify(error=sentence, fields=fields, **more), status)
