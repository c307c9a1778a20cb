"""Passwords: Argon2id, and a hash for whoever has none, so that both take as long to be refused."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import BoundedSemaphore

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from ingest.errors import AccessError, IntakeFullError

SHORTEST, LONGEST = 12, 256
_FEWEST_LETTERS = 5
AT_ONCE = 2
"""Passwords that are hashed at a time: each takes 64 MiB."""

MOST_WAITING = 8
"""More than that are refused at once: whoever waits holds a thread that pages need."""


class Passwords:
    """Hashes and verifies.

    Parameters
    ----------
    hasher : with the parameters of new hashes; those of RFC 9106 for little memory when left out
    """

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        self._hasher = hasher or PasswordHasher()
        self._turn, self._room = BoundedSemaphore(AT_ONCE), BoundedSemaphore(AT_ONCE + MOST_WAITING)
        self._nobodys = ""

    def hashed(self, password: str) -> str:
        """Return what to keep of a password, with salt and parameters in it.

        Raises
        ------
        IntakeFullError
            When too many are hashed at once, as in ``verify``.
        """
        with self._place():
            return self._hasher.hash(password)

    def verify(self, kept: str, password: str) -> bool:
        """Say whether it is the password; where none is kept, take as long to say no."""
        if not kept and not self._nobodys:
            self._nobodys = self.hashed("nobody's")
        with self._place():
            try:
                return self._hasher.verify(kept or self._nobodys, password) and bool(kept)
            except (VerificationError, InvalidHashError):
                return False

    @contextmanager
    def _place(self) -> Iterator[None]:
        if not self._room.acquire(blocking=False):
            raise IntakeFullError("too many sign in at once; try again in a moment")
        try:
            with self._turn:
                yield
        finally:
            self._room.release()

    def outdated(self, kept: str) -> bool:
        """Say whether a hash was made with other parameters than those of today."""
        return self._hasher.check_needs_rehash(kept)


def checked(password: str, name: str) -> str:
    """Return a password that somebody wants, if it will do.

    Raises
    ------
    AccessError
        With what would be right, if not.

    Examples
    --------
    >>> checked("correct horse battery", "Ines")
    'correct horse battery'
    >>> checked("ines-ines-ines", "Ines")
    Traceback (most recent call last):
    ingest.errors.AccessError: this password is easily guessed; several words that do not belong together are good
    """
    if not SHORTEST <= len(password) <= LONGEST:
        raise AccessError(f"a password has {SHORTEST} to {LONGEST} letters; this one has {len(password)}")
    rest = password.casefold().replace(name.casefold(), "")
    if len(set(rest)) < _FEWEST_LETTERS:
        raise AccessError("this password is easily guessed; several words that do not belong together are good")
    return password
