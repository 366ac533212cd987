"""Files of customers in a browser: choose one, see the plan, confirm it, see what happened.

Between the plan and the confirmation the file is kept in the database, which all workers and
machines share.
"""

import io
from collections.abc import Sequence
from functools import partial

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from identity import auditing, database, events
from identity.auditing import Deed
from identity.caution import running
from identity.caution.choosing import Choices
from identity.errors import InvalidInput
from identity.events import Entry
from identity.importing import register
from identity.importing.files import examine
from identity.importing.rejects import Rejects
from identity.importing.rows import Doubt
from identity.importing.run import Source
from identity.models import EventKind
from identity.rulings import register as rulings
from identity.rulings.kinds import ImportWithdrawn
from identity.web import blueprint, callers, current, paths
from identity.web.domain import region
from identity.web.marks import May, allow, take
from identity.web.pages import import_choices, previews
from identity.web.pages.forms import ImportForm

LARGEST_FILE = 8 * 1024 * 1024
"""In bytes. Some 60,000 rows: what is read, decided and written within a few seconds."""
TOO_LARGE = (
    f"A file for this page has at most {LARGEST_FILE // 1024**2} MB. Import a larger one on the "
    "machine of the service, with: flask identity import FILE"
)
SOURCE, AGAIN = "source", "again"
FIRST = 5
SHOWN = 50
CHANGES = {
    EventKind.CLUSTERS_MERGED: "Customers that became one",
    EventKind.PRIMARY_CHANGED: "Customers with an older primary",
}
"""What an import did to customers that were known, and how the page calls it."""


@blueprint.route("/import", methods=["GET", "POST"])
@allow(May.RULE)
@take(LARGEST_FILE, TOO_LARGE)
def import_page() -> ResponseReturnValue:
    """Show the form and the imports so far; take in a file."""
    form = ImportForm()
    if form.validate_on_submit():
        name, content = form.file.data.filename, form.file.data.read()
        try:
            examine(name, partial(io.BytesIO, content))
        except InvalidInput as problem:
            form.file.errors = [str(problem)]
        try:
            feed = form.source.data and register.feed(form.source.data) and form.source.data
        except InvalidInput as problem:
            form.source.errors = [str(problem)]
        if not form.errors:
            import_id = register.give(name, callers.source("a browser"), content)
            if feed:
                register.note(import_id, choices={SOURCE: feed})
            return redirect(url_for("web.one_import", import_id=import_id), 303)
    status = 400 if form.errors else 200
    page = render_template(
        "import.html",
        form=form,
        imports=register.latest(),
        largest=LARGEST_FILE,
        too_large=TOO_LARGE,
    )
    return page, status


@blueprint.get(paths.IMPORT)
@allow(May.LOOK)
def one_import(import_id: int) -> ResponseReturnValue:
    """Show what an import would bring, or what it brought."""
    listed, content = register.get(import_id), register.content(import_id)
    begun = listed.started_at and not callers.may_use("web.carry_out")
    if listed.finished_at or content is None or begun:
        return _result(listed)
    # What would happen is for those who may let it happen.
    callers.check(May.RULE)
    source = _source(listed, content)
    choices = Choices.from_json(listed.choices)
    many = current.config().many_strangers
    plan = running.rehearse(source, _Watcher(Rejects((), None)), choices, many)
    return render_template(
        "import_plan.html",
        listed=listed,
        undo=previews.address(ImportWithdrawn(import_id)),
        source=source,
        file=source.file,
        first=list(source.first(FIRST)),
        plan=plan,
        tally=plan.tally,
        counts=plan.tally.counts(),
        suspects=import_choices.of_suspects(plan, SHOWN),
        merges=import_choices.of_merges(plan, SHOWN),
        left_out=import_choices.of_left_out(plan),
        shown=SHOWN,
    )


@blueprint.post(paths.IMPORT)
@allow(May.RULE)
def carry_out(import_id: int) -> ResponseReturnValue:
    """Import a file whose plan was confirmed; show the plan again when other choices were made."""
    listed, content = register.get(import_id), register.content(import_id)
    here = redirect(url_for("web.one_import", import_id=import_id), 303)
    if content is None:
        # Confirmed twice; the first time is enough.
        return here
    choices = Choices.from_json(listed.choices)
    chosen = import_choices.sent(choices)
    if chosen != choices or AGAIN in request.form:
        register.note(import_id, choices=(listed.choices or {}) | chosen.as_json())
        flash("This is what your choices lead to. Nothing has been imported yet.")
        return here
    auditing.note(Deed.IMPORTED, callers.name(), import_id)
    source, rejected = _source(listed, content), io.BytesIO()
    many = current.config().many_strangers
    with Rejects(source.file.header, lambda: rejected) as kept:
        running.carry_out(source, _Watcher(kept), import_id, choices, many)
        kept.flush()
        register.note(import_id, rejects=rejected.getvalue() or None)
    flash("The file is imported.")
    return here


def _result(listed: register.Listed) -> str:
    def told(kind: EventKind) -> list[Entry]:
        return database.read(
            lambda connection: events.latest(connection, SHOWN, kind=kind, source=listed.source)
        )

    changes = [(kind, heading, told(kind)) for kind, heading in CHANGES.items()]
    withdrawn = ImportWithdrawn(listed.id)
    return render_template(
        "import_result.html",
        listed=listed,
        changes=changes,
        rejected=register.rejects(listed.id) is not None,
        shown=SHOWN,
        ruled=database.read(lambda connection: rulings.by(connection, listed.source)),
        undone=database.read(lambda connection: rulings.same(connection, withdrawn)),
        undo=previews.address(withdrawn),
    )


def _source(listed: register.Listed, content: bytes) -> Source:
    feed = (listed.choices or {}).get(SOURCE, "")
    return Source(examine(listed.file_name, partial(io.BytesIO, content)), region(), feed)


class _Watcher:
    """Keeps the rejected rows. Nobody can look at a bar meanwhile."""

    def __init__(self, kept: Rejects) -> None:
        self._kept = kept

    def read(self, rows: int) -> None:
        """Say nothing."""

    def doubted(
        self, line: int, doubts: Sequence[Doubt], cells: Sequence[str], *, used: bool
    ) -> None:
        """Keep a row of which something cannot be used."""
        self._kept.add(line, " ".join(map(str, doubts)), cells)
