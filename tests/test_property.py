"""Any sequence of calls, on both databases, against an oracle of ten lines."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import delete, select

from identity.clusters import Cluster
from identity.database import db
from identity.identifiers import Identifiers
from identity.models import Contact, Event, Identifier, Link
from identity.reconciliation import identify
from identity.verification import verify

EMAILS = st.sampled_from([f"{name}@hillvalley.edu" for name in "abcde"])
PHONES = st.sampled_from([f"55{number}" for number in range(5)])
CALLS = st.one_of(
    st.tuples(EMAILS, PHONES),
    st.tuples(EMAILS, st.none()),
    st.tuples(st.none(), PHONES),
)
Call = tuple[str | None, str | None]


class Oracle:
    """Who belongs together, by the letter of the rules and the simplest means."""

    def __init__(self) -> None:
        self.clusters: list[list[Call]] = []
        """Each cluster's contacts as they were given, the oldest first; oldest cluster first."""
        self.order: list[Call] = []

    def identify(self, call: Call) -> list[Call]:
        given = {value for value in call if value}
        touched = [c for c in self.clusters if given & {v for contact in c for v in contact}]
        known = {v for c in touched for contact in c for v in contact}
        joined = [contact for cluster in touched for contact in cluster]
        if not given <= known:
            joined.append(call)
            self.order.append(call)
        joined.sort(key=self.order.index)
        self.clusters = [c for c in self.clusters if c not in touched] + [joined]
        self.clusters.sort(key=lambda cluster: self.order.index(cluster[0]))
        return joined


def lists(contacts: list[Call]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    emails = dict.fromkeys(email for email, _ in contacts if email)
    phones = dict.fromkeys(phone for _, phone in contacts if phone)
    return tuple(emails), tuple(phones)


def as_lists(cluster: Cluster) -> tuple[tuple[str, ...], tuple[str, ...]]:
    return cluster.emails, cluster.phone_numbers


def empty() -> None:
    with db.engine.begin() as connection:
        for table in (Event, Link, Identifier):
            connection.execute(delete(table))
        connection.execute(delete(Contact).where(Contact.linked_id.is_not(None)))
        connection.execute(delete(Contact))


def tell(call: Call) -> Cluster:
    return identify(Identifiers(*call), source="test").cluster


class Shop(RuleBasedStateMachine):
    """A shop that calls identify again and again."""

    @initialize()
    def open(self) -> None:
        empty()
        self.oracle = Oracle()

    @rule(call=CALLS)
    def identify(self, call: Call) -> None:
        expected = self.oracle.identify(call)

        cluster = tell(call)

        assert as_lists(cluster) == lists(expected)
        assert len(cluster.members) == len(expected)
        assert tell(call) == cluster, "a repeat changes nothing"

    @invariant()
    def as_many_rows_as_contacts(self) -> None:
        with db.engine.connect() as connection:
            assert len(connection.scalars(select(Contact.id)).all()) == len(self.oracle.order)

    @invariant()
    def no_drift(self) -> None:
        report = verify()
        assert report.problems == []
        assert report.clusters == len(self.oracle.clusters)


@pytest.mark.usefixtures("app")
def test_any_sequence_of_calls_ends_as_the_rules_say() -> None:
    run_state_machine_as_test(
        Shop,
        settings=settings(max_examples=40, stateful_step_count=25),
    )


@pytest.mark.usefixtures("app")
def test_who_belongs_together_does_not_depend_on_the_order() -> None:
    @settings(max_examples=40)
    @given(st.data(), st.lists(CALLS, max_size=12))
    def check(data: st.DataObject, calls: list[Call]) -> None:
        def partition(order: list[Call]) -> set[frozenset[str]]:
            empty()
            for call in order:
                tell(call)
            clusters = [tell(call) for call in calls]
            return {frozenset(c.emails + c.phone_numbers) for c in clusters}

        assert partition(calls) == partition(data.draw(st.permutations(calls)))

    check()
