"""Certificates and keys of an OPC UA client, and how they secure what it says."""

from pathlib import Path
from typing import Any

from ingest.errors import SourceError
from ingest.plant_opcua import Opcua

_PEM = b"-----BEGIN"


async def secure(client: Any, stream: Opcua, folder: Path) -> None:
    """Let a client that is not connected yet sign, or encrypt, what it says.

    Raises
    ------
    SourceError
        When a file cannot be read or is no certificate.
    """
    from asyncua import ua
    from asyncua.crypto.security_policies import SecurityPolicyBasic256Sha256

    mode = {"sign": ua.MessageSecurityMode.Sign, "sign_and_encrypt": ua.MessageSecurityMode.SignAndEncrypt}
    certificate = folder / stream.certificate_file
    client.application_uri = application_uri(certificate)
    await client.set_security(
        SecurityPolicyBasic256Sha256,
        _pem_or_der(certificate),
        _pem_or_der(folder / stream.key_file),
        server_certificate=_pem_or_der(folder / stream.server_certificate_file)
        if stream.server_certificate_file
        else None,
        mode=mode[stream.security],
    )


def application_uri(certificate: Path) -> str:
    """Return the name that a certificate gives to its application; a server compares it with ours.

    Raises
    ------
    SourceError
        When the file cannot be read, or the certificate names no application.
    """
    from cryptography import x509

    content = _content(certificate)
    read = x509.load_pem_x509_certificate if content.startswith(_PEM) else x509.load_der_x509_certificate
    try:
        names = read(content).extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        return names.get_values_for_type(x509.UniformResourceIdentifier)[0]
    except (ValueError, IndexError, x509.ExtensionNotFound) as error:
        what = "names no application; make one with subjectAltName = URI:urn:andon:client"
        raise SourceError(f"{certificate} is no certificate, or {what}") from error


def _pem_or_der(path: Path) -> Any:
    """Return a file as the library wants it, which would else tell its form from its name."""
    from asyncua.crypto.uacrypto import CertProperties

    content = _content(path)
    return CertProperties(content, "pem" if content.startswith(_PEM) else "der")


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise SourceError(f"{path}: {error.strerror}") from error
