"""An import with caution: rehearsed with the rulings that it would begin with, or carried out."""

from collections.abc import Iterator, Sequence

from identity.caution.choosing import DEFAULT, Choices
from identity.caution.examining import Examined, examine
from identity.caution.planning import Plan
from identity.caution.suspects import Suspect
from identity.errors import Conflict, NotFound
from identity.fillers import MANY
from identity.identifiers import Value
from identity.importing import beforehand, register, run
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

    def rejected(self, line: int, reason: str, cells: Sequence[str]) -> None:
        """Say nothing."""


def rehearse(
    source: Source, watcher: Watcher, choices: Choices = DEFAULT, many: int = MANY
) -> Plan:
    """Return exactly what importing a file now would do. Writes nothing."""
    found = examine(source, many)
    nobody = [each for each in found.suspects if choices.links_nobody(each)]
    pairs = _pairs(choices, nobody)
    after = beforehand.suppose([each.value for each in nobody], pairs)
    tally = run.rehearse(source, watcher, after)
    otherwise = None
    if nobody:
        as_it_is = beforehand.suppose((), _pairs(choices, ()))
        otherwise = run.rehearse(source, _Silent(), as_it_is)
    return Plan(choices, found, tuple(nobody), tally, after, otherwise)


def carry_out(
    source: Source,
    watcher: Watcher,
    import_id: int,
    choices: Choices = DEFAULT,
    many: int = MANY,
) -> Tally:
    """Import a file, after ruling what is not to join strangers. Otherwise as `run.carry_out`.

    The rulings are that import's, and stand until somebody withdraws them.
    """
    found = Examined() if choices.as_it_is else examine(source, many)
    for what, reason in _rulings(choices, found):
        try:
            applying.rule(what, Ordered(register.source(import_id), reason))
        except (Conflict, NotFound):
            # Somebody said the same meanwhile, or told of them otherwise: nothing is left to say.
            continue
    return run.carry_out(source, watcher, import_id)


def _rulings(choices: Choices, found: Examined) -> Iterator[tuple[What, str]]:
    nobody = [each for each in found.suspects if choices.links_nobody(each)]
    for suspect in nobody:
        yield LinksNobody(suspect.value), suspect.reason
    for one, other in _pairs(choices, nobody):
        yield Apart(one, other), LEFT_OUT


def _pairs(choices: Choices, nobody: Sequence[Suspect]) -> list[tuple[Value, Value]]:
    """Return what is kept apart. What links nobody is apart from everybody."""
    values = {each.value for each in nobody}
    return [pair for pair in choices.pairs() if values.isdisjoint(pair)]
