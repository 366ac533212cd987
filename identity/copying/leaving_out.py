"""The lines of a copy, without people who were erased since it was made."""

from collections.abc import Callable, Iterable, Iterator

from identity import forgetting
from identity.copying.lines import ClaimLine, ImportLine, Line, RulingLine
from identity.forgetting.texts import without
from identity.identifiers import Value, email_value, phone_value
from identity.importing.register import CALLED
from identity.rulings import kinds
from identity.rulings.plans import unmarked

WRITTEN = {"reason", "withdrawn_reason"}
"""What people wrote about a ruling."""


class LeavingOut:
    """Leaves out what erasing them takes: claims, rulings, and what mentions them elsewhere."""

    def __init__(self, is_erased: Callable[[Value], bool]) -> None:
        self._is_erased = is_erased
        self._rulings: set[int] = set()
        self.claims = 0
        """How many claims were left out."""

    def lines(self, lines: Iterable[Line]) -> Iterator[Line]:
        """Yield what is left of the lines of a copy."""
        for line in lines:
            match line:
                case RulingLine():
                    left: Line | None = self._ruling(line)
                case ClaimLine():
                    left = self._claim(line)
                case ImportLine():
                    left = self._import(line)
            if left is not None:
                yield left

    def _ruling(self, line: RulingLine) -> RulingLine | None:
        if any(map(self._is_erased, kinds.values_of(kinds.from_record(line.what)))):
            self._rulings.add(line.id)
            return None
        told = line.model_dump(include=WRITTEN)
        changed = {name: None for name, text in told.items() if text and self._is_mentioned(text)}
        plan = without(line.plan, self._is_mentioned)
        left = plan if plan == line.plan else unmarked(plan)
        return line.model_copy(update=changed | {"plan": left})

    def _claim(self, line: ClaimLine) -> ClaimLine | None:
        if any(map(self._is_erased, _told(line))):
            self.claims += 1
            return None
        called = [
            each
            for each in line.references
            if not (self._is_mentioned(each.reference) or self._is_mentioned(each.name))
        ]
        left = [each for each in line.withdrawn_by if each not in self._rulings]
        held_by = None if line.held_by in self._rulings else line.held_by
        changed = {"withdrawn_by": left, "held_by": held_by, "references": called}
        return line.model_copy(update=changed)

    def _import(self, line: ImportLine) -> ImportLine:
        is_named = self._is_mentioned(line.file_name)
        return line.model_copy(update={"file_name": CALLED}) if is_named else line

    def _is_mentioned(self, told: str) -> bool:
        return forgetting.stand_in([told], self._is_erased)


def _told(line: ClaimLine) -> Iterator[Value]:
    if line.email is not None:
        yield email_value(line.email)
    if line.phone_number is not None:
        yield phone_value(line.phone_number)
