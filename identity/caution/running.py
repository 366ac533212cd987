"""An import with caution: rehearsed with the rulings that it would begin with, or carried out."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress

from identity import database
from identity.caution.choosing import DEFAULT, Choices
from identity.caution.examining import Examined, examine
from identity.caution.planning import Plan, customers_of, identifiers_of
from identity.caution.suspects import Suspect
from identity.errors import Conflict, NotFound
from identity.fillers import MANY
from identity.identifiers import Value
from identity.importing import beforehand, meeting, register, run
from identity.importing.rows import Doubt
from identity.importing.run import Source, Watcher
from identity.importing.tally import Tally
from identity.rulings import applying
from identity.rulings.applying import Ordered
from identity.rulings.kinds import Apart, LinksNobody, What

LEFT_OUT = "Left out of the customers that this import would have made one."


class _Silent:
    """Hears nothing, of a file that is read for figures only."""

    def read(self, rows: int) -> None:
        """Say nothing."""

    def doubted(
        self, line: int, doubts: Sequence[Doubt], cells: Sequence[str], *, used: bool
    ) -> None:
        """Say nothing."""


@database.unhurried()
def rehearse(
    source: Source, watcher: Watcher, choices: Choices = DEFAULT, many: int = MANY
) -> Plan:
    """Return exactly what importing a file now would do. Writes nothing."""
    found = examine(source, many)
    nobody = [each for each in found.suspects if choices.links_nobody(each)]
    pairs = _pairs(choices, nobody)
    after = beforehand.suppose([each.value for each in nobody], pairs)
    met = meeting.of(source.reading, source.name)
    tally = run.rehearse(source, watcher, after, met)
    otherwise = None
    if nobody:
        as_it_is = beforehand.suppose((), _pairs(choices, ()))
        otherwise = run.rehearse(source, _Silent(), as_it_is, met)
    return Plan(choices, found, tuple(nobody), tally, after, otherwise)


@database.unhurried()
def carry_out(
    source: Source,
    watcher: Watcher,
    import_id: int,
    choices: Choices = DEFAULT,
    many: int = MANY,
    ending: Callable[[], Mapping[str, object]] = dict,
) -> Tally:
    """Import a file, after ruling what is not to join strangers. Otherwise as `run.carry_out`.

    The rulings are that import's, and stand until somebody withdraws them.
    """
    found = Examined() if choices.as_it_is else examine(source, many)
    # All before the first is applied: they are about customers as they stand now.
    for what, reason in list(_rulings(choices, found)):
        # Somebody may have said the same meanwhile, or told of them otherwise.
        with suppress(Conflict, NotFound):
            planned = None
            if isinstance(what, Apart):
                # To keep apart who has become one by now would change customers; that is for
                # people. So it is when they become one before it is applied.
                plan = applying.plan(what)
                if plan.changes:
                    continue
                planned = plan.fingerprint
            applying.rule(what, Ordered(register.source(import_id), reason, planned))
    return run.carry_out(source, watcher, import_id, ending)


def _rulings(choices: Choices, found: Examined) -> Iterator[tuple[What, str]]:
    nobody = [each for each in found.suspects if choices.links_nobody(each)]
    for suspect in nobody:
        yield LinksNobody(suspect.value), suspect.reason
    for one, other in _pairs(choices, nobody):
        yield Apart(one, other), LEFT_OUT


def _pairs(choices: Choices, nobody: Sequence[Suspect]) -> list[tuple[Value, Value]]:
    """Return what is kept apart. What links nobody is; its customer is by something else."""
    values = {each.value for each in nobody}
    named = {value: value for pair in choices.pairs() for value in pair}
    for value in named.keys() & values:
        named[value] = next(iter(identifiers_of(customers_of([value]), values)), value)
    pairs = ((named[one], named[other]) for one, other in choices.pairs())
    return [pair for pair in pairs if values.isdisjoint(pair)]
