"""Sealing of secrets at rest: AES-256-GCM, bound to the account and the purpose."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

ID_BYTES = 8
_NONCE_BYTES = 12


class CannotOpen(Exception):
    """The secret was sealed with another key, for another account or purpose, or is damaged."""


class Keyring:
    """Seals with its first key and opens with any: so a key is rotated by adding one in front.

    A sealed value is the key's id (8 bytes), a nonce (12 bytes) and the ciphertext.
    """

    def __init__(self, keys: Sequence[bytes]) -> None:
        self._ciphers = {hashlib.sha256(key).digest()[:ID_BYTES]: AESGCM(key) for key in keys}
        self._current = next(iter(self._ciphers))

    @property
    def current_id(self) -> bytes:
        """The id of the key that seals."""
        return self._current

    @property
    def older_ids(self) -> list[bytes]:
        """The ids of the keys that only open."""
        return [key_id for key_id in self._ciphers if key_id != self._current]

    @classmethod
    def derived_from(cls, secret: str) -> Keyring:
        """Hold the one key that is derived from a text secret."""
        return cls([derived_key(secret)])

    def seal(self, account_id: str, purpose: str, plaintext: bytes) -> bytes:
        """Encrypt; the result opens only for the same account and purpose."""
        nonce = os.urandom(_NONCE_BYTES)
        cipher = self._ciphers[self._current]
        return self._current + nonce + cipher.encrypt(nonce, plaintext, _bound(account_id, purpose))

    def reseal(self, account_id: str, purpose: str, sealed: bytes) -> bytes:
        """Seal again with the current key. Raises `CannotOpen`."""
        return self.seal(account_id, purpose, self.open(account_id, purpose, sealed))

    def open(self, account_id: str, purpose: str, sealed: bytes) -> bytes:
        """Decrypt what `seal` made. Raises `CannotOpen`."""
        cipher = self._ciphers.get(bytes(sealed[:ID_BYTES]))
        if cipher is None:
            raise CannotOpen("no key of this keyring has sealed it")
        nonce = sealed[ID_BYTES : ID_BYTES + _NONCE_BYTES]
        try:
            return cipher.decrypt(
                nonce, sealed[ID_BYTES + _NONCE_BYTES :], _bound(account_id, purpose)
            )
        except (InvalidTag, ValueError) as error:  # the latter when it is cut off
            raise CannotOpen("the sealed value does not belong here, or is damaged") from error


def derived_key(secret: str) -> bytes:
    """Derive a key from a text secret of at least 32 characters (HKDF, RFC 5869)."""
    kdf = HKDF(algorithm=hashes.SHA256(), length=32, salt=None, info=b"cueapi secrets at rest")
    return kdf.derive(secret.encode())


def _bound(account_id: str, purpose: str) -> bytes:
    return f"{account_id}:{purpose}".encode()
