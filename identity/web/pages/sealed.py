"""What an address carries without anybody reading it there.

Addresses end up in histories and logs, and a search or a ruling may name an email. Sealed with
the secret of the service it can be opened again, in another tab and by a colleague, as long as
that secret stays the same.
"""

import hashlib
import json
from base64 import urlsafe_b64encode
from typing import Any

from cryptography.fernet import Fernet, InvalidToken

from identity.errors import NotFound
from identity.web import current


def seal(content: object, purpose: str) -> str:
    """Return `content`, which is anything JSON can hold, as letters for an address.

    What is sealed for one purpose cannot be opened for another.
    """
    return _fernet(purpose).encrypt(json.dumps(content).encode()).decode()


def unseal(sealed: str, purpose: str) -> Any:
    """Return what was sealed; raise `NotFound` when it was not sealed here, or not for that."""
    try:
        return json.loads(_fernet(purpose).decrypt(sealed.encode()))
    except InvalidToken:
        raise NotFound("This address is not complete, or no longer good.") from None


def _fernet(purpose: str) -> Fernet:
    secret = current.secret_key().encode()
    key = hashlib.blake2b(purpose.encode(), key=hashlib.sha256(secret).digest(), digest_size=32)
    return Fernet(urlsafe_b64encode(key.digest()))
