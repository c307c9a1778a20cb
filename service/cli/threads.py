"""Threads of the numeric libraries: one each, since work is spread by machines and models."""

import os

_SETTINGS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")


def limit_threads() -> None:
    """Let numeric libraries use one thread, unless the environment says how many.

    On small tables their threads wait for each other more than they work, and while they wait they hold the
    core that takes readings in. It counts for libraries that are loaded afterwards, and in child processes.
    """
    for each in _SETTINGS:
        os.environ.setdefault(each, "1")
