"""Whom to trust when a connection is encrypted."""

import ssl
from pathlib import Path

from ingest.errors import DeliveryError


def trust(ca_file: Path | None) -> ssl.SSLContext:
    """Return what tells a certificate that is trusted from one that is not.

    Parameters
    ----------
    ca_file : PEM file of authorities; those of the system when left out

    Raises
    ------
    DeliveryError
        If the file is not there or is no such file.
    """
    try:
        return ssl.create_default_context(cafile=ca_file)
    except OSError as error:
        raise DeliveryError(f"{ca_file}: cannot be used as a file of authorities ({error})") from error
