"""How a file is encoded, decided by all of it.

One bad byte does not make the others Windows-1252: then only the cell that holds it is in doubt.
What cannot be decoded comes through as halves of surrogate pairs, which no text has.
"""

import codecs
from dataclasses import dataclass, replace

from identity.errors import InvalidInput
from identity.importing.opening.spool import CHUNK, Opened

ERRORS = "identity.surrogates"
"""How damage is decoded. Other than "surrogateescape" it serves the wider encodings, too."""
LONGEST = 16 * 2**20
"""Characters in a line. What is longer is no table, and would fill the memory."""
ENCODINGS = {
    "utf-8": "UTF-8",
    "utf-8-sig": "UTF-8",
    "utf-16": "UTF-16",
    "utf-16-le": "UTF-16",
    "utf-16-be": "UTF-16",
    "utf-32": "UTF-32",
    "utf-32-le": "UTF-32",
    "utf-32-be": "UTF-32",
    "cp1252": "Windows-1252",
}
MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    # Before those of UTF-16, with which one of them begins.
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
ELSEWHERE = bytes({*range(0x80, 0xA0)} - {0x80, 0x85, *range(0x91, 0x98), 0x99})
"""What is seldom used in Windows-1252, and where others have their umlauts."""
LETTERS = bytes(range(0xC0, 0x100))
UNSURE = (
    "Its special characters are unusual for Windows-1252: if names look wrong, save it as UTF-8."
)


@dataclass(frozen=True, slots=True)
class Encoding:
    """An encoding, and what was found when all was decoded."""

    codec: str
    damaged: int = 0
    """How many bytes mean nothing in it."""
    ended: bool = True
    """Whether the last line has an end."""
    closed: bool = False
    """Whether a quotation mark is what comes last."""
    note: str = ""

    @property
    def name(self) -> str:
        """What people call it."""
        return ENCODINGS[self.codec]

    def decode(self, head: bytes) -> str:
        """Return the beginning of a text."""
        return codecs.getincrementaldecoder(self.codec)(ERRORS).decode(head)


def _surrogates(error: UnicodeError) -> tuple[str, int]:
    assert isinstance(error, UnicodeDecodeError)
    bad = error.object[error.start : error.end]
    # As in "surrogateescape", by which they can be written as they were, or as bad bytes again.
    return "".join(chr(0xDC80 + byte % 0x80) for byte in bad), error.end


codecs.register_error(ERRORS, _surrogates)


def find(opened: Opened, head: bytes) -> Encoding:
    """Return how a file with that beginning is encoded; raise `InvalidInput` for endless lines."""
    codec = _marked(head) or _wide(head)
    if codec:
        return _Scan(codec).of(opened).found()
    scan = _Scan("utf-8").of(opened)
    if scan.damaged <= scan.continued:
        return scan.found()
    found = _Scan("cp1252").of(opened).found()
    return replace(found, note=UNSURE) if scan.elsewhere > scan.letters else found


def _marked(head: bytes) -> str | None:
    return next((codec for mark, codec in MARKS if head.startswith(mark)), None)


def _wide(head: bytes) -> str | None:
    """Return the encoding of a text in which zeros stand in every other byte, or in three of four.

    In no other text are they.
    """
    whole = head[: len(head) // 4 * 4]
    zeros = [whole[place::4].count(0) for place in range(4)]
    quarter = len(whole) // 4
    if quarter and min(zeros[2:]) > quarter * 0.9 and zeros[0] * 10 < quarter:
        return "utf-32-le"
    if quarter and min(zeros[:2]) > quarter * 0.9 and zeros[3] * 10 < quarter:
        return "utf-32-be"
    even, odd = head[0::2].count(0), head[1::2].count(0)
    if max(even, odd) * 10 < len(head) or min(even, odd) * 10 > max(even, odd):
        return None
    return "utf-16-be" if even > odd else "utf-16-le"


class _Scan:
    """Decodes a file once, and counts."""

    def __init__(self, codec: str) -> None:
        self._codec = codec
        self._decoder = codecs.getincrementaldecoder(codec)()
        self._long = 0
        self.damaged, self.continued, self.elsewhere, self.letters = 0, 0, 0, 0
        self._last = "\n"

    def of(self, opened: Opened) -> "_Scan":
        with opened() as file:
            while chunk := file.read(CHUNK):
                self._add(chunk, final=False)
                if self._long > LONGEST:
                    raise InvalidInput(_too_long(opened, file.tell()))
        self._add(b"", final=True)
        return self

    def found(self) -> Encoding:
        return Encoding(self._codec, self.damaged, self._last in "\r\n", self._last == '"')

    def _add(self, chunk: bytes, *, final: bool) -> None:
        # Nearly all of nearly every file, and ten times faster.
        plain = self._codec == "utf-8" and chunk.isascii() and not self._decoder.getstate()[0]
        text = chunk.decode("ascii") if plain else self._decoded(chunk, final)
        # In UTF-8, what is more than one byte long. It hardly ever comes about by accident.
        self.continued += len(chunk) - len(text)
        if not text:
            return
        self._last = text[-1]
        end = max(text.rfind("\n"), text.rfind("\r"))
        self._long = len(text) - end - 1 + (self._long if end < 0 else 0)

    def _decoded(self, chunk: bytes, final: bool) -> str:
        decoder, before = self._decoder, self._decoder.getstate()
        try:
            return decoder.decode(chunk, final)
        except UnicodeError:
            decoder.setstate(before)
        decoder.errors = ERRORS
        text = decoder.decode(chunk, final)
        decoder.errors = "strict"
        self.damaged += sum("\udc80" <= character <= "\udcff" for character in text)
        self.elsewhere += len(chunk) - len(chunk.translate(None, ELSEWHERE))
        self.letters += len(chunk) - len(chunk.translate(None, LETTERS))
        return text


def _too_long(opened: Opened, place: int) -> str:
    # Counted only now: it would take as long as all the rest of this.
    with opened() as file:
        line = 1 + sum(file.read(CHUNK).count(b"\n") for _ in range(0, place, CHUNK))
    most = LONGEST // 2**20
    return f"Line {line:,} has more than {most} million characters. This is no table of customers."
