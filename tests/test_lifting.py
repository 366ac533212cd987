"""Somebody comes back on their own wish; and erasures in a file, for after a restore."""

import io
import json
from functools import partial

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from identity import database
from identity.copying import making, restoring
from identity.copying.reading import begin
from identity.errors import Conflict, InvalidInput, NotFound, Unavailable
from identity.forgetting import filing, hashes, lifting
from identity.identifiers import Identifiers
from identity.models import Audit, Erased, Erasure
from identity.reconciliation import identify
from identity.rulings import applying
from identity.rulings.applying import Ordered
from identity.rulings.kinds import Apart, LinksNobody
from identity.verification import verify
from tests.conftest import ERASURE_KEY, Make, See
from tests.erasing import nobody_erased, remember, values
from tests.tables import empty

DOC = "doc@hillvalley.edu"


def kept() -> int:
    with database.reading() as connection:
        return len(connection.execute(select(Erased.digest)).all())


@pytest.mark.usefixtures("app")
def test_who_was_lifted_is_taken_in_again(see: See) -> None:
    remember(DOC, "555-4385")
    with pytest.raises(InvalidInput):
        identify(Identifiers(DOC, None), source="test")

    assert lifting.lift(values(DOC), "marty", "He asked for it.") == [1]

    assert see(DOC).emails == (DOC,)
    with pytest.raises(InvalidInput):
        identify(Identifiers(None, "5554385"), source="test")
    with database.reading() as connection:
        chosen = select(Erasure.lifted_by, Erasure.lifted_reason)
        assert tuple(connection.execute(chosen).one()) == ("marty", "He asked for it.")
        told = connection.execute(select(Audit.what, Audit.who, Audit.about)).all()
    assert [tuple(each) for each in told] == [("erasure_lifted", "marty", "1")]


@pytest.mark.usefixtures("app")
def test_all_that_was_erased_together_is_lifted_when_that_is_asked_for() -> None:
    remember(DOC, "555-4385")
    remember("marty@hillvalley.edu")

    lifting.lift(values(DOC), "marty", None, together=True)

    assert kept() == 1


@pytest.mark.usefixtures("app")
def test_nothing_is_lifted_that_was_not_erased() -> None:
    with pytest.raises(NotFound):
        lifting.lift(values(DOC), "marty", None)


@pytest.mark.usefixtures("app")
def test_a_file_of_erasures_holds_no_values_and_brings_the_hashes_back() -> None:
    remember(DOC, "555-4385")
    content = filing.export()
    assert DOC.encode() not in content
    assert b"5554385" not in content
    nobody_erased()

    assert filing.take_over(filing.read(content)) == 1

    with database.reading() as connection:
        assert set(hashes.remembered(connection, values(DOC, "555-4385"))) == set(
            values(DOC, "555-4385")
        )
    assert filing.take_over(filing.read(content)) == 0


@pytest.mark.usefixtures("app")
def test_who_came_back_after_the_backup_is_back_after_the_restore() -> None:
    remember(DOC)
    before = filing.export()
    lifting.lift(values(DOC), "marty", None)
    after = filing.export()
    filing.take_over(filing.read(before))
    assert kept() == 0
    nobody_erased()
    filing.take_over(filing.read(before))
    assert kept() == 1

    assert filing.take_over(filing.read(after)) == 1

    assert kept() == 0


@pytest.mark.parametrize("content", [b"", b"{}", b'{"identity":"erasures"}'])
def test_another_file_is_refused(content: bytes) -> None:
    with pytest.raises(InvalidInput):
        filing.read(content)


def test_a_file_whose_key_is_missing_is_refused(make: Make) -> None:
    with make().app_context():
        remember(DOC)
        content = filing.export()
        nobody_erased()
    other = make(ERASURE_KEY=ERASURE_KEY + "x")

    with other.app_context(), pytest.raises(Unavailable):
        filing.take_over(filing.read(content))


@pytest.mark.usefixtures("app")
def test_a_copy_of_all_evidence_does_not_bring_them_back(see: See) -> None:
    see(DOC, "555-4385")
    see("marty@hillvalley.edu", "555-4385")
    see("biff@hillvalley.edu", "717171")
    biff, number, doc = values("biff@hillvalley.edu", "5554385", DOC)
    applying.rule(Apart(biff, number), Ordered("test"))
    applying.rule(Apart(biff, doc), Ordered("test"))
    content = b"".join(making.parts())
    assert DOC.encode() in content
    empty()
    remember(DOC)

    left_out = restoring.restore(begin(partial(io.BytesIO, content)), lambda _: None)

    assert left_out == 1
    assert verify().problems == []
    again = b"".join(making.parts())
    assert DOC.encode() not in again
    assert b"marty@hillvalley.edu" in again
    assert json.loads(again.splitlines()[0])["counts"]["rulings"] == 1


@pytest.mark.usefixtures("app")
def test_nothing_is_ruled_about_what_was_erased() -> None:
    remember(DOC)

    with pytest.raises(Conflict, match="erased"):
        applying.rule(LinksNobody(values(DOC)[0]), Ordered("test"))


def test_who_lacks_a_key_is_not_ready(make: Make, client: FlaskClient) -> None:
    assert client.get("/ready").status_code == 200
    remember(DOC)
    assert client.get("/ready").status_code == 200

    answer = make(ERASURE_KEY=ERASURE_KEY + "x").test_client().get("/ready")

    assert answer.status_code == 503
    assert "ERASURE_KEY" in (answer.json or {})["error"]
