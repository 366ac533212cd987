"""Whether the last cell of a file is whole, where the file ends without the end of a line.

Many programs end a file so, and a transfer that broke off does. What is left of a cell then may be
somebody else's email or phone number.
"""

from collections.abc import Sequence

from identity.identifiers import is_of_email, is_valid_phone_number
from identity.importing.columns import Columns

SHORT = "The file ends here, and this is shorter than any other phone number: it may be cut off."
SHORTER = (
    "The file ends here, and this is shorter than all others in its column: it may be cut off."
)
LONGER_EMAIL = (
    "The file ends here, and this may be the beginning of a longer email. If it is whole, end the "
    "line, and import it again."
)
COMPARED = 10_000
"""Rows with which the last one is compared."""
FEW, MANY = 3, 20
"""Of fewer than those nothing can be told, and when so many are of one length all should be."""
DOMAINS = frozenset(
    {"gmail.com", "yahoo.com", "hotmail.com", "outlook.com", "icloud.com", "aol.com", "live.com"}
)
ENDS = frozenset({"com", "net", "org", "edu", "gov", "info"})


class LastColumn:
    """What stands in the last column, if that is read, to compare the last cell with."""

    def __init__(self, header: Sequence[str], columns: Columns) -> None:
        """Look at the column of that header that comes last."""
        last = len(header) - 1
        self._emails = [each for each in columns.emails if each.index == last]
        self._phones = [each for each in columns.phones if each.index == last]
        reference = (columns.reference,) if columns.reference else ()
        others = [each for each in (*columns.created_at, *reference) if each.index == last]
        self._read = [*self._emails, *self._phones, *others][:1]
        self._compared, self._shortest, self._longest = 0, 0, 0
        self._domains: set[str] = set()

    def add(self, cells: Sequence[str]) -> None:
        """Look at a row that is not the last."""
        if self._compared == COMPARED or not (text := self._last(cells)):
            return
        self._compared += 1
        self._shortest = min(self._shortest or len(text), len(text))
        self._longest = max(self._longest, len(text))
        if self._emails:
            self._domains.add(_domain(text))

    def doubt(self, cells: Sequence[str]) -> str:
        """Return why the last row may not be whole; "" when nothing tells that."""
        text = self._last(cells)
        if not text:
            return ""
        if self._emails:
            return LONGER_EMAIL if self._begins(_domain(text)) else ""
        if self._phones and self._is_short(text):
            return SHORT
        alike = self._compared >= MANY and self._shortest == self._longest
        return SHORTER if alike and len(text) < self._shortest else ""

    def _last(self, cells: Sequence[str]) -> str:
        return next((column.cell(cells) for column in self._read), "")

    def _begins(self, domain: str) -> bool:
        """Tell whether a domain is the beginning of one that is known, and is not known itself."""
        if not domain or domain in self._domains | DOMAINS:
            return False
        ends = {each.rpartition(".")[2] for each in self._domains}
        _, dot, end = domain.rpartition(".")
        if not dot or any(each.startswith(domain) for each in self._domains | DOMAINS):
            return True
        return end not in ends | ENDS and any(each.startswith(end) for each in ends | ENDS)

    def _is_short(self, number: str) -> bool:
        if self._compared >= FEW and len(number) < self._shortest - 1:
            return True
        # Then its country tells it, in which numbers may be longer.
        shorter = not self._compared or len(number) < self._shortest
        return shorter and number.startswith("+") and not is_valid_phone_number(number)


def _domain(email: str) -> str:
    return email.rpartition("@")[2].strip(" >\"'").lower() if is_of_email(email) else ""
