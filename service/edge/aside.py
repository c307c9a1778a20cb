"""Aside: what the centre takes in no form, one file each, in a folder of bounded size."""

import json
import os
from base64 import b64encode
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path

from service.edge.load import Load

MOST_BYTES = 256 << 20


@dataclass(frozen=True, slots=True)
class Aside:
    """A folder for people to look at.

    Attributes
    ----------
    most_bytes : when the files take more, nothing more is put aside, and nothing is sent, until a person
        has looked
    """

    folder: Path
    most_bytes: int = MOST_BYTES

    def put(self, load: Load, reason: str, now: datetime) -> str:
        """Keep a load durably; return why that is impossible, empty when it is done."""
        content = {
            "path": load.path,
            "key": load.key,
            "media_type": load.media_type,
            "reason": reason,
            "at": now.isoformat(),
            "base64": b64encode(load.body()).decode(),
        }
        text = json.dumps(content)
        if self._bytes() + len(text) > self.most_bytes:
            return f"{self.folder} is full ({self.most_bytes / 1e6:,.0f} MB): look at it and empty it"
        path = self.folder / f"{sha256(load.key.encode()).hexdigest()[:32]}.json"
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with path.with_suffix(".new").open("w", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            path.with_suffix(".new").replace(path)
            _sync(self.folder)
        except OSError as error:
            return f"{self.folder}: cannot be written ({error.strerror})"
        return ""

    def count(self) -> int:
        """Return how many files there are."""
        return sum(1 for _ in self.folder.glob("*.json"))

    def _bytes(self) -> int:
        return sum(each.stat().st_size for each in self.folder.glob("*.json"))


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
