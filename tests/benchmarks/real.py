"""Four public data sets, each through its plant file alone and with the same defaults.

``python -m tests.benchmarks.real [--json] [--quick] [NAME…]`` runs check, ingest, train, backtest and
score as commands, each in a process of its own, and prints one row for each model and one for each
command. ``--quick`` leaves out training and scoring.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PLANTS = Path(__file__).parents[1] / "plants"
COMMANDS = (("check",), ("ingest",), ("train",), ("backtest",), ("score",))


@dataclass(frozen=True, slots=True)
class Ran:
    """One command that ended: exit code, what it printed as JSON, wall seconds and peak memory."""

    command: str
    code: int
    output: dict[str, Any]
    errors: str
    seconds: float
    megabytes: float


def run(plant: Path, command: tuple[str, ...]) -> Ran:
    """Run ``andon`` on a plant file and measure the whole process."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        started = time.perf_counter()
        child = subprocess.Popen(
            [str(Path(sys.executable).parent / "andon"), "--plant", str(plant), "--json", *command],
            stdout=out,
            stderr=err,
        )
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        seconds = time.perf_counter() - started
        out.seek(0)
        err.seek(0)
        text, errors = out.read().decode(), err.read().decode()
    return Ran(
        " ".join(command), child.returncode, json.loads(text) if text else {}, errors, seconds, usage.ru_maxrss / 1024
    )


def measure(plant: Path, commands: tuple[tuple[str, ...], ...]) -> tuple[list[Ran], list[dict[str, Any]]]:
    """Run the commands on a plant whose data folder is emptied first; return them and the backtests."""
    from ingest.plant_file import load_plant

    shutil.rmtree(load_plant(plant).data_folder, ignore_errors=True)
    ran = [run(plant, command) for command in commands]
    backtests = next((each.output.get("models", []) for each in ran if each.command == "backtest"), [])
    return ran, backtests


def main() -> None:
    """Run all plants that are named and print what came of them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help="plant files by name; all when none is given")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--quick", action="store_true")
    asked = parser.parse_args()
    commands = tuple(each for each in COMMANDS if not (asked.quick and each[0] in ("train", "score")))
    results = []
    for plant in sorted(PLANTS.glob("*.toml")):
        if asked.names and plant.stem not in asked.names:
            continue
        ran, backtests = measure(plant, commands)
        results.append(
            {
                "plant": plant.stem,
                "models": backtests,
                "commands": [
                    {
                        "command": each.command,
                        "exit": each.code,
                        "seconds": round(each.seconds, 2),
                        "peak_megabytes": round(each.megabytes),
                        "errors": each.errors.splitlines()[:5],
                    }
                    for each in ran
                ],
            }
        )
        if not asked.json:
            tell(results[-1])
    if asked.json:
        print(json.dumps(results, indent=2))


def tell(result: dict[str, Any]) -> None:
    """Print one plant's rows for people."""
    print(f"\n{result['plant']}")
    for model in result["models"]:
        recall, false = model["recall"], model["false_alarms_per_machine_week"]
        lead, money = model["lead_hours"], model["money"]
        print(
            f"  {model['model']}: found {model['found']} of {model['events']}"
            f" [{recall['low']:.0%}-{recall['high']:.0%}]; lead h median {lead['median']} p10 {lead['p10']};"
            f" false alarms per machine-week {false['value']} [{false['low']}-{false['high']}];"
            f" precision {model['precision']['value']}; machine-weeks {model['machine_weeks']};"
            f" money {money}; {model['seconds']:.1f} s"
        )
    for row in result["commands"]:
        print(f"  {row['command']:<9} exit {row['exit']}  {row['seconds']:>7.2f} s  {row['peak_megabytes']:>6} MB")
        for line in row["errors"]:
            print(f"            {line}")


if __name__ == "__main__":
    main()
