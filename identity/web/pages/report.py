"""What duplicates cost: a page to print for the owner of a shop, and the customers behind it.

It shows what was counted last. Counting anew is an errand: with a million contacts it takes longer
than a request may.
"""

import io
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import Any, NamedTuple

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from identity import auditing, browsing, database
from identity.auditing import Deed
from identity.browsing import Summary
from identity.duplicates import figures, kept, making, spending, words
from identity.duplicates.kept import Kind
from identity.duplicates.orders import OrderReader
from identity.errors import IdentityError, InvalidInput, NotFound, Unavailable
from identity.importing.files import CustomerFile, examine
from identity.importing.opening.room import LITTLE
from identity.searching import members
from identity.web import blueprint, callers, errands, query
from identity.web.domain import region
from identity.web.errands import Errands
from identity.web.marks import May, allow, recorded, take
from identity.web.pages.forms import OrdersForm
from identity.web.pages.import_pages import AROUND, LARGEST_FILE, MEGABYTES

PAGE = 25
TOO_LARGE = (
    f"Files for this page have at most {MEGABYTES} MB together. Count larger ones on the machine "
    "of the service, with: flask identity report --orders FILE"
)
Count = Callable[[], dict[str, Any]]


@blueprint.get("/report")
@allow(May.RULE)
@recorded(Deed.REPORT_OPENED)
def report() -> ResponseReturnValue:
    """Show what was counted last."""
    return _page(OrdersForm(formdata=None))


@blueprint.post("/report")
@allow(May.RULE)
@recorded(Deed.REPORT_MADE)
def count_customers() -> ResponseReturnValue:
    """Count what is on record."""
    _begin(Kind.CUSTOMERS, figures.count)
    return redirect(url_for("web.report"), 303)


@blueprint.post("/report/orders")
@allow(May.RULE)
@take(LARGEST_FILE + AROUND, TOO_LARGE)
def count_orders() -> ResponseReturnValue:
    """Read orders, and count what is on record."""
    form, files = OrdersForm(), list[CustomerFile]()
    if not form.validate_on_submit():
        return _page(form), 400
    try:
        files = [_examined(each.filename, each.read()) for each in form.files.data]
    except InvalidInput as problem:
        form.files.errors = [str(problem)]
        return _page(form), 400
    auditing.note(Deed.REPORT_MADE, callers.name(), "orders")
    _begin(Kind.CUSTOMERS, figures.count)
    _begin(Kind.ORDERS, partial(spending.add_up, files, region(), lambda _: None))
    return redirect(url_for("web.report"), 303)


@blueprint.get("/report/customers")
@allow(May.RULE)
@recorded(Deed.REPORT_OPENED)
def report_customers() -> ResponseReturnValue:
    """List the customers behind a figure."""
    of, after = request.args.getlist("of"), max(0, query.whole_number("after") or 0)
    contents = [each.content for each in kept.get().values() if each.content]
    ids = next(filter(None, (figures.behind(content, *of) for content in contents)), None)
    if ids is None:
        raise NotFound("There is no such figure, or it was counted anew. Look at the report.")
    listed = ids[after : after + PAGE]
    now = _now(listed)
    return render_template(
        "report_customers.html",
        title=words.title(of),
        many=len(ids),
        gone=len(listed) - len(now.heads),
        merged=len(now.heads) - len(now.shown),
        customers=now.shown.values(),
        names=now.names,
        of=of,
        after=after,
        next=after + PAGE if after + PAGE < len(ids) else None,
    )


def _page(form: OrdersForm) -> str:
    found = kept.get()
    customers, orders = found[Kind.CUSTOMERS], found[Kind.ORDERS]
    currencies = orders.content["currencies"] if orders.content else ()
    best = [each["customer"] for told in currencies for each in told["best"] if each["customer"]]
    return render_template(
        "report.html",
        customers=customers,
        orders=orders,
        goes_on=any(each.work and each.work.goes_on for each in found.values()),
        now=_now(best),
        words=words,
        form=form,
        largest=LARGEST_FILE,
        megabytes=MEGABYTES,
        too_large=TOO_LARGE,
        definitions=words.definitions(orders=bool(orders.content)),
    )


class _Now(NamedTuple):
    """Who the customers of a report are by now."""

    heads: Mapping[int, int]
    """The customer of each; whoever is gone is left out."""
    shown: Mapping[int, Summary]
    names: Mapping[int, Sequence[str]]


def _now(ids: Sequence[int]) -> _Now:
    with database.lookups() as connection:
        heads = kept.heads(connection, ids)
        wanted = list(dict.fromkeys(heads[id_] for id_ in ids if id_ in heads))
        found = {each.primary_id: each for each in browsing.summaries(connection, wanted)}
        small = [id_ for id_, each in found.items() if each.contacts <= members.LARGE]
        return _Now(heads, found, members.names(connection, small))


def _examined(name: str, content: bytes) -> CustomerFile:
    try:
        file = examine(name, partial(io.BytesIO, content), room=LITTLE)
    except InvalidInput as problem:
        # There may be several.
        raise InvalidInput(f"{name}: {problem}") from None
    # Whether it is a file of orders is said at once, too.
    OrderReader(file)
    return file


def _begin(kind: Kind, count: Count) -> None:
    """Begin to count, unless somebody is at it."""
    by = kept.begin(kind)
    if by is None:
        flash(making.UNDER_WAY, "attention")
        return
    name, who = by, callers.source("a browser")

    def run(others: Errands) -> None:
        def check() -> None:
            if others.stopping.is_set():
                raise Unavailable("The service was stopped meanwhile.")

        def in_turn() -> dict[str, Any]:
            with others.room(check):
                return count()

        # Whoever looks is told why it failed.
        with suppress(IdentityError):
            making.carry_out(kind, name, who, in_turn)

    errands.of().run(run)
