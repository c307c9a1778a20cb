from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from hypothesis import given
from hypothesis import strategies as st

from ingest.errors import RegistryError
from models.registry.signing import SIGNATURE_BYTES, Keys


@pytest.fixture
def keys(tmp_path: Path) -> Keys:
    return Keys.beside(tmp_path / "models")


def pem(key: object) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())  # type: ignore[attr-defined]


def test_the_key_is_made_at_first_use_beside_the_registry_for_its_owner_only(keys: Keys, tmp_path: Path) -> None:
    assert keys.own() is None
    signature = keys.sign(b"message")

    assert len(signature) == SIGNATURE_BYTES
    assert keys.refusal(b"message", signature) == ""
    assert keys.sign(b"message") == signature
    assert [path.name for path in tmp_path.iterdir()] == ["models.key"]
    assert (tmp_path / "models.key").stat().st_mode & 0o777 == 0o600


@pytest.fixture(scope="module")
def signed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Keys, bytes]:
    keys = Keys.beside(tmp_path_factory.mktemp("keys") / "models")
    return keys, keys.sign(b"message")


@given(place=st.integers(0, SIGNATURE_BYTES - 1), mask=st.integers(1, 255))
def test_no_byte_of_a_signature_can_be_another_one(signed: tuple[Keys, bytes], place: int, mask: int) -> None:
    keys, signature = signed
    changed = bytearray(signature)
    changed[place] ^= mask

    assert keys.refusal(b"message", bytes(changed))


@given(st.binary(max_size=300))
def test_nothing_else_is_vouched_for_and_nothing_raises(signed: tuple[Keys, bytes], noise: bytes) -> None:
    keys, signature = signed

    assert noise == b"message" or keys.refusal(noise, signature)
    assert keys.refusal(b"message", noise)


def test_a_key_of_somebody_else_counts_once_it_is_trusted(keys: Keys, tmp_path: Path) -> None:
    keys.sign(b"")
    other = Keys.beside(tmp_path / "elsewhere")
    signature = other.sign(b"message")
    public = other.own()
    assert public is not None

    assert keys.refusal(b"message", signature) == f"signed with a key that is not trusted, {public}"
    assert replace(keys, trusted=frozenset({public})).refusal(b"message", signature) == ""


def test_a_reader_without_the_private_key_trusts_what_it_is_told_to(keys: Keys) -> None:
    signature, public = keys.sign(b"message"), keys.own()
    assert public is not None
    keys.private.unlink()

    assert keys.refusal(b"message", signature)
    assert replace(keys, trusted=frozenset({public})).refusal(b"message", signature) == ""


def test_a_key_kept_elsewhere_is_used_and_never_made(tmp_path: Path) -> None:
    path = tmp_path / "safe" / "key.pem"
    keys = Keys(path, made=False)
    with pytest.raises(RegistryError, match=r"key\.pem: the key that signs models cannot be read.*openssl genpkey"):
        keys.sign(b"message")
    path.parent.mkdir()
    path.write_bytes(pem(Ed25519PrivateKey.generate()))

    assert keys.refusal(b"message", keys.sign(b"message")) == ""


@pytest.mark.parametrize("content", [b"", b"no key", pem(generate_private_key(65537, 2048))])
def test_a_file_that_holds_no_such_key_is_named(keys: Keys, content: bytes) -> None:
    keys.private.write_bytes(content)

    with pytest.raises(RegistryError, match=r"models\.key: holds no Ed25519 private key"):
        keys.sign(b"message")
