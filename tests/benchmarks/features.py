"""Speed and memory of features: ``python -m tests.benchmarks.features [--json] [--quick]``.

22 features of windows of 256 samples every 64, of 1,000 series × 10,000 samples, by the kernels on one thread and on
two, and by other libraries on fewer of the same series, each in a process of its own. The others are installed into
an environment of their own, which is kept in the user's cache. First it is looked whether all say the same; then
come the rows. Each is the median of its runs. A speed "on the wall" suffers from other work on the machine; one "per
processor second" hardly does, and is what ratios of one core are made of. Of two threads both are printed, since only
the wall says whether they work side by side.

``tests.benchmarks.extraction`` adds whole feature tables, from readings in Arrow to columns; ``stream``, ``vibration``
and ``year`` beside it add messages, snapshots, and a year of a plant, each in a process of its own.
"""

import argparse
import hashlib
import json
import os
import statistics
import subprocess
import sys
import time
import venv
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from features.kernels.names import KERNELS, MOMENTS, ORDERED
from features.kernels.windows import Engine, Even, compiled_is_there, window_features
from tests.benchmarks import extraction, window_peers
from tests.benchmarks.window_peers import LENGTH, SHOWN, STRIDE, peak_megabytes, series_of

PEERS = ("bottleneck>=1.4", "numpy>=2", "pandas>=2.2", "polars>=1.20", "tsflex>=0.4", "tsfresh>=0.21", "tsfel>=0.2")
Row = dict[str, Any]

OURS: dict[str, tuple[tuple[str, ...], int, int, Engine, str]] = {
    "22 features, one thread": (KERNELS, STRIDE, 1, "compiled", "float64"),
    "22 features, two threads": (KERNELS, STRIDE, 2, "compiled", "float64"),
    "22 features, plain numpy, one thread": (KERNELS, STRIDE, 1, "plain", "float64"),
    "22 features of float32, one thread": (KERNELS, STRIDE, 1, "compiled", "float32"),
    "13 features of moments, one thread": (MOMENTS, STRIDE, 1, "compiled", "float64"),
    "13 features of moments, two threads": (MOMENTS, STRIDE, 2, "compiled", "float64"),
    "stride 1, 13 features, one thread": (MOMENTS, 1, 1, "compiled", "float64"),
    "stride 1, 13 features, two threads": (MOMENTS, 1, 2, "compiled", "float64"),
    "stride 1, 3 quantiles, one thread": (ORDERED, 1, 1, "compiled", "float64"),
}
"""For each row: features, stride, threads, path and type."""

GOALS = {
    "22 features, one thread": 25_000_000,
    "22 features, two threads": 50_000_000,
    "13 features of moments, two threads": 500_000_000,
    "stride 1, 13 features, two threads": 30_000_000,
}
AGAINST = {
    "22 features, one thread": (
        *("tsflex_fused", "tsflex_fused_vectorised", "tsflex_vectorised", "tsflex_plain"),
        *("tsfresh", "tsfel", "pandas", "polars"),
    ),
    "22 features, two threads": ("tsflex_fused",),
    "22 features, plain numpy, one thread": ("tsflex_fused", "tsflex_fused_vectorised"),
    "stride 1, 13 features, one thread": ("pandas_each", "bottleneck"),
}
WHAT = {
    "tsflex_fused": "tsflex, one function of all 22",
    "tsflex_fused_vectorised": "tsflex, one function of all windows that is written by hand in numpy",
    "tsflex_vectorised": "tsflex, 22 vectorised functions",
    "tsflex_plain": "tsflex, 22 plain functions",
    "tsfresh": "tsfresh, closest settings",
    "tsfel": "TSFEL, closest features",
    "pandas": "pandas rolling(step), 9 features",
    "polars": "polars group_by_dynamic, 17 features",
    "pandas_each": "pandas rolling, 6 features",
    "bottleneck": "bottleneck, 4 features",
}
SLOW = ("tsflex_plain", "tsfresh", "tsfel")


def run_ours(name: str, series: int, samples: int, runs: int) -> Row:
    """Return the clocks of each run, the peak memory beyond input and output, and what is shown."""
    names, stride, threads, engine, kind = OURS[name]
    values = series_of(series, samples)
    if kind == "float32":
        values = values.astype(kind)
    windows = Even(LENGTH, stride)
    found = window_features(values[:1, : 4 * LENGTH], windows, names, threads=threads, engine=engine)
    before, clocks, size = peak_megabytes(anew=True), [], 0
    for _ in range(runs):
        begin = time.perf_counter(), time.process_time()
        out = window_features(values, windows, names, threads=threads, engine=engine)
        clocks.append((time.perf_counter() - begin[0], time.process_time() - begin[1]))
        size = out.nbytes
        del out
    shown = {each: found[place, 0, :SHOWN].tolist() for place, each in enumerate(names)}
    return {"clocks": clocks, "peak_megabytes": peak_megabytes() - before - size / 1e6, "shown": shown}


def peers_python() -> Path:
    """Return the interpreter of the environment of the other libraries, which is made if there is none."""
    key = hashlib.sha256(repr((PEERS, sys.version_info[:2])).encode()).hexdigest()[:12]
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = cache / "andon" / f"benchmark-peers-{key}"
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    if not (folder / "ready").exists():
        print(f"installing {', '.join(PEERS)} into {folder}", file=sys.stderr)
        venv.create(folder, with_pip=True, clear=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", *PEERS], check=True)
        (folder / "ready").touch()
    return python


def in_child(name: str, series: int, samples: int, runs: int) -> Row:
    """Measure one contender in a process of its own."""
    sizes = [str(series), str(samples), str(runs)]
    if name in OURS:
        command = [sys.executable, "-m", "tests.benchmarks.features", "--one", name, *sizes]
    else:
        # -P: what lies beside the script must not stand for modules of the same name.
        command = [str(peers_python()), "-P", window_peers.__file__, name, *sizes]
    run = subprocess.run(command, check=False, capture_output=True, text=True)
    if run.returncode:
        raise SystemExit(f"{name}: {run.stderr.strip().splitlines()[-1]}")
    found: Row = json.loads(run.stdout.splitlines()[-1])
    values = series * samples
    found["wall"] = values / statistics.median(wall for wall, _ in found["clocks"])
    found["processor"] = values / statistics.median(processor for _, processor in found["clocks"])
    return found


def disagreements(ours: Row, theirs: Row) -> list[str]:
    """Return the features that two contenders do not agree on to 1e-9 of their size."""
    return [
        name
        for name, values in theirs["shown"].items()
        if name in ours["shown"] and not np.allclose(ours["shown"][name], values, rtol=1e-9, atol=1e-9)
    ]


def measure(*, quick: bool) -> list[Row]:
    """Return the rows of the benchmark: name, value, unit, goal, peer, peer_value, ratio (of speed)."""
    series, runs = (100, 3) if quick else (1000, 5)
    ours = {name: in_child(name, series // 10 if OURS[name][1] == 1 else series, 10_000, runs) for name in OURS}
    theirs = {
        name: in_child(name, 4 if name in SLOW else 100, 10_000, 1 if name in SLOW and quick else runs) for name in WHAT
    }
    for name, against in AGAINST.items():
        for peer in against:
            wrong = disagreements(ours[name], theirs[peer])
            if wrong:
                raise SystemExit(f"{name} and {WHAT[peer]} do not agree on {', '.join(wrong)}")
    rows = []
    for name, found in ours.items():
        for clock in ("processor", "wall") if "two threads" in name else ("processor",):
            for peer in AGAINST.get(name, ("",)):
                other = theirs[peer][clock] if peer else None
                rows.append(
                    {
                        "name": name,
                        "value": round(found[clock]),
                        "unit": "values/s on the wall" if clock == "wall" else "values/processor second",
                        "goal": GOALS.get(name) if clock == "wall" or "one thread" in name else None,
                        "peer": WHAT.get(peer),
                        "peer_value": other and round(other),
                        "ratio": other and round(found[clock] / other, 1),
                    }
                )
        rows.append(_megabytes(name, found["peak_megabytes"]))
    rows.extend(_megabytes(what, theirs[peer]["peak_megabytes"], goal=None) for peer, what in WHAT.items())
    return rows


def sibling(name: str, *, quick: bool) -> list[Row]:
    """Return the rows of a benchmark beside this one."""
    command = [sys.executable, "-m", f"tests.benchmarks.{name}", "--json", *(["--quick"] if quick else [])]
    run = subprocess.run(command, check=False, stdout=subprocess.PIPE, text=True)
    if run.returncode:
        raise SystemExit(f"{' '.join(command[1:])} failed")
    found: list[Row] = json.loads(run.stdout)
    return [{**row, "name": f"{name}: {row['name']}"} for row in found]


def _megabytes(name: str, value: float, goal: int | None = 64) -> Row:
    beyond = "input and output" if goal else "input"
    return {"name": f"{name}: peak memory beyond {beyond}", "value": round(value, 1), "unit": "MB", "goal": goal}


def main() -> None:
    """Print the figures as a table or as JSON."""
    parser = argparse.ArgumentParser(description="Speed and memory of features.")
    parser.add_argument("--json", action="store_true", help="print rows as JSON")
    parser.add_argument("--quick", action="store_true", help="a tenth of the series and machines, fewer runs")
    parser.add_argument("--windows", action="store_true", help="windows only, nothing of the other benchmarks")
    parser.add_argument("--one", nargs=4, metavar=("NAME", "SERIES", "SAMPLES", "RUNS"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.one:
        name, *sizes = arguments.one
        print(json.dumps(run_ours(name, *(int(each) for each in sizes))))
        return
    if not compiled_is_there():
        raise SystemExit("the compiled path needs numba: pip install 'andon[fast]'")
    if not arguments.json:
        print(f"load of the machine: {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors", file=sys.stderr)
    rows = measure(quick=arguments.quick)
    if not arguments.windows:
        rows += extraction.measure(quick=arguments.quick)
        for name in ("stream", "vibration", "year"):
            rows += sibling(name, quick=arguments.quick)
    print(json.dumps(rows, indent=1) if arguments.json else pd.DataFrame(rows).to_string(index=False))


if __name__ == "__main__":
    main()
