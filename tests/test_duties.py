"""What is done again and again, beside delivering."""

import threading
from collections.abc import Iterator

import pytest
from flask import Flask

from identity import rounds
from identity.config import Config
from identity.duties import Duty
from tests.serving import eventually


@pytest.fixture
def stopping(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    monkeypatch.setattr(rounds, "FIRST", 0.0)
    stopping = threading.Event()
    yield stopping
    stopping.set()


def nobody(name: str, error: Exception) -> None:
    raise AssertionError(name) from error


@pytest.mark.usefixtures("app")
@pytest.mark.parametrize("backend", ["sqlite"])
def test_no_duty_waits_for_another(stopping: threading.Event) -> None:
    met = threading.Barrier(3)
    duties = [Duty(name, 60, lambda _: met.wait(10)) for name in ("sweeping", "publishing")]

    threads = rounds.begin(duties, Config(), stopping, nobody)

    met.wait(10)
    stopping.set()
    rounds.end(threads, 10)
    assert not any(thread.is_alive() for thread in threads)


@pytest.mark.parametrize("backend", ["sqlite"])
def test_a_duty_that_fails_is_told_and_done_again(app: Flask, stopping: threading.Event) -> None:
    told: list[str] = []

    def fail(_: Config) -> None:
        raise ValueError(app.name)

    def note(name: str, error: Exception) -> None:
        told.append(f"{name}: {type(error).__name__}")

    threads = rounds.begin([Duty("mending", 0.001, fail)], Config(), stopping, note)

    eventually(lambda: len(told) > 1)
    stopping.set()
    rounds.end(threads, 10)
    assert set(told) == {"mending: ValueError"}
