"""The address of object storage, as a person writes it."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, unquote, urlsplit

from ingest.errors import StoreError

EXAMPLE = "s3://bucket/press-hall?endpoint=http://objects.plant:9000"
_KEY, _SECRET = "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"
_OPTIONS = ("endpoint", "region")


@dataclass(frozen=True, slots=True)
class ObjectAddress:
    """Where objects lie and who asks for them.

    Attributes
    ----------
    folder : what the names of all objects begin with, without a slash at its ends; may be empty
    endpoint : of a server of one's own; Amazon's when empty
    key, secret : those of the environment, or of the computer's role at Amazon, when empty
    """

    bucket: str
    folder: str = ""
    endpoint: str = ""
    region: str = ""
    key: str = field(default="", repr=False)
    secret: str = field(default="", repr=False)

    @property
    def root(self) -> str:
        """Return what the names of all objects begin with."""
        return "s3://" + "/".join(filter(None, (self.bucket, self.folder)))

    @property
    def name(self) -> str:
        """Return the address without what must not be shown.

        Examples
        --------
        >>> read_address("s3://key:secret@bucket/press-hall").name
        's3://bucket/press-hall'
        """
        return self.root + (f" at {self.endpoint}" if self.endpoint else "")


def read_address(text: str, environment: Mapping[str, str] = os.environ) -> ObjectAddress:
    """Return the address of object storage.

    Parameters
    ----------
    environment : has a key and a secret where the address has none, under the names that all tools of S3 know

    Raises
    ------
    StoreError
        When it cannot be read. The address is not shown, since it may hold a secret.

    Examples
    --------
    >>> read_address("s3://lake/hall?endpoint=http://objects.plant:9000", {_KEY: "k", _SECRET: "s"}).endpoint
    'http://objects.plant:9000'
    """
    try:
        parts = urlsplit(text)
        options = dict(parse_qsl(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query)))
    except ValueError:
        raise _wrong("is no address of object storage") from None
    key, secret = unquote(parts.username or ""), unquote(parts.password or "")
    bucket = parts.netloc.rpartition("@")[2]
    if parts.scheme != "s3" or not bucket or parts.fragment:
        raise _wrong("is no address of object storage")
    for name in options:
        if name not in _OPTIONS:
            raise _wrong(f"has an option {name!r}; there are " + " and ".join(_OPTIONS))
    endpoint = options.get("endpoint", "").rstrip("/")
    if "endpoint" in options and not endpoint.startswith(("http://", "https://")):
        raise _wrong("has an endpoint without http:// or https://")
    if "@" in endpoint:
        raise _wrong("has a key in its endpoint; it belongs before the bucket, s3://key:secret@bucket,")
    if bool(key) != bool(secret):
        raise _wrong("has a key without a secret, or a secret without a key")
    if endpoint and not key and not (environment.get(_KEY) and environment.get(_SECRET)):
        # Without them the driver would ask a service of Amazon's own computers, which a plant does not have.
        raise StoreError(f"ANDON_LAKE: no key for {endpoint}; set {_KEY} and {_SECRET}")
    return ObjectAddress(bucket, parts.path.strip("/"), endpoint, options.get("region", ""), key, secret)


def _wrong(what: str) -> StoreError:
    return StoreError(f"ANDON_LAKE {what}; write one such as {EXAMPLE}")
