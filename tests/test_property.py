"""Any sequence of calls, on both databases, against the oracle of a few lines."""

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
from sqlalchemy import select

from identity.clusters import Cluster
from identity.database import db
from identity.identifiers import Identifiers
from identity.models import Contact
from identity.reconciliation import identify
from identity.verification import verify
from tests.examples import CALLS, many
from tests.oracle import Call, Oracle
from tests.tables import empty


def lists(contacts: list[Call]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    emails = dict.fromkeys(email for email, _ in contacts if email)
    phones = dict.fromkeys(phone for _, phone in contacts if phone)
    return tuple(emails), tuple(phones)


def as_lists(cluster: Cluster) -> tuple[tuple[str, ...], tuple[str, ...]]:
    return cluster.emails, cluster.phone_numbers


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
def test_any_sequence_of_calls_ends_as_the_rules_say(backend: str) -> None:
    run_state_machine_as_test(
        Shop,
        settings=settings(max_examples=many(backend, 40), stateful_step_count=25),
    )


@pytest.mark.usefixtures("app")
def test_who_belongs_together_does_not_depend_on_the_order(backend: str) -> None:
    @settings(max_examples=many(backend, 40))
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
