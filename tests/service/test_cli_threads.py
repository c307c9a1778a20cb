"""Commands leave a core to those who take readings in."""

import os
import subprocess
import sys

import pytest

_COMMAND = """
import contextlib
from service.cli.main import main
with contextlib.suppress(SystemExit):
    main(["train", "--help"])
import sklearn.ensemble
from threadpoolctl import threadpool_info
print(*{each["num_threads"] for each in threadpool_info()})
"""


@pytest.mark.parametrize("said", ["1", "2"])
def test_numeric_libraries_use_one_thread_unless_the_environment_says_how_many(said: str) -> None:
    threads = {each: said for each in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS") if said != "1"}
    unset = {name: value for name, value in os.environ.items() if not name.endswith("_NUM_THREADS")}

    ended = subprocess.run(
        [sys.executable, "-c", _COMMAND], capture_output=True, text=True, env={**unset, **threads}, check=True
    )

    assert ended.stdout.splitlines()[-1] == said
