"""Which version of each model was live when: an append-only file, one change a line, chained by hashes."""

import json
import os
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Literal

from ingest.errors import RegistryError


@dataclass(frozen=True, slots=True)
class Change:
    """One change of what is live: when, by whom and why.

    Attributes
    ----------
    against : what stood against a version that was promoted all the same; empty when nothing did
    """

    what: Literal["promote", "rollback"]
    model: str
    version: str
    at: datetime
    by: str
    why: str
    against: str = ""


class LiveHistory:
    """Reads and appends changes; whoever appends holds the registry's lock.

    A last line without its line end was cut off by a crash and counts as never written; any other
    line that does not follow from the one before it makes the file unusable.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def append(self, change: Change) -> None:
        """Write one change durably."""
        lines, whole = self._lines()
        entry = {
            "what": change.what,
            "model": change.model,
            "version": change.version,
            "at": change.at.isoformat(),
            "by": change.by,
            "why": change.why,
            # Left out where there is none, so that lines from before it stay as they were.
            **({"against": change.against} if change.against else {}),
        }
        before = json.loads(lines[-1])["chain"] if lines else ""
        text = json.dumps({**entry, "chain": _chain(before, entry)}, sort_keys=True, ensure_ascii=False) + "\n"
        try:
            handle = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o644)
            try:
                os.ftruncate(handle, whole)
                os.lseek(handle, 0, os.SEEK_END)
                os.write(handle, text.encode())
                os.fsync(handle)
            finally:
                os.close(handle)
        except OSError as error:
            raise RegistryError(f"{self.path}: cannot be written ({error.strerror or error})") from error

    def changes(self) -> list[Change]:
        """Return all changes in the order in which they were made.

        Raises
        ------
        RegistryError
            When a line was altered, removed or put in between.
        """
        lines, _ = self._lines()
        found, before = [], ""
        for number, line in enumerate(lines, start=1):
            try:
                entry = json.loads(line)
                chain = entry.pop("chain")
                change = Change(**{**entry, "at": datetime.fromisoformat(entry["at"])})
            except (ValueError, TypeError, KeyError, AttributeError) as error:
                raise self._altered(number) from error
            if chain != _chain(before, entry):
                raise self._altered(number)
            found.append(change)
            before = chain
        return found

    def now(self, model: str, at: datetime | None = None) -> Change | None:
        """Return the change that made the version live that is live, or was at some moment; ``None`` if none is.

        After a rollback it is the rollback: it says who went back, when, and from what.
        """
        found = None
        for change in self.changes():
            if change.model == model and (at is None or change.at <= at.astimezone(UTC)):
                found = change
        return found

    def stack(self, model: str, at: datetime | None = None) -> list[str]:
        """Return the versions that a rollback could go back to, the live one last."""
        return self.stacks(at).get(model, [])

    def stacks(self, at: datetime | None = None) -> dict[str, list[str]]:
        """Return, for each model, the versions that a rollback could go back to, the live one last."""
        stacks: dict[str, list[str]] = {}
        for change in self.changes():
            if at is None or change.at <= at.astimezone(UTC):
                stack = stacks.setdefault(change.model, [])
                if change.what == "promote":
                    stack.append(change.version)
                elif stack:
                    stack.pop()
        return stacks

    def _altered(self, line: int) -> RegistryError:
        return RegistryError(
            f"{self.path}: line {line} was altered; restore the file from a backup, or remove it and promote again"
        )

    def _lines(self) -> tuple[list[bytes], int]:
        """Return the whole lines and their length in bytes."""
        content = self.path.read_bytes() if self.path.exists() else b""
        whole = content.rfind(b"\n") + 1
        if not b'{"'.startswith(content[whole:][:2]):
            # What a crash left behind is the beginning of a line.
            raise self._altered(content.count(b"\n") + 1)
        return content[:whole].splitlines(), whole


def _chain(before: str, entry: dict[str, str]) -> str:
    return sha256((before + json.dumps(entry, sort_keys=True, ensure_ascii=False)).encode()).hexdigest()
