"""Files that are packed, and archives that are not what they seem."""

import bz2
import gzip
import io
import tempfile
import zipfile
import zlib

import pytest

from identity.errors import InvalidInput
from identity.importing.files import examine
from identity.importing.inspecting import CUT
from identity.importing.opening import archives, spool
from identity.importing.opening.room import LITTLE
from tests.bringing import cells_of, examined
from tests.packing import zipped

PLAIN = b"email,phone\ndoc@hillvalley.edu,555-4385\n"
READ = [(2, ["doc@hillvalley.edu", "555-4385"])]


PACKED = {
    "gzip": gzip.compress(PLAIN),
    "several": gzip.compress(PLAIN[:20]) + gzip.compress(PLAIN[20:]),
    "twice": gzip.compress(gzip.compress(PLAIN)),
    "utf-16": gzip.compress(PLAIN.decode().encode("utf-16")),
    "zip": zipped({"customers.csv": PLAIN}),
    "stored": zipped({"customers.csv": PLAIN}, zipfile.ZIP_STORED),
    "lzma": zipped({"customers.csv": PLAIN}, zipfile.ZIP_LZMA),
    "mac": zipped({"a/": b"", "a/c.csv": PLAIN, "__MACOSX/a/._c.csv": b"x", "a/.DS_Store": b"x"}),
    "both": zipped({"customers.csv.gz": gzip.compress(PLAIN)}),
}


@pytest.mark.parametrize("how", PACKED)
def test_what_is_packed_is_told_by_its_bytes(how: str) -> None:
    assert cells_of(PACKED[how]) == READ


def test_how_it_was_packed_is_told() -> None:
    file = examined(zipped({"customers.csv.gz": gzip.compress(PLAIN)}))

    assert (
        str(file) == "plain, UTF-8, packed with ZIP, packed with gzip, separated by commas, 1 row"
    )


DEEP = zipped({"a": zipped({"b": zipped({"c": zipped({"d": zipped({"e": PLAIN})})})})})
BROKEN = {
    "nothing": (zipped({}), "holds no file"),
    "a folder": (zipped({"empty/": b""}), "holds no file"),
    "two": (zipped({"a.csv": PLAIN, "b.csv": PLAIN}), "2 files: “a.csv”, “b.csv”. Unpack it"),
    "many": (zipped({f"{n}.csv": b"" for n in range(12)}), "“9.csv” and 2 more"),
    "cut off": (zipped({"a.csv": PLAIN})[:-30], "damaged"),
    "no archive": (b"PK\x03\x04abc", "damaged"),
    "changed": (
        zipped({"a.csv": PLAIN}, zipfile.ZIP_STORED).replace(b"doc@", b"dok@"),
        "damaged",
    ),
    "no gzip": (gzip.compress(PLAIN)[:10] + b"\xff\xff\xff\xff", "damaged"),
    "deep": (DEEP, "3 times"),
    "bzip2": (bz2.compress(PLAIN), "packed with bzip2"),
    "empty": (gzip.compress(b""), "empty"),
    "no table": (zipped({"customers.pdf": b"%PDF-1.7"}), "a PDF document"),
}


@pytest.mark.parametrize("how", BROKEN)
def test_what_cannot_be_unpacked_says_why(how: str) -> None:
    content, sentence = BROKEN[how]

    with pytest.raises(InvalidInput, match=sentence):
        examined(content)


def test_an_archive_with_a_password_says_so() -> None:
    content = bytearray(zipped({"customers.csv": PLAIN}))
    # The bit that tells it, in both places where it stands.
    for signature, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.index(signature) + place] |= 1

    with pytest.raises(InvalidInput, match="protected with a password"):
        examined(bytes(content))


def test_a_file_that_was_cut_off_while_packed_gives_all_but_its_last_row() -> None:
    rows = b"".join(b"d%d@hillvalley.edu,+4915112345%03d\n" % (n, n) for n in range(500))
    whole = gzip.compress(b"email,phone\n" + rows)

    file = examined(whole[: len(whole) // 2])

    *_, (last, _) = file.rows()
    assert 100 < file.count < 500
    assert file.suspicious == {last: CUT}
    assert file.notes == ("The file ends in the middle: what it is packed in has no end.",)


@pytest.mark.parametrize("how", ["gzip", "ZIP"])
def test_a_bomb_is_refused_before_it_fills_the_disk(
    how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archives, "ALWAYS", 2**20)
    bomb = bytes(3 * 2**20)
    content = gzip.compress(bomb, 1) if how == "gzip" else zipped({"customers.csv": bomb})

    with pytest.raises(InvalidInput, match=r"would be more than [12] MB, 100 times its size"):
        examined(content)


def test_what_somebody_sends_may_become_less_than_what_is_on_the_machine() -> None:
    content = gzip.compress(PLAIN + bytes(2**20), 1)
    little = LITTLE._replace(unpacked=2**20)

    with pytest.raises(InvalidInput, match=r"more than 1 MB\. Import it on the machine"):
        examine("customers.csv.gz", lambda: io.BytesIO(content), room=little)


def test_a_line_of_zeros_is_refused_in_little_memory() -> None:
    packer = zlib.compressobj(wbits=31)
    content = b"".join(packer.compress(bytes(2**20)) for _ in range(18)) + packer.flush()

    with pytest.raises(InvalidInput, match="Line 1 has more than 16 million characters"):
        examined(content)


def test_no_room_to_unpack_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", "/proc/nowhere")

    with pytest.raises(InvalidInput, match=r"has to be unpacked .* TMPDIR"):
        examined(gzip.compress(PLAIN))


def test_a_full_disk_is_a_sentence() -> None:
    kept = spool.Spool(io.FileIO("/dev/full", "wb"))

    with pytest.raises(InvalidInput, match="No space left on device"):
        kept.fill([PLAIN], len(PLAIN), "")
