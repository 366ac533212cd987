"""The values that too many strangers share, and how that is told."""

from dataclasses import dataclass

from identity.counting import counted
from identity.fillers import looks_like_filler
from identity.identifiers import Value


@dataclass(frozen=True, slots=True)
class Suspect:
    """A value that many give who have nothing else in common."""

    value: Value
    rows: int
    """How many rows of the file give it."""
    others: int
    """With how many different emails, if it is a phone number, or the other way round."""
    names: int
    """With how many different names."""
    strangers: int
    """Into how many they fall who have nothing else in common."""
    told_before: int = 0
    """How many others the same source has told it of, as far as was looked."""
    undone: int | None = None
    """The ruling by which it linked nobody, if somebody took that back."""

    @property
    def looks(self) -> str | None:
        """Why it looks like nobody's; None when it does not."""
        return looks_like_filler(self.value)

    @property
    def shared(self) -> str:
        """Who shares it, in words and figures, and without naming anybody."""
        other = self.value.kind.other.noun
        number, noun = (self.names, "name") if self.names >= self.others else (self.others, other)
        before = f", {self.told_before:,} more told before," if self.told_before else ""
        return f"{counted(self.rows, 'row')}{before} with {number:,} different {noun}s"

    @property
    def reason(self) -> str:
        """Why it is ruled to link nobody."""
        return f"{self.shared}; {self.looks}" if self.looks else self.shared

    def __str__(self) -> str:
        return f"{self.value.text} is the {self.value.kind.noun} of {self.shared}"
