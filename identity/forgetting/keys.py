"""The keys with which an erased value is hashed. They come from outside of the database, always.

A hash cannot be made again with another key, because the value is gone. So a new key signs from
when it is there, and the older ones stay beside it.
"""

import hashlib
import hmac
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from identity import once
from identity.config import check_erasure_keys
from identity.errors import ConfigurationError, Conflict, Unavailable
from identity.identifiers import Kind, Value

BLOCK = 64
"""Bytes that SHA-256 takes at once."""
INNER, OUTER = bytes(each ^ 0x36 for each in range(256)), bytes(each ^ 0x5C for each in range(256))
NAMED = {Kind.EMAIL: b"email:", Kind.PHONE: b"phone:"}
NO_KEY = (
    "Nobody can be erased before there is a key to remember them by: without it the next file "
    "would bring them back. `flask identity erasures new-key` prints one; set ERASURE_KEY to it "
    "for the service and for commands, and keep it apart from the database and its backups."
)

BAD_FILE = (
    "ERASURE_KEY_FILE cannot be read, or what is in it are no keys, so it cannot be told who was "
    "erased, and nobody new is taken in. Put back the file."
)


class Key:
    """One key. Hashes of the same value with two keys have nothing in common."""

    def __init__(self, secret: str) -> None:
        given = secret.encode()
        self.version = _version(given)
        """The number by which its hashes name it; whoever mistypes a key has another number."""
        # HMAC as RFC 2104 has it, with what does not depend on the value done once. The library
        # does it anew for each value and takes three times as long; a test holds that they agree.
        short = hashlib.sha256(given).digest() if len(given) > BLOCK else given
        padded = short.ljust(BLOCK, b"\0")
        self._inner = hashlib.sha256(padded.translate(INNER))
        self._outer = hashlib.sha256(padded.translate(OUTER))

    def digest(self, value: Value) -> bytes:
        """Return the HMAC-SHA256 of an identifier."""
        inner, outer = self._inner.copy(), self._outer.copy()
        inner.update(NAMED[value[0]] + value[1].encode())
        outer.update(inner.digest())
        return outer.digest()

    @property
    def name(self) -> str:
        """What people call it."""
        return named(self.version)

    def __repr__(self) -> str:
        return f"<Key {self.name}>"


def named(version: int) -> str:
    """Return what people call the key of a version: eight hexadecimal digits."""
    return f"{version:08x}"


def _version(secret: bytes) -> int:
    # Positive, and of the size of the column. It tells nothing about the key that a hash does not.
    told = hmac.digest(secret, b"the version of this key", "sha256")
    return int.from_bytes(told[:4]) & 0x7FFFFFFF


def _in_file(file: Path) -> list[str]:
    where = f"ERASURE_KEY_FILE, {file},"
    try:
        secrets = once.kept_lines(file)
    except (OSError, UnicodeDecodeError):
        raise ConfigurationError(f"{where} is no text file that can be read.") from None
    check_erasure_keys(secrets, where)
    return secrets


class Keys:
    """All keys of one process: those it was given, or those in a file, read again when needed."""

    def __init__(
        self, given: Sequence[str], file: Path | None = None, *, may_make: bool = False
    ) -> None:
        """Take the keys of a setting, or of a file with one on each line; the first one signs.

        `may_make` lets the first erasure make that file.
        """
        self._given, self.file, self._may_make = given, file, may_make
        self._keys: dict[int, Key] = {}
        self._secrets: dict[int, str] = {}
        self._load()

    def reload(self) -> None:
        """Read the file again: somebody may have made it, or put a new key into it.

        Raise `Unavailable` when what is there now are no keys.
        """
        try:
            self._load()
        except ConfigurationError as problem:
            # Callers are told, who need not know where files are.
            raise Unavailable(BAD_FILE) from problem

    def _load(self) -> None:
        secrets = [*self._given]
        if self.file is not None:
            secrets += _in_file(self.file)
        keys = map(Key, secrets)
        # Replaced at once: others are reading it.
        self._keys = {key.version: key for key in keys}
        self._secrets = {Key(each).version: each for each in secrets}

    def all(self) -> list[Key]:
        """Return the keys, the one that signs first."""
        return list(self._keys.values())

    def secrets(self) -> list[str]:
        """Return the keys as they were given, the one that signs first."""
        return list(self._secrets.values())

    def versions(self) -> set[int]:
        """Return the numbers of the keys."""
        return set(self._keys)

    def lacking(self, versions: Iterable[int]) -> frozenset[int]:
        """Return those of some versions whose key is not here, once the file was read again."""
        asked = frozenset(versions)
        if not asked <= self.versions():
            self.reload()
        return asked - self.versions()

    def signing(self) -> Key:
        """Return the key for hashes made now; raise `Conflict` when there is none."""
        if not self._keys:
            self.reload()
        if not self._keys and self._may_make and self.file is not None:
            once.kept(self.file)
            self.reload()
        if not self._keys:
            raise Conflict(NO_KEY)
        return next(iter(self._keys.values()))

    def digests(self, value: Value) -> list[tuple[int, bytes]]:
        """Return the hash of an identifier with each key, beside the key's number."""
        return [(version, key.digest(value)) for version, key in self._keys.items()]

    @property
    def digesters(self) -> list[Callable[[Value], bytes]]:
        """What hashes an identifier with each key."""
        return [key.digest for key in self._keys.values()]
