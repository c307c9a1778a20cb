"""Work on its way to another process, which must be the same programme to give the same bytes."""

import hashlib
import pickle
import platform
import traceback
from collections import OrderedDict
from collections.abc import Callable
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from threading import Lock
from typing import Any, NamedTuple

from ingest.errors import AndonError, EngineError
from models.engine.place import Carried

_MOST_OPEN = 4
_PACKAGES = ("numpy", "scipy", "pandas", "pyarrow", "scikit-learn", "numba")


class Parcel(NamedTuple):
    """Packed work.

    Attributes
    ----------
    content : the work and what all its units share; only ever unpacked by processes that do our work anyway
    made_by : what decides about the bytes of results, see ``programme``
    """

    digest: str
    content: bytes
    made_by: tuple[tuple[str, str], ...]


def packed(work: Callable[..., Any], shared: tuple[Any, ...]) -> Parcel:
    """Pack work and what all its units share."""
    content = pickle.dumps((work, shared), protocol=pickle.HIGHEST_PROTOCOL)
    return Parcel(hashlib.sha256(content).hexdigest(), content, programme())


def carry(parcel: Parcel, arguments: tuple[Any, ...]) -> Carried:
    """Do packed work with the arguments of one unit; what it raises is returned."""
    try:
        _check_same(parcel.made_by)
        work, shared = _unpacked(parcel)
    except Exception as error:
        return False, EngineError(f"the worker on {platform.node()} cannot take up the work: {error}")
    done, result = carried(work, shared, arguments)
    return done, result if done else _sendable(result)


def carried(work: Callable[..., Any], shared: tuple[Any, ...], arguments: tuple[Any, ...]) -> Carried:
    """Do work with the arguments of one unit; what it raises is returned, but for want of memory."""
    try:
        return True, work(*shared, *arguments)
    except MemoryError:
        raise
    except Exception as error:
        return False, error


@cache
def programme() -> tuple[tuple[str, str], ...]:
    """Return versions, and the digest of our own source: what decides about the bytes of results."""
    return (
        ("Python", ".".join(platform.python_version_tuple()[:2])),
        *((name, _version(name)) for name in _PACKAGES),
        ("code of Andon", _own_code()),
    )


def _own_code() -> str:
    digest, root = hashlib.sha256(), Path(__file__).parents[2]
    for package in ("ingest", "features", "models"):
        for path in sorted((root / package).rglob("*.py")):
            digest.update(path.relative_to(root).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:12]


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "none"


def _check_same(made_by: tuple[tuple[str, str], ...]) -> None:
    other = [f"{name} {ours}, not {theirs}" for (name, theirs), (_, ours) in zip(made_by, programme(), strict=True)
             if ours != theirs]  # fmt: skip
    if other:
        raise EngineError(f"it has {'; '.join(other)}, and results could differ; install the same there as here")


_open: OrderedDict[str, tuple[Callable[..., Any], tuple[Any, ...]]] = OrderedDict()
_opening = Lock()


def _unpacked(parcel: Parcel) -> tuple[Callable[..., Any], tuple[Any, ...]]:
    """Unpack once per process, not once per unit."""
    with _opening:
        found = _open.pop(parcel.digest, None)
        if found is None:
            found = pickle.loads(parcel.content)  # noqa: S301 – from the process that tells us what to run
        _open[parcel.digest] = found
        while len(_open) > _MOST_OPEN:
            _open.popitem(last=False)
    return found


def _sendable(error: Exception) -> Exception:
    """Return an exception that survives the way, with its traceback as a note where it is a mistake of ours."""
    try:
        kept = pickle.loads(pickle.dumps(error))  # noqa: S301 – our own
    except Exception:
        kept = EngineError(f"{type(error).__name__}: {error}")
    if not isinstance(error, AndonError):
        kept.add_note("".join(traceback.format_exception(error)))
    return kept
