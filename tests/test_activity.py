"""The activity: by source, kind and day, an import being one line, and never read past one."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Connection, event, insert, update

from identity import activity, database, ledger
from identity.activity import Imported, Mark, Wanted
from identity.database import db
from identity.events import Entry
from identity.models import Event, EventKind, Import
from identity.web.pages import activity as page_of_it
from tests.conftest import See
from tests.pages import folded, text

NOW = datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0)
BROUGHT = {"customers": 20000, "contacts": 312, "merged": 4, "rejected": 0}


def tell(source: str, lines: int = 1, *, at: datetime = NOW, kind: str = "contact_created") -> None:
    with db.engine.begin() as connection:
        line = {"occurred_at": at, "kind": kind, "source": source, "primary_id": 1}
        rows = [line | {"email": "doc@hillvalley.edu"}] * lines
        if rows:
            connection.execute(insert(Event), rows)


def bring(lines: int, *, at: datetime = NOW, name: str = "customers.csv") -> int:
    """Write an import with that many lines, and return its id."""
    with db.engine.begin() as connection:
        values = {
            "file_name": name,
            "given_by": "Marty",
            "given_at": at,
            "started_at": at,
            "finished_at": at,
            "feed": "feed:shop",
            "counts": BROUGHT,
        }
        added = connection.execute(insert(Import).values(values).returning(Import.id))
        import_id = int(added.scalar_one())
    tell(f"import:{import_id}", lines, at=at)
    return import_id


EVERYTHING, BEGINNING = Wanted(), Mark()


def shown(wanted: Wanted = EVERYTHING, after: Mark = BEGINNING, limit: int = 50) -> activity.Page:
    with database.snapshot() as connection:
        return activity.page(connection, wanted, after, limit)


def told(lines: list[activity.Line]) -> list[str]:
    return [line.source for line in lines]


@contextmanager
def reading(app: Flask) -> Iterator[list[str]]:
    """Collect the statements that are sent meanwhile."""
    sent: list[str] = []

    def note(_: Connection, __: object, statement: str, *___: object) -> None:
        sent.append(statement)

    engine = db.engines[database.READING]
    event.listen(engine, "before_cursor_execute", note)
    yield sent
    event.remove(engine, "before_cursor_execute", note)


def test_an_import_is_one_line_between_those_of_others(app: Flask) -> None:
    tell("till", at=NOW - timedelta(minutes=2))
    bring(200, at=NOW - timedelta(minutes=1))
    tell("till")

    assert told(shown().lines) == ["till", "import:1", "till"]


def test_the_line_of_an_import_tells_what_it_brought_and_opens(client: FlaskClient) -> None:
    bring(3)

    response = client.get("/events")

    assert (
        "Import 1 of customers.csv: 20,000 new customers, 312 contacts added, 4 merges."
    ) in text(response)
    assert '<a href="/imports/1">Import 1</a>' in response.text
    assert '<a href="/events?source=import:1">show its lines</a>' in response.text
    assert '<a href="/events?source=feed:shop"><bdi>feed:shop</bdi></a>' in response.text
    assert client.get("/events?source=import:1").text.count('<li class="contact_created"') == 3


def test_an_import_that_goes_on_says_so(client: FlaskClient) -> None:
    bring(1)
    with db.engine.begin() as connection:
        connection.execute(update(Import).values(finished_at=None, counts={}))

    assert "Import 1 of customers.csv: nothing new, and it is not finished." in text(
        client.get("/events")
    )


def test_a_plan_that_nobody_confirmed_is_no_activity(app: Flask) -> None:
    bring(0)
    with db.engine.begin() as connection:
        connection.execute(update(Import).values(started_at=None))

    assert shown().lines == []


def test_every_line_is_on_one_page(app: Flask) -> None:
    for minute in range(6):
        tell("till", 3, at=NOW + timedelta(minutes=2 * minute))
        bring(5, at=NOW + timedelta(minutes=2 * minute + 1))
    # A clock that was set back, and two imports that began in the same moment.
    tell("till", at=NOW - timedelta(days=300))
    bring(1, at=NOW)
    bring(1, at=NOW)

    found, after = [], Mark()
    while True:
        page = shown(after=after, limit=4)
        found += [(type(line), line.id) for line in page.lines]
        if page.after is None:
            break
        after = page.after

    assert len(found) == len(set(found)) == 6 * 3 + 6 + 1 + 2
    assert sum(kind is Imported for kind, _ in found) == 8


def test_activity_is_of_one_source(app: Flask) -> None:
    tell("till", 2)
    tell("web shop")
    bring(3)

    assert told(shown(Wanted(source="till")).lines) == ["till"] * 2
    assert told(shown(Wanted(source="import:1")).lines) == ["import:1"] * 3
    assert all(isinstance(line, Entry) for line in shown(Wanted(source="import:1")).lines)
    # A feed, and whoever gave a file, told what the import brought.
    for source in ("feed:shop", "Marty"):
        (line,) = shown(Wanted(source=source)).lines
        assert isinstance(line, Imported)
    assert shown(Wanted(source="import:")).lines == shown(Wanted(source="")).lines == []


def test_activity_is_of_one_kind(app: Flask) -> None:
    tell("till")
    tell("till", kind="link_seen")
    first, second = bring(3), bring(3, at=NOW + timedelta(minutes=1))
    tell(f"import:{second}", kind="link_seen")

    found = shown(Wanted(kind=EventKind.LINK_SEEN)).lines

    assert told(found) == [f"import:{second}", "till"]
    assert first not in [line.id for line in found if isinstance(line, Imported)]
    within = Wanted(kind=EventKind.LINK_SEEN, source=f"import:{second}")
    assert told(shown(within).lines) == [f"import:{second}"]


def test_activity_is_of_one_day(app: Flask) -> None:
    day = timedelta(days=1)
    for at in (NOW - 2 * day, NOW - day, NOW):
        tell("till", 2, at=at)
        bring(40, at=at)

    found = shown(Wanted(day=(NOW - day).date()))

    assert {activity.moment(line).date() for line in found.lines} == {(NOW - day).date()}
    assert sorted(told(found.lines)) == ["import:2", "till", "till"]
    assert len(shown(Wanted(day=(NOW - day).date(), source="import:2")).lines) == 40
    assert shown(Wanted(day=(NOW + day).date())).lines == []
    assert shown(Wanted(day=(NOW - 9 * day).date())).lines == []


def test_the_first_line_since_a_moment_is_found_where_ids_have_gaps(app: Flask) -> None:
    with database.reading() as connection:
        assert ledger.first_since(connection, NOW) == 0
    times = [NOW + timedelta(seconds=second) for second in (0, 1, 1, 4, 9)]
    ids = [3, 10, 11, 500, 501]
    with db.engine.begin() as connection:
        line = {"kind": "contact_created", "source": "till", "primary_id": 1}
        rows = [line | {"id": id_, "occurred_at": at} for id_, at in zip(ids, times, strict=True)]
        connection.execute(insert(Event), rows)

    with database.reading() as connection:
        for second in range(11):
            moment = NOW + timedelta(seconds=second)
            later = [id_ for id_, at in zip(ids, times, strict=True) if at >= moment]
            found = ledger.first_since(connection, moment)
            # Any id after the last earlier line is as good.
            assert [id_ for id_ in ids if id_ >= found] == later


def test_the_sources_that_can_be_chosen_are_all_but_single_imports(app: Flask) -> None:
    for source in ("till", "Äpfel", "impor", "importer", "zebra"):
        tell(source, 2)
    for _ in range(5):
        bring(3)

    with database.snapshot() as connection:
        found = activity.sources(connection)

    assert set(found) == {"till", "Äpfel", "impor", "importer", "zebra", "feed:shop", "Marty"}


def test_lines_of_imports_cost_no_statements(app: Flask, client: FlaskClient) -> None:
    for path in ("/events", "/events?kind=contact_created", "/events?source=import:1"):
        counts = []
        client.get(path)
        for lines in (1, 300):
            bring(lines)
            with reading(app) as sent:
                client.get(path)
            counts.append(len(sent))
        # Once in five seconds it is asked, besides, whether there is anybody who may.
        assert max(counts) <= 8, path


@pytest.mark.parametrize(
    ("asked", "lines"),
    [
        ({}, 2),
        ({"kind": EventKind.LINK_SEEN}, 0),
        ({"kind": EventKind.CONTACT_CREATED}, 2),
        ({"source": "till"}, 2),
    ],
)
def test_lines_of_imports_are_not_read(
    app: Flask, backend: str, asked: dict[str, str], lines: int
) -> None:
    tell("till")
    bring(2000)
    tell("till")
    statement = ledger.newest(
        (EventKind(asked["kind"]),) if "kind" in asked else tuple(EventKind),
        of_source="source" in asked,
    )
    explain = "EXPLAIN ANALYZE" if backend == "postgresql" else "EXPLAIN QUERY PLAN"
    values = {"limit": 51, "first": 0, "before": 2**62, "told_by": asked.get("source")}

    with db.engine.connect() as connection:
        found = connection.execute(statement, values).all()
        sql = str(
            statement.params(values).compile(
                connection.engine, compile_kwargs={"literal_binds": True}
            )
        )
        plan = str(connection.exec_driver_sql(f"{explain} {sql}").all())

    assert len(found) == lines
    # Neither the whole table nor its key: an index that has these lines together.
    assert "Seq Scan" not in plan
    assert "SCAN event" not in plan
    assert "pk_event" not in plan
    assert "INTEGER PRIMARY KEY" not in plan


def test_days_are_headings(client: FlaskClient) -> None:
    tell("till", at=datetime(1985, 10, 26, 9, 0, tzinfo=UTC))
    tell("till", at=datetime(1985, 10, 27, 9, 0, tzinfo=UTC))

    page = folded(client.get("/events"))

    assert page.index("Sunday, 27 October 1985") < page.index("Saturday, 26 October 1985")
    assert "1985-10-26 09:00" in page


def test_what_is_chosen_stays_chosen(client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page_of_it, "SHOWN", 2)
    tell("import:7", 3)

    asked = f"/events?kind=contact_created&source=import:7&day={NOW.date()}"
    page = client.get(asked).text

    assert '<option value="contact_created" selected>' in page
    assert "<option selected>import:7</option>" in page
    assert f'value="{NOW.date()}"' in page
    older = client.get(f"{asked}&before=2")
    assert older.text.count('<li class="contact_created"') == 1


@pytest.mark.parametrize(
    "query",
    [
        *("day=yesterday", "day=0001-01-01", "day=9999-12-31", "kind=erased", "before=x"),
        *("before=99999999999999999999", "import=x", "import=-1", "import=9999", "source=%00"),
        *("source=" + "x" * 300, "source=%ff", "day=2026-11-21&source=nobody"),
    ],
)
def test_what_makes_no_sense_is_no_error(client: FlaskClient, see: See, query: str) -> None:
    see("doc@hillvalley.edu")

    assert client.get(f"/events?{query}").status_code == 200


def test_nothing_to_show_says_why(client: FlaskClient, see: See) -> None:
    assert "Nothing has happened yet." in text(client.get("/events"))
    see("doc@hillvalley.edu")
    assert "Nothing of this kind has happened by <Doc> on 1985-10-26." in text(
        client.get("/events?source=<Doc>&day=1985-10-26")
    )
    assert "There is nothing older." in text(client.get("/events?before=1"))
