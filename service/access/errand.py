"""Errands: what a browser keeps while it is at an issuer, and has to bring back."""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import asdict, dataclass
from hmac import compare_digest
from typing import Self

from service.access.token import new_token

LONGEST = 3_000
"""Letters of an errand as a cookie; browsers drop cookies of more than 4,096 bytes, name and all."""


@dataclass(frozen=True, slots=True)
class Errand:
    """The way to an issuer and back of one browser.

    Attributes
    ----------
    state : ties the way back to this browser
    nonce : ties the token to it
    verifier : ties the code to it
    following : page to go on to
    """

    state: str
    nonce: str
    verifier: str
    following: str

    @classmethod
    def begin(cls, following: str) -> Self:
        """Begin one that nobody can guess; a page to go on to that is too long is the first one."""
        errand = cls(new_token(), new_token(), new_token(), following)
        return errand if len(errand.kept()) <= LONGEST else cls.begin("/")

    def is_of(self, state: str) -> bool:
        """Say whether a state is the one that was sent along."""
        return compare_digest(self.state.encode(), state.encode(errors="replace"))

    def kept(self) -> str:
        """Return it as a cookie holds it."""
        return urlsafe_b64encode(json.dumps(asdict(self)).encode()).decode()

    @classmethod
    def read(cls, kept: str) -> Self | None:
        """Return what a cookie holds; ``None`` if that is no errand."""
        try:
            errand = cls(**json.loads(urlsafe_b64decode(kept[:LONGEST].encode())))
        except (ValueError, TypeError, RecursionError):
            return None
        whole = all(isinstance(each, str) and each and each.isprintable() for each in asdict(errand).values())
        return errand if whole else None
