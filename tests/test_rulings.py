"""Rulings, at the domain: any history ends as the function says, and is undone exactly."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    multiple,
    precondition,
    rule,
    run_state_machine_as_test,
)

from identity import clusters, database
from identity.database import db
from identity.errors import Conflict, InvalidInput, NotFound
from identity.identifiers import Identifiers, Kind, Value
from identity.reconciliation import identify, look_up
from identity.rulings import applying
from identity.rulings.applying import Ordered
from identity.rulings.kinds import (
    Apart,
    ClaimWithdrawn,
    ImportWithdrawn,
    LinksNobody,
    SourceWithdrawn,
)
from identity.verification import verify
from tests.bringing import as_file, bring
from tests.examples import many
from tests.feeding import Copy, customers
from tests.standing import claims, live, tables
from tests.tables import empty

EMAILS = [f"{name}@hillvalley.edu" for name in "abcd"]
PHONES = [f"55{number}" for number in range(4)]
VALUES = [Value(Kind.EMAIL, each) for each in EMAILS] + [Value(Kind.PHONE, each) for each in PHONES]
SOURCES = ["checkout", "till"]
CONTENTS = st.one_of(
    st.tuples(st.sampled_from(EMAILS), st.sampled_from(PHONES)),
    st.tuples(st.sampled_from(EMAILS), st.none()),
    st.tuples(st.none(), st.sampled_from(PHONES)),
)
DATES = st.sampled_from(["", *(f"20{year}-01-01T00:00:00+00:00" for year in (10, 12, 14))])
ROWS = st.lists(st.tuples(CONTENTS, DATES), min_size=1, max_size=4)


@dataclass
class Oracle:
    """The function of the design, by its letter and the simplest means."""

    nobody: set[Value]
    apart: list[tuple[Value, Value]]
    contacts: list[dict[str, Any]] = field(default_factory=list)
    clusters: list[set[Value]] = field(default_factory=list)

    def tell(self, email: str | None, phone: str | None, dated: datetime) -> None:
        given = [v for v in Identifiers(email, phone).values() if v not in self.nobody]
        if len(given) == 2 and self._conflict(*given):
            for value in given:
                self._take([value], dated)
        elif given:
            self._take(given, dated)

    def _of(self, value: Value) -> set[Value]:
        return next((each for each in self.clusters if value in each), {value})

    def _conflict(self, one: Value, other: Value) -> bool:
        here, there = self._of(one), self._of(other)
        if here == there:
            return False
        return any((a in here and b in there) or (b in here and a in there) for a, b in self.apart)

    def _take(self, given: list[Value], dated: datetime) -> None:
        known = set().union(*self.clusters) if self.clusters else set()
        content = frozenset(given)
        same = [each for each in self.contacts if each["says"] == content]
        if same:
            same[0]["dated"] = min(dated, same[0]["dated"])
        elif not set(given) <= known:
            self.contacts.append({"says": content, "dated": dated})
        joined = set(given).union(*(self._of(value) for value in given))
        self.clusters = [each for each in self.clusters if not each & joined] + [joined]

    def customers(self) -> set[frozenset[Value]]:
        return {frozenset(each) for each in self.clusters}

    def said(self) -> set[tuple[frozenset[Value], datetime]]:
        return {(each["says"], each["dated"]) for each in self.contacts}


class History(RuleBasedStateMachine):
    """Callers, files, and a steward who rules, withdraws and undoes."""

    rulings: Any = Bundle("rulings")

    @initialize()
    def open(self) -> None:
        empty()
        self.imports = 0
        self.standing: dict[int, Any] = {}
        self.copy = Copy()

    @rule(content=CONTENTS, source=st.sampled_from(SOURCES))
    def call(self, content: Any, source: str) -> None:
        given = Identifiers(*content)
        looked = look_up(given)
        try:
            outcome = identify(given, source=source)
        except InvalidInput:
            assert looked is None
            return
        again = identify(given, source=source)
        assert (again.cluster, again.event) == (outcome.cluster, None)
        assert again.kept_apart_from == outcome.kept_apart_from
        after = look_up(given)
        assert after
        assert (after.cluster, after.would_merge_with) == (outcome.cluster, None)
        assert after.kept_apart_from == outcome.kept_apart_from
        if looked and looked.would_merge_with:
            merged = {looked.cluster.primary_id, looked.would_merge_with.primary_id}
            assert merged <= {member.id for member in outcome.cluster.members}

    @rule(rows=ROWS)
    def file(self, rows: Any) -> None:
        bring(as_file([(email, phone, None, date) for (email, phone), date in rows]))
        with db.engine.connect() as connection:
            imports = connection.exec_driver_sql('SELECT max(id) FROM "import"').scalar()
        self.imports = imports or 0

    @rule(target=rulings, one=st.sampled_from(VALUES), other=st.sampled_from(VALUES))
    def keep_apart(self, one: Value, other: Value) -> Any:
        return self.apply(Apart(one, other)) if one != other else multiple()

    @rule(target=rulings, value=st.sampled_from(VALUES))
    def links_nobody(self, value: Value) -> Any:
        return self.apply(LinksNobody(value))

    @rule(target=rulings, content=CONTENTS, source=st.sampled_from([None, *SOURCES, "feed:plain"]))
    def withdraw_claim(self, content: Any, source: str | None) -> Any:
        return self.apply(ClaimWithdrawn(content[0], content[1], source))

    @precondition(lambda self: self.imports)
    @rule(target=rulings, back=st.integers(0, 2))
    def withdraw_import(self, back: int) -> Any:
        return self.apply(ImportWithdrawn(max(1, self.imports - back)))

    @rule(
        target=rulings,
        source=st.sampled_from(SOURCES),
        since=st.integers(0, 20),
        until=st.integers(0, 20),
    )
    def withdraw_window(self, source: str, since: int, until: int) -> Any:
        moments = sorted({each.told_at for each in claims()})
        if not moments:
            return multiple()
        moments.append(moments[-1] + timedelta(days=1))
        window = moments[since % len(moments)], moments[until % len(moments)]
        return self.apply(SourceWithdrawn(source, *window)) if window[0] < window[1] else multiple()

    def apply(self, what: Any) -> Any:
        before = tables()
        try:
            planned = applying.plan(what)
        except (Conflict, NotFound) as refused:
            with pytest.raises(type(refused)):
                applying.rule(what, Ordered("doc"))
            assert tables() == before
            return multiple()
        assert tables() == before, "planning writes nothing"
        ruling, done = applying.rule(what, Ordered("doc", planned=planned.fingerprint))
        self.compare(planned, done)
        self.standing[ruling.id] = what
        undone = applying.plan_withdrawal(ruling.id)
        assert undone.customers == done.customers[::-1]
        applying.withdraw(ruling.id, Ordered("doc", planned=undone.fingerprint))
        assert tables() == before, "undone at once, everything is as before"
        again, redone = applying.rule(what, Ordered("doc"))
        assert redone.customers == planned.customers
        del self.standing[ruling.id]
        self.standing[again.id] = what
        return again.id

    @rule(ruling=consumes(rulings))
    def undo(self, ruling: int) -> None:
        planned = applying.plan_withdrawal(ruling)
        _, done = applying.withdraw(ruling, Ordered("doc", planned=planned.fingerprint))
        self.compare(planned, done)
        del self.standing[ruling]
        with pytest.raises(Conflict):
            applying.withdraw(ruling, Ordered("doc"))

    def compare(self, planned: Any, done: Any) -> None:
        assert planned.fingerprint == done.fingerprint
        told = done.as_json()
        assert told["more"] == 0
        for change in told["changes"]:
            for customer in change["after"]:
                value, field_ = (
                    (customer["emails"], "email")
                    if customer["emails"]
                    else (customer["phoneNumbers"], "phone")
                )
                given = (value[0], None) if field_ == "email" else (None, value[0])
                with database.reading() as connection:
                    (found,) = clusters.find(connection, Identifiers(*given)).clusters
                assert customer["primaryContactId"] == found.primary_id
                assert tuple(customer["emails"]) == found.emails
                assert tuple(customer["phoneNumbers"]) == found.phone_numbers
                assert customer["secondaryContactIds"] == found.secondary_ids

    @invariant()
    def as_the_function_says(self) -> None:
        oracle = Oracle(
            {each.value for each in self.standing.values() if isinstance(each, LinksNobody)},
            [(e.one, e.other) for e in self.standing.values() if isinstance(e, Apart)],
        )
        for claim in claims():
            if claim.stands:
                oracle.tell(claim.email, claim.phone_number, claim.dated_at)
        found: dict[int, set[Value]] = {}
        said = set()
        for id_, email, phone, linked_id, created_at in live():
            values = set(Identifiers(email, phone).values())
            found.setdefault(linked_id or id_, set()).update(values)
            said.add((frozenset(values), created_at))
        assert {frozenset(each) for each in found.values()} == oracle.customers()
        assert said == oracle.said()
        assert verify().problems == []

    @invariant()
    def the_feed_tells_of_every_contact(self) -> None:
        self.copy.follow()
        assert self.copy.customers == customers()


@pytest.mark.usefixtures("app")
def test_any_history_ends_as_the_function_says_and_is_undone_exactly(backend: str) -> None:
    tried = settings(max_examples=many(backend, 20), stateful_step_count=15)
    run_state_machine_as_test(History, settings=tried)
