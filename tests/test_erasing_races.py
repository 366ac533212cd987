"""Erasures beside callers: nobody waits for each other for ever, and nobody comes back."""

import threading
from typing import Any

import pytest
from flask import Flask

from identity.erasing import applying
from identity.erasing.reach import Wanted
from identity.errors import IdentityError
from identity.identifiers import Identifiers, parse_one
from identity.reconciliation import identify
from identity.rulings import applying as rulings
from identity.rulings.applying import Ordered
from identity.rulings.kinds import Apart
from identity.verification import verify
from tests.standing import claims

PEOPLE = 12


@pytest.mark.slow
@pytest.mark.usefixtures("app")
def test_whoever_is_forgotten_while_all_call_stays_forgotten(app: Flask) -> None:
    for number in range(PEOPLE):
        identify(Identifiers(f"p{number}@x.org", f"55500{number}"), source="before")
    refused: list[Any] = []

    def call(name: str) -> None:
        with app.app_context():
            for turn in range(60):
                given = Identifiers(f"p{turn % PEOPLE}@x.org", f"55500{(turn * 7) % PEOPLE}")
                try:
                    identify(given, source=name)
                except IdentityError as problem:
                    refused.append(problem)

    def rule() -> None:
        with app.app_context():
            for turn in range(6):
                one, other = (parse_one(f"p{n}@x.org") for n in (turn + 6, (turn + 1) % 6 + 6))
                try:
                    rulings.rule(Apart(one, other), Ordered("Doc"))
                except IdentityError as problem:
                    refused.append(problem)

    threads = [threading.Thread(target=call, args=(f"till{n}",)) for n in range(3)]
    threads.append(threading.Thread(target=rule))
    for thread in threads:
        thread.start()
    for number in range(6):
        applying.erase(Wanted(frozenset({parse_one(f"p{number}@x.org")})), Ordered("Doc"))
    for thread in threads:
        thread.join(60)

    assert not any(thread.is_alive() for thread in threads)
    told = {claim.email for claim in claims()}
    assert not told & {f"p{number}@x.org" for number in range(6)}
    assert verify().problems == []
