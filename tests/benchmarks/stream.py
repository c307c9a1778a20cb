"""Speed of features message by message: ``python -m tests.benchmarks.stream [--json] [--quick]``.

One machine with ten signals, one reading of each a second, windows of 256 s; a message brings one reading
of each signal. A window is due with every 64th message, or with every message. The features are those of
moments, those of the compiled kernels, or all that the catalogue has of signals. Speed is by the time on the
processor, so that other work on the machine slows it little; delays are on the wall and do suffer. That what
is streamed is what is extracted is checked first.

Peers in the same run: pandas, which works six statistics out of a frame of the window whenever one is due;
River, which brings eight rolling statistics up to date with every message, in an environment of its own,
made on the first run in the folder for temporary files and left out when that fails.
"""

import argparse
import json
import subprocess
import tempfile
import time
import venv
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from features.catalogue import FEATURES
from features.extract import extract
from features.kernels.names import KERNELS
from features.microsecond import moment
from features.recipe import Recipe
from features.stream import Stream
from ingest.reading import TIME, Readings
from ingest.store import Store

START = datetime(2026, 1, 1, tzinfo=UTC)
SECOND = timedelta(seconds=1)
SIGNALS = tuple(f"signal{place}" for place in range(10))
WINDOW = 256
OF_MOMENTS = tuple(each.name for each in FEATURES if each.kind in ("moments", "newest"))
OF_SIGNALS = tuple(each.name for each in FEATURES if each.of_moments or each.of_rows or each.of_timed or each.by_kernel)
GOALS = {"signal updates/s": 300_000, "p99 of a message": 60}

Figures = dict[str, float]


def recipe_of(features: Sequence[str], stride: int) -> Recipe:
    """Return a recipe of windows of 256 s."""
    return Recipe(
        machine_class="press", signals=SIGNALS, windows=(WINDOW * SECOND,), stride=stride * SECOND,
        features=tuple(features), every=(SECOND,) * len(SIGNALS),
    )  # fmt: skip


def messages_of(count: int) -> NDArray[np.float64]:
    """Return readings, shape (messages, signals)."""
    return np.random.default_rng(0).normal(50, 3, (count, len(SIGNALS)))


def readings_of(messages: NDArray[np.float64], first: int) -> Readings:
    """Return messages as readings; the first one came ``first`` seconds after the start."""
    times = pa.array(moment(START) + 1_000_000 * (first + np.arange(len(messages)))).cast(TIME)
    columns = {name: messages[:, place] for place, name in enumerate(SIGNALS)}
    return Readings("press", pa.table({"machine": ["m"] * len(messages), "time": times, "arrived": times, **columns}))


def run_andon(recipe: Recipe, count: int) -> Figures:
    """Stream messages behind a window that is in the store; say memory beside."""
    messages, begin = messages_of(count + WINDOW), moment(START)
    with tempfile.TemporaryDirectory() as folder:
        store = Store(Path(folder))
        store.append(readings_of(messages[:WINDOW], 0), source="benchmark", position="")
        stream = Stream(recipe, store, since=START)
        stream.update()
        rows = messages[WINDOW:].tolist()
        newest = [np.empty(0)]

        def put(number: int) -> None:
            streamed = stream.put("m", begin + 1_000_000 * (WINDOW + number), rows[number])
            if len(streamed):
                newest[0] = streamed.table.values[-1]

        found = _timed(put, count)
        store.append(readings_of(messages[WINDOW:], WINDOW), source="benchmark", position="")
        end = START + (WINDOW + count - 1) * SECOND
        expected = extract(recipe, store, ["m"], end - 2 * recipe.stride, end).values[-1]
        if newest[0].tobytes() != expected.tobytes():
            raise SystemExit("what was streamed is not what is extracted")
        store.close()
    return found | {"bytes a signal": stream.bytes / len(SIGNALS)}


def run_pandas(stride: int, count: int) -> Figures:
    """Work six statistics out of a frame of the last 256 messages whenever a window is due."""
    messages = messages_of(count + WINDOW)

    def put(number: int) -> None:
        if number % stride == 0:
            frame = pd.DataFrame(messages[number : number + WINDOW])
            for name in ("mean", "std", "min", "max", "skew", "kurt"):
                getattr(frame, name)()

    return _timed(put, count)


def run_river(count: int) -> Figures | None:
    """Run River in an environment of its own; ``None`` when it cannot be had."""
    folder = Path(tempfile.gettempdir()) / "andon-benchmark-river"
    python = folder / "bin" / "python"
    try:
        if not python.exists():
            venv.create(folder, with_pip=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", "river"], check=True, capture_output=True)
        peer = Path(__file__).with_name("river_peer.py")
        done = subprocess.run([python, peer, str(count)], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    found = json.loads(done.stdout)
    return _figures(np.array(found["took"]), found["processor"])


def _timed(put: Callable[[int], None], count: int) -> Figures:
    took = np.empty(count)
    begun = time.process_time()
    for number in range(count):
        before = time.perf_counter()
        put(number)
        took[number] = time.perf_counter() - before
    return _figures(took, time.process_time() - begun)


def _figures(took: NDArray[np.float64], processor: float) -> Figures:
    p50, p99 = np.percentile(took, [50, 99]) * 1e6
    return {
        "signal updates/s": len(took) * len(SIGNALS) / processor,
        "median of a message": float(p50),
        "p99 of a message": float(p99),
    }


def measure(*, quick: bool) -> list[dict[str, Any]]:
    """Return the rows of the benchmark: name, value, unit, goal, peer, peer_value, ratio."""
    runs, rows = (1, []) if quick else (5, [])
    river = _medians(lambda: run_river(500 if quick else 2000), runs)
    for stride, count in ((64, 6400), (1, 300 if quick else 1000)):
        pandas = _medians(lambda: run_pandas(stride, count // (4 if stride == 1 else 1)), runs)  # noqa: B023
        for label, features in (("moments", OF_MOMENTS), ("kernels", KERNELS), ("all", OF_SIGNALS)):
            recipe = recipe_of(features, stride)
            run_andon(recipe, 2 * WINDOW)
            ours = _medians(lambda: run_andon(recipe, count), runs)  # noqa: B023
            due = "each message" if stride == 1 else f"every {stride}th message"
            name = f"{len(features)} features ({label}), due with {due}"
            for figure, value in (ours or {}).items():
                for peer, theirs in (("pandas, 6 statistics", pandas), ("River, 8 statistics", river)):
                    rows.append(_row(f"{name}: {figure}", figure, value, peer, (theirs or {}).get(figure)))
    return rows


def _medians(run: Callable[[], Figures | None], runs: int) -> Figures | None:
    found = [each for each in (run() for _ in range(runs)) if each is not None]
    return {name: median(each[name] for each in found) for name in found[0]} if found else None


def _row(name: str, figure: str, value: float, peer: str, theirs: float | None) -> dict[str, Any]:
    faster = figure.endswith("/s")
    ratio = None if theirs is None else value / theirs if faster else theirs / value
    return {
        "name": name,
        "value": round(value, 1),
        "unit": "1/s" if faster else "µs" if figure.endswith("message") else "B",
        "goal": GOALS.get(figure),
        "peer": None if theirs is None else peer,
        "peer_value": None if theirs is None else round(theirs, 1),
        "ratio": None if ratio is None else round(ratio, 1),
    }


def main() -> None:
    """Print the figures as a table or as JSON."""
    parser = argparse.ArgumentParser(description="Speed of features message by message.")
    parser.add_argument("--json", action="store_true", help="print rows as JSON")
    parser.add_argument("--quick", action="store_true", help="fewer messages, one run")
    arguments = parser.parse_args()
    rows = measure(quick=arguments.quick)
    print(json.dumps(rows, indent=1) if arguments.json else pd.DataFrame(rows).to_string(index=False))


if __name__ == "__main__":
    main()
