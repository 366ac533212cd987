"""All that is on record about one customer, on a page to print for the person who asks."""

from typing import Any

from flask import render_template, url_for
from flask.typing import ResponseReturnValue
from markupsafe import Markup

from identity import database, disclosing
from identity.auditing import Deed
from identity.clusters import Member
from identity.disclosing import Item, Look
from identity.web import blueprint, current, domain, paths
from identity.web.api import records
from identity.web.marks import May, allow, recorded
from identity.web.pages.audit import WORDS
from identity.web.pages.finding_titles import title

SHOWN = 500
"""Of each kind of thing on the page. Nobody is that large but a mistake; the file has all."""
SECTIONS: dict[type[Item], str] = {Member: "contacts"} | records.SECTIONS


@blueprint.get(f"{paths.CLUSTER}/access")
@allow(May.RULE)
@recorded(Deed.ACCESS_GIVEN)
def access_page(contact_id: int) -> ResponseReturnValue:
    """Show all that is on record about a customer: what, from where, and who was told."""
    primary_id = domain.head_of(contact_id)[0].id
    found: dict[str, list[Any]] = {section: [] for section in SECTIONS.values()}
    counts = dict.fromkeys(found, 0)
    with database.lookups() as connection:
        for item in disclosing.everything(connection, primary_id):
            section = SECTIONS[type(item)]
            counts[section] += 1
            # The rest is counted, and not kept: a page of twenty thousand is read by nobody.
            if len(found[section]) < SHOWN:
                found[section].append(item)
    return render_template(
        "access.html",
        primary_id=primary_id,
        found=found,
        counts=counts,
        shown=SHOWN,
        not_known=records.NOT_KNOWN,
        retained=current.config().retain_history,
        looked=_looked,
        finding=title,
    )


def _looked(look: Look) -> Markup | str:
    """Return what somebody did, in words."""
    words = WORDS[look.what]
    if look.what is Deed.REJECTS_TAKEN and look.about:
        address = url_for("web.one_import", import_id=int(look.about))
        return Markup('{} of <a href="{}">import {}</a>').format(words, address, look.about)
    if look.what is Deed.EXPORTED and look.about:
        return f"{words} all {look.about}"
    return words
