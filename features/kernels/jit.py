"""How functions are compiled: kept on disk, without Python's lock, and never assuming away NaN."""

from collections.abc import Callable
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Any, TypeVar

import numba
from numba.extending import intrinsic

SUMS = {"reassoc", "contract", "nsz", "arcp"}
"""Sums may be added up in the order that vector instructions like; NaN and infinity keep their meaning."""

Function = TypeVar("Function", bound=Callable[..., Any])


def jit(function: Function) -> Function:
    """Compile a function exactly as it is written."""
    return _compiled(function, False)


def jit_sums(function: Function) -> Function:
    """Compile a function whose sums may be added up in any fixed order.

    The compiler may also take a level off a whole sum instead of off each sample, which loses all digits of a
    small deviation on a large mean: such a function sums up what is given to it and subtracts nothing.
    """
    return _compiled(function, SUMS)


def jit_finite(function: Function) -> Function:
    """Compile a function whose arguments hold finite numbers only; its caller has looked."""
    return _compiled(function, SUMS | {"nnan"})


def instruction(function: Callable[..., Any]) -> Any:
    """Make a function that writes machine instructions itself, given the types of its arguments."""
    return intrinsic(function)


def _compiled(function: Function, fastmath: Any) -> Function:
    options: dict[str, Any] = {"nogil": True, "error_model": "numpy", "fastmath": fastmath}
    try:
        return _kept_while_nothing_changes(numba.njit(cache=True, **options)(function))
    except (RuntimeError, AttributeError):  # no folder that may be written to: compile anew in each process
        return numba.njit(**options)(function)


def _kept_while_nothing_changes(dispatcher: Any) -> Any:
    """Let what lies on disk be out of date when any of the kernels changes.

    numba looks at the file of the function alone: one that calls what has changed elsewhere would stay as it was.
    """
    kept = dispatcher._cache._cache_file
    kept._source_stamp = f"{kept._source_stamp} {_sources()}"
    return dispatcher


@lru_cache(maxsize=1)
def _sources() -> str:
    """Return what all kernels are written as, in short."""
    every = sorted(Path(__file__).parent.glob("*.py"))
    return sha256(b"".join(each.read_bytes() for each in every)).hexdigest()
