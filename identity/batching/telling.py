"""Calls that were sent together, told one after another, and answered with their customers."""

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from sqlalchemy import Integer, literal_column, select

from identity import database, rebuilding
from identity.batching import taking
from identity.batching.answering import Answers
from identity.batching.looking import Look, look
from identity.database import patience
from identity.deciding import Call, Decided
from identity.errors import Contended, Unavailable
from identity.identifiers import Value, nothing_given
from identity.models import EventKind
from identity.rebuilding import Drifted

T = TypeVar("T")
LOOKED, PART = 150, 50
"""Calls about which the database is asked at a time, and those in one transaction. Whoever else
wants to write waits for one of these, and not for a thousand calls."""
ELSEWHERE = 0.3
"""Seconds of a caller's patience that go into reading and answering a thousand calls."""
REST = 0.0005
SOMETHING = select(literal_column("1", Integer))


@dataclass(slots=True)
class Told:
    """What became of calls that were told together. They are known by their lines."""

    left_out: dict[int, Unavailable] = field(default_factory=dict)
    """Those that could not be decided, and why. Nothing of them was told."""
    lines: set[int] = field(default_factory=set)
    """Those that said something which their source had not said before."""
    news: set[int] = field(default_factory=set)
    """Those that brought what nobody had told before."""
    kinds: Counter[EventKind] = field(default_factory=Counter)
    """What was written to the ledger."""
    contacts: int = 0
    """How many contacts were made."""
    sifted: dict[int, list[Call]] = field(default_factory=dict)
    """Of those that brought what was erased: what was left of them."""

    def add(self, decided: Decided) -> None:
        """Note what a part brought."""
        self.lines |= decided.told
        self.news |= decided.news
        self.kinds.update(line.kind for line in decided.lines)
        self.contacts += len(decided.contacts)
        self.sifted |= decided.sifted


def tell(calls: Sequence[Call], source: str) -> tuple[Told, Answers]:
    """Tell calls in their order; return what became of them, and what each is answered with.

    Each has a line of its own. What was told is durable when it returns. Calls that others keep in
    the way of are left out, and so are all that follow when the database goes away or patience
    ends. Raise `Unavailable` when nothing could be told, or the answers cannot be read.
    """
    telling = _Telling(source)
    with database.within(database.PATIENCE - ELSEWHERE):
        # A connection that died is made anew here. A snapshot says no more than that it did.
        database.read(lambda connection: connection.scalar(SOMETHING))
        for looked in parts(calls, LOOKED):
            telling.tell(looked)
    return _answered(calls, telling)


def _answered(calls: Sequence[Call], telling: "_Telling") -> tuple[Told, Answers]:
    told = telling.told
    if calls and len(told.left_out) == len(calls):
        raise told.left_out[calls[0].line]
    if told.left_out or told.lines or telling.any_news:
        decided = [call for call in calls if call.line not in told.left_out]
        return told, answer(decided, told)
    return told, telling.answers


def answer(calls: Sequence[Call], told: Told) -> Answers:
    """Return what each call is answered with, once all of them were decided.

    Raise `Unavailable` when the database cannot be reached.
    """
    answers = Answers(told.lines)
    left = [each for call in calls for each in told.sifted.get(call.line, [call])]
    for line in (line for line, of in told.sifted.items() if not of):
        answers.by_line[line] = nothing_given()
    with database.within(database.PATIENCE):
        for looked in parts(left, LOOKED):
            with database.lookups() as connection:
                answers.read(connection, looked)
    return answers


class _Telling:
    """Tells calls for as long as there is patience."""

    def __init__(self, source: str) -> None:
        self.told, self.answers = Told(), Answers()
        self.any_news = False
        self._source = source
        self._gone: Unavailable | None = None

    def tell(self, calls: Sequence[Call]) -> None:
        """Look at some calls, and tell what is new about them, part after part."""
        if self._gone is None:
            try:
                found, news = self._look(calls)
            except Unavailable as unavailable:
                self._gone = unavailable
        if self._gone is not None:
            self._leave_out(calls, self._gone)
            return
        told = set[Value]()
        self.any_news |= bool(news)
        for part in parts(news, PART):
            values = {value for call in part for value in call.values()}
            # What was told meanwhile is not what was found.
            self._take(part, None if told & values else found)
            told |= values

    def _look(self, calls: Sequence[Call]) -> tuple[Look, list[Call]]:
        """Return what is known of some calls, and which of them are news.

        Where none are so far, note what they are answered with.
        """

        def read() -> tuple[Look, list[Call]]:
            with database.lookups() as connection:
                found = look(connection, calls, self._source).sound()
                # One of which nothing is left is refused, and what its source calls it with it.
                news = [call for call in found.news(calls) if found.leaves(call)]
                if not (news or self.any_news):
                    # As nearly always where a shop sends all it has, again and again.
                    self.answers.read(connection, calls, found)
                return found, news

        try:
            return database.retrying(read, tries=1)
        except Contended as contended:
            if not isinstance(contended.__cause__, Drifted):
                raise
            rebuilding.mend(contended.__cause__.values)
        return database.retrying(read)

    def _take(self, calls: Sequence[Call], found: Look | None) -> None:
        """Tell a part; in halves and halves of those where others are busy with its customers."""
        problem = self._gone
        if problem is None:
            try:
                decided, _ = taking.take(calls, self._source, found=found)
            except Unavailable as unavailable:
                problem = unavailable
            else:
                self.told.add(decided)
                return
        if not isinstance(problem, Contended) or not patience.left():
            self._gone = problem
        if self._gone or len(calls) == 1:
            self._leave_out(calls, problem)
            return
        middle = len(calls) // 2
        for half in calls[:middle], calls[middle:]:
            self._take(half, None)

    def _leave_out(self, calls: Sequence[Call], problem: Unavailable) -> None:
        self.told.left_out.update((call.line, problem) for call in calls)


def parts(calls: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    """Yield what is to be done part after part, and let others have the process in between."""
    for first in range(0, len(calls), size):
        if first:
            # Of no time at all, gevent makes a turn among those who wait for nothing, and does not
            # look whether anybody has sent something.
            time.sleep(REST)
        yield calls[first : first + size]
