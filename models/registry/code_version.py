"""Which code made a model: the release, and a hash of the sources that have a say in what is learnt."""

from functools import cache
from hashlib import sha256
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

_PACKAGES = ("features", "ingest", "models")
_DIGITS = 16


@cache
def code_version() -> dict[str, str]:
    """Return the release and the hash of the sources of ``ingest``, ``features`` and ``models``.

    Between two releases the number stays while the code changes; the hash tells them apart.
    """
    root, digest = Path(__file__).parents[2], sha256()
    for package in _PACKAGES:
        for path in sorted((root / package).rglob("*.py")):
            digest.update(f"{path.relative_to(root).as_posix()}\n".encode() + sha256(path.read_bytes()).digest())
    try:
        release = version("andon")
    except PackageNotFoundError:
        release = "not installed"
    return {"release": release, "sources": digest.hexdigest()[:_DIGITS]}
