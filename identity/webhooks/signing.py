"""Secrets of webhooks, and the signatures that are made with them.

As the Standard Webhooks specification has it: HMAC-SHA256 over the id of the message, the moment
of the try and the body, so that nobody can make a message up, change one, or send an old one
again. https://www.standardwebhooks.com

To sign, a secret itself is needed and not its hash. It is kept sealed with the secret of the
service, so that a copy of the database does not give it away.
"""

import hashlib
import hmac
import secrets
from base64 import b64decode, b64encode, urlsafe_b64encode
from collections.abc import Sequence
from datetime import datetime

from cryptography.fernet import Fernet, InvalidToken

from identity.errors import Conflict

PREFIX = "whsec_"
"""What every secret begins with, so that a scanner of leaked secrets knows one when it sees it."""
LENGTH = 32
"""Bytes of a secret. The specification wants 24 to 64."""
CLOSED = (
    "The webhook's secret was sealed with another SECRET_KEY than this process has. "
    "Rotate it where SECRET_KEY is that of the service."
)


def new_secret() -> str:
    """Return a secret that nobody knows yet."""
    return PREFIX + b64encode(secrets.token_bytes(LENGTH)).decode()


def new_ident() -> str:
    """Return what a receiver may know a message by."""
    return f"msg_{secrets.token_urlsafe(20)}"


def headers(ident: str, at: datetime, body: bytes, keys: Sequence[str]) -> dict[str, str]:
    """Return the headers of one try, with a signature for each of the secrets."""
    moment = str(int(at.timestamp()))
    signed = f"{ident}.{moment}.".encode() + body
    return {
        "webhook-id": ident,
        "webhook-timestamp": moment,
        "webhook-signature": " ".join(_signature(signed, key) for key in keys),
    }


def seal(secret: str, key: str) -> str:
    """Return a secret as it is kept; `key` is the secret of the service."""
    return _fernet(key).encrypt(secret.encode()).decode()


def unseal(sealed: str, key: str) -> str:
    """Return a secret that was sealed; raise `Conflict` when it was with another key."""
    try:
        return _fernet(key).decrypt(sealed.encode()).decode()
    except InvalidToken:
        raise Conflict(CLOSED) from None


def _signature(signed: bytes, secret: str) -> str:
    key = b64decode(secret.removeprefix(PREFIX))
    return f"v1,{b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()}"


def _fernet(key: str) -> Fernet:
    digest = hashlib.blake2b(
        b"webhooks", key=hashlib.sha256(key.encode()).digest(), digest_size=32
    ).digest()
    return Fernet(urlsafe_b64encode(digest))
