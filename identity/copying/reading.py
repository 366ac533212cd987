"""A copy, read without believing it.

What is wrong is told by the number of its line, and never by what stands there: that is customers'
data.
"""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import BinaryIO

from identity.copying import lines
from identity.copying.lines import (
    ORDER,
    ClaimLine,
    Counts,
    EndLine,
    Header,
    ImportLine,
    Line,
    RulingLine,
)
from identity.deciding import NEW
from identity.errors import InvalidInput
from identity.rulings import kinds

CUT_OFF = "The file is cut off: the last line, which says that it is whole, is missing."


@dataclass(slots=True)
class _Read:
    """What was read so far, and whether a line may follow it."""

    header: Header
    counts: Counter[str] = field(default_factory=Counter)
    kind: str = "import"
    last: int = -NEW
    """The number of the line before, of the same kind."""
    rulings: set[int] = field(default_factory=set)
    standing: set[str] = field(default_factory=set)
    """What the rulings that stand name."""

    def take(self, line: Line) -> None:
        """Take a line; raise ValueError with what is wrong with it."""
        if line.line != self.kind:
            if ORDER.index(line.line) < ORDER.index(self.kind):
                raise ValueError("imports come first, then rulings, then claims.")
            self.kind, self.last = line.line, -NEW
        if line.id == self.last:
            raise ValueError(f"{line.line} {line.id} is there twice.")
        if line.id < self.last:
            raise ValueError(f"{line.line} {line.id} comes after {self.last}.")
        self.last = line.id
        self.counts[f"{line.line}s"] += 1
        match line:
            case ClaimLine():
                self._take_claim(line)
            case RulingLine():
                self._take_ruling(line)
            case ImportLine():
                self._check("import", line.id, self.header.last.import_)

    def _check(self, name: str, number: int | None, last: int) -> None:
        if number is not None and number > last:
            raise ValueError(f"it names {name} {number}, and the first line says {last} was last.")

    def _take_ruling(self, line: RulingLine) -> None:
        self._check("ruling", line.id, self.header.last.ruling)
        self.rulings.add(line.id)
        try:
            what = kinds.from_record(line.what)
        except (ValueError, TypeError, AttributeError, RecursionError):
            raise ValueError("what it names cannot be read.") from None
        if what.kind != line.kind:
            raise ValueError("its kind is not that of what it names.")
        if line.withdrawn_at is None:
            if line.what in self.standing:
                raise ValueError("the same ruling stands already.")
            self.standing.add(line.what)

    def _take_claim(self, line: ClaimLine) -> None:
        last = self.header.last
        self._check("claim", line.id, last.place)
        self._check("import", line.import_id, last.import_)
        for contact_id in (line.contact_id, line.other_contact_id):
            self._check("contact", contact_id, last.contact)
        if line.email is None and line.phone_number is None:
            raise ValueError("it tells nothing: neither an email nor a phone_number.")
        if (line.contact_id is None) is not (line.brought is None):
            raise ValueError("contact_id and brought go together.")
        if not self.rulings.issuperset(line.withdrawn_by):
            raise ValueError("it is withdrawn by a ruling that is not there.")
        carried = {(each.reference, each.name) for each in line.references}
        if len(carried) < len(line.references):
            raise ValueError("it carries the same reference twice.")
        if len(set(line.withdrawn_by)) < len(line.withdrawn_by):
            raise ValueError("the same ruling withdraws it twice.")
        self.counts["references"] += len(carried)

    def end(self, line: EndLine, number: int, digest: str) -> None:
        """Take the last line."""
        if dict(self.header.counts) != {name: self.counts[name] for name in Counts.model_fields}:
            raise ValueError("there are not as many lines before it as the first line says.")
        if (line.lines, line.sha256) != (number, digest):
            raise ValueError("the file is not as it was written: it was changed since.")


@dataclass(frozen=True, slots=True)
class Copy:
    """A copy that can be read, as often as needed."""

    opened: Callable[[], BinaryIO]
    header: Header

    def lines(self) -> Iterator[Line]:
        """Yield all but the first and the last line; raise `InvalidInput` where one is wrong."""
        read, digest = _Read(self.header), hashlib.sha256()
        with self.opened() as file:
            digest.update(file.readline())
            for number, content in enumerate(file, 2):
                try:
                    if not content.endswith(b"\n"):
                        raise ValueError("the file is cut off in it.")
                    line = lines.parsed(content)
                    if isinstance(line, EndLine):
                        read.end(line, number, digest.hexdigest())
                        break
                    read.take(line)
                except ValueError as problem:
                    raise InvalidInput(f"Line {number}: {problem}") from None
                digest.update(content)
                yield line
            else:
                raise InvalidInput(CUT_OFF)
            if file.read(1):
                raise InvalidInput(f"Line {number + 1}: something follows the last line.")

    def line_of(self, claim_id: int) -> int:
        """Return on which line a claim is."""
        for number, line in enumerate(self.lines(), 2):
            if isinstance(line, ClaimLine) and line.id == claim_id:
                return number
        raise LookupError(claim_id)


def begin(opened: Callable[[], BinaryIO]) -> Copy:
    """Return the copy in a file, of which only the first line was read; raise `InvalidInput`."""
    with opened() as file:
        first = file.readline()
    try:
        return Copy(opened, lines.first_line(first))
    except ValueError as problem:
        raise InvalidInput(f"Line 1: {problem}") from None
