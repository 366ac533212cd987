"""Files of customers in a browser: choose one, and see which wait, and which were imported.

Until it is imported a file is kept in the database, which all workers and machines share.
"""

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from identity.errors import InvalidInput
from identity.importing import register, uploads
from identity.importing.uploads import REFUSED
from identity.web import blueprint, callers, paths
from identity.web.marks import May, allow, take
from identity.web.pages import import_readings, import_work
from identity.web.pages.forms import ImportForm

LARGEST_FILE = 8 * 1024 * 1024
"""In bytes. Some 60,000 rows: what is read, decided and written within a few seconds."""
AROUND = 64 * 1024
"""In bytes: what a form needs around its file."""
MEGABYTES = LARGEST_FILE // 1024**2
TOO_LARGE = (
    f"A file for this page has at most {MEGABYTES} MB. Import a larger one on the "
    "machine of the service, with: flask identity import FILE"
)


@blueprint.route("/import", methods=["GET", "POST"])
@allow(May.RULE)
@take(LARGEST_FILE + AROUND, TOO_LARGE)
def import_page() -> ResponseReturnValue:
    """Show the form, what waits and the imports so far; take in a file."""
    form, status = ImportForm(), 200
    if request.method == "POST":
        import_id, status = _taken(form)
        if import_id is not None:
            return redirect(url_for("web.one_import", import_id=import_id), 303)
    page = render_template(
        "import.html",
        form=form,
        unfinished=uploads.unfinished(),
        imports=register.latest(),
        largest=LARGEST_FILE,
        megabytes=MEGABYTES,
        too_large=TOO_LARGE,
    )
    return page, status


@blueprint.post(f"{paths.IMPORT}/throw-away")
@allow(May.RULE)
def throw_away(import_id: int) -> ResponseReturnValue:
    """Forget a file whose import nobody began."""
    listed = register.get(import_id)
    uploads.throw_away(import_id)
    flash(f"{listed.file_name} is thrown away. Nothing was imported of it.")
    return redirect(url_for("web.import_page"), 303)


def _taken(form: ImportForm) -> tuple[int | None, int]:
    """Take a file in; return its import, or None, with the form saying why, and the status."""
    if not form.validate_on_submit():
        return None, 400
    name, content = form.file.data.filename, form.file.data.read(LARGEST_FILE + 1)
    if len(content) > LARGEST_FILE:
        form.file.errors = [TOO_LARGE]
        return None, 413
    choices = {}
    try:
        if form.source.data and register.feed(form.source.data):
            choices[import_readings.SOURCE] = form.source.data
    except InvalidInput as problem:
        form.source.errors = [str(problem)]
    if form.errors:
        return None, 400
    import_id = register.give(name, callers.source("a browser"), content, choices)
    import_work.plan(import_id)
    work = uploads.get(import_id).work
    if work and work.doing == REFUSED and work.failed:
        uploads.throw_away(import_id)
        form.file.errors = [work.failed]
        return None, 400
    return import_id, 303
