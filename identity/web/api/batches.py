"""Many calls to identify in one request, each answered as if it had been sent by itself."""

from collections.abc import Mapping
from typing import Any

from flask import Response
from pydantic import ValidationError

from identity.auditing import Deed
from identity.batching.telling import LOOKED, parts
from identity.deciding import Call
from identity.errors import IdentityError, InvalidInput
from identity.reconciliation import Outcome
from identity.web import blueprint, bodies, callers, charging
from identity.web.api import presenters, reading
from identity.web.api.schemas import BATCH, BatchAnswered, BatchRequest
from identity.web.domain import decide_all
from identity.web.errors import STATUS
from identity.web.marks import May, allow, describe, quick, recorded, take
from identity.web.security import csrf

LARGEST = 1024 * 1024
"""In bytes: a thousand calls with long names."""
TOO_LARGE = f"A batch has {BATCH:,} calls and one megabyte at most. Send several."


@blueprint.post("/identify/batch")
@allow(May.IDENTIFY)
@take(LARGEST, TOO_LARGE)
@describe(BatchAnswered, body=BatchRequest, lines=True)
@recorded(Deed.LOOKED_UP)
@quick
def identify_batch() -> Response:
    """Take up to 1,000 calls to identify, one after another, and answer each of them.

    What is told ends as it would if they were sent by themselves in that order, at a tenth of the
    cost. The answers come in the same order, each with the status that it would have had. One with
    status 200 is the customer as it is once all calls of the request are decided; so if a later
    call joins two customers, the earlier calls are answered with the one that they became. A call
    that is wrong, or that cannot be decided now (503), keeps no other from being decided. A call
    whose answer has no room (413: the answers hold 20,000 contacts at most) was decided; send it by
    itself to be answered. The whole request may be sent again: what was told is not told twice.

    It counts as its number of calls, and is refused whole (429) when these are too many. Sent as
    lines, one JSON object a line, it is answered in lines.
    """
    given = reading.batch()
    charging.charge_all(len(given))
    calls: list[Call] = []
    answers: dict[int, Outcome | IdentityError] = {}
    for part in parts(list(enumerate(given)), LOOKED):
        for line, each in part:
            try:
                if isinstance(each, ValidationError):
                    raise reading.wrong(each, "A call")
                calls.append(reading.call(each, line))
            except InvalidInput as problem:
                answers[line] = problem
    answers |= decide_all(calls, "api")
    return _response(answers)


# As with identify: a page of another site cannot send JSON here without asking first.
csrf.exempt(identify_batch)


def _response(answers: Mapping[int, Outcome | IdentityError]) -> Response:
    present = presenters.masked if callers.masked() else presenters.answer

    def shown(answered: Outcome | IdentityError) -> dict[str, Any]:
        if isinstance(answered, Outcome):
            return {"status": 200} | present(answered)
        return {"status": STATUS[type(answered)]} | presenters.problem(answered)

    # A part at a time: encoding one after another takes longer, and all at once holds others up.
    told = parts([answers[line] for line in range(len(answers))], LOOKED)
    if bodies.is_lines():
        lines = (f"{presenters.as_json(shown(each))}\n" for part in told for each in part)
        return Response("".join(lines), mimetype=bodies.LINES)
    texts = (presenters.as_json(list(map(shown, part)))[1:-1] for part in told)
    return Response(f'{{"answers":[{",".join(texts)}]}}\n', mimetype="application/json")
