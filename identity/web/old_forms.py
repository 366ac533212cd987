"""Forms that were open for too long, or never were ours."""

from collections.abc import Callable

from flask import flash, redirect, request
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import CSRFError

from identity.web import current


def ask_again(_: CSRFError) -> ResponseReturnValue:
    """Let somebody who left a form open too long send it again."""
    answer: Callable[[], ResponseReturnValue]
    answer = getattr(current.view(), "when_too_old", _at_the_same_address)
    return answer()


def lead_to(address: str) -> ResponseReturnValue:
    """Say what was wrong on the page at that address, where the form is."""
    flash("The page was open for too long. Try again.")
    return redirect(address, 303)


def _at_the_same_address() -> ResponseReturnValue:
    # Each form has a page at its own address. That asks who is asking, and this does not.
    return lead_to(request.path)
