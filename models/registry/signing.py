"""Who vouches for a version: the Ed25519 key of this installation, and the public keys that it trusts."""

import os
import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from tempfile import mkstemp
from typing import TYPE_CHECKING, Self

from ingest.errors import RegistryError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

SIGNATURE_BYTES = 64 + 1 + 128 + 1
"""A signature as it is written: the public key and what it signed, in hexadecimal digits."""

_WRITTEN = re.compile(rb"([0-9a-f]{64}) ([0-9a-f]{128})\n")
_PURPOSE = b"andon model version\n"
"""Goes before all that is signed, so that no signature made for another purpose passes for one of a version."""


@dataclass(frozen=True, slots=True)
class Keys:
    """The key that signs, and those whose signatures count.

    Attributes
    ----------
    private : file of the private key, PEM; what it signs is trusted
    trusted : further public keys, 64 hexadecimal digits each
    made : whether a key may be made where there is none
    purpose : goes before all that is signed
    """

    private: Path
    trusted: frozenset[str] = frozenset()
    made: bool = True
    purpose: bytes = _PURPOSE

    @classmethod
    def beside(cls, folder: Path, trusted: frozenset[str] = frozenset()) -> Self:
        """Return the key beside a registry: whoever gets hold of a copy of the folder cannot sign."""
        return cls(folder.with_name(f"{folder.name}.key"), trusted)

    def sign(self, message: bytes) -> bytes:
        """Return the signature of a message, ``SIGNATURE_BYTES`` long; the key is made at first use.

        Raises
        ------
        RegistryError
            When there is no key and none may be made, or the file holds none.
        """
        if self.made and not self.private.exists():
            _make(self.private)
        key = _read(self.private)
        public = key.public_key().public_bytes_raw().hex()
        return f"{public} {key.sign(self.purpose + message).hex()}\n".encode()

    def refusal(self, message: bytes, signature: bytes) -> str:
        """Return why a signature does not vouch for a message; empty when it does."""
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

        written = _WRITTEN.fullmatch(signature)
        if written is None:
            return "its signature was altered"
        public, signed = written[1].decode(), bytes.fromhex(written[2].decode())
        if public not in self.public():
            return f"signed with a key that is not trusted, {public}"
        try:
            Ed25519PublicKey.from_public_bytes(bytes.fromhex(public)).verify(signed, self.purpose + message)
        except (InvalidSignature, ValueError):
            return "it was altered after it was saved, or its signature was"
        return ""

    def public(self) -> frozenset[str]:
        """Return the public keys that count, in hexadecimal digits; the own one only where it can be read."""
        own = self.own()
        return self.trusted if own is None else self.trusted | {own}

    def own(self) -> str | None:
        """Return the public key that belongs to the private one; ``None`` where that cannot be read."""
        try:
            seen = self.private.stat()
            return _public_of(self.private, seen.st_mtime_ns, seen.st_size)
        except (OSError, RegistryError):
            return None


@lru_cache(maxsize=16)
def _public_of(path: Path, _mtime_ns: int, _size: int) -> str:
    return _read(path).public_key().public_bytes_raw().hex()


def _read(path: Path) -> "Ed25519PrivateKey":
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        key = load_pem_private_key(path.read_bytes(), password=None)
    except OSError as error:
        raise RegistryError(
            f"{path}: the key that signs models cannot be read ({error.strerror or error}); restore it, or make one:"
            f" openssl genpkey -algorithm ed25519 -out {path.name}"
        ) from error
    except (ValueError, TypeError) as error:  # not PEM, damaged, or with a password
        raise _no_key(path) from error
    if not isinstance(key, Ed25519PrivateKey):
        raise _no_key(path)
    return key


def _make(path: Path) -> None:
    """Write a new private key that only its owner can read; the caller holds a lock."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    text = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    try:
        handle, beside = mkstemp(dir=path.parent, prefix=f".{path.name}-")  # made with mode 0600
        with os.fdopen(handle, "wb") as file:
            file.write(text)
            file.flush()
            os.fsync(handle)
        Path(beside).replace(path)
    except OSError as error:
        raise RegistryError(f"{path}: the key that signs models cannot be written ({error.strerror or error})") from (
            error
        )


def _no_key(path: Path) -> RegistryError:
    return RegistryError(
        f"{path}: holds no Ed25519 private key without a password, PEM; restore the file, or move it away and train"
        " again"
    )
