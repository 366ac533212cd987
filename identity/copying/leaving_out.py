"""The lines of a copy, without people who were erased since it was made."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from identity.copying.lines import ClaimLine, Line, RulingLine
from identity.identifiers import Value, email_value, is_of_email, phone_value
from identity.rulings import kinds


class LeavingOut:
    """Leaves out what erasing them leaves out: claims that say what was erased, and rulings."""

    def __init__(self, is_erased: Callable[[Value], bool]) -> None:
        self._is_erased = is_erased
        self._rulings: set[int] = set()
        self.claims = 0
        """How many claims were left out."""

    def lines(self, lines: Iterable[Line]) -> Iterator[Line]:
        """Yield what is left of the lines of a copy."""
        for line in lines:
            if isinstance(line, RulingLine):
                if any(map(self._is_erased, kinds.values_of(kinds.from_record(line.what)))):
                    self._rulings.add(line.id)
                    continue
                line = line.model_copy(update={"plan": self._without(line.plan)})
            elif isinstance(line, ClaimLine):
                if any(map(self._is_erased, _told(line))):
                    self.claims += 1
                    continue
                left = [each for each in line.withdrawn_by if each not in self._rulings]
                held_by = None if line.held_by in self._rulings else line.held_by
                line = line.model_copy(update={"withdrawn_by": left, "held_by": held_by})
            yield line

    def _without(self, told: Any) -> Any:
        """Return what a ruling changed, without what was erased."""
        if isinstance(told, dict):
            return {name: self._without(each) for name, each in told.items()}
        if isinstance(told, list):
            return [self._without(each) for each in told if not self._is_text_erased(each)]
        return None if self._is_text_erased(told) else told

    def _is_text_erased(self, told: object) -> bool:
        if not isinstance(told, str):
            return False
        return self._is_erased(email_value(told) if is_of_email(told) else phone_value(told))


def _told(line: ClaimLine) -> Iterator[Value]:
    if line.email is not None:
        yield email_value(line.email)
    if line.phone_number is not None:
        yield phone_value(line.phone_number)
