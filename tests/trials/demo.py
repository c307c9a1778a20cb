"""The first command that a newcomer runs: on the sample plant, to alerts that the simulator's truth confirms.

``python -m tests.trials.demo`` runs it whole, and prints each alert with what the truth says of it.
"""

import json
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]


def told(folder: Path, models: Sequence[str] = ()) -> Any:
    """Return what the demo prints.

    Parameters
    ----------
    models : those of the sample plant that are kept; all of them where none is named
    """
    if models:
        shutil.copytree(ROOT / "sample_data", folder, ignore=shutil.ignore_patterns("andon-data"))
        plant = folder / "plant.toml"
        plant.write_text(only(plant.read_text(encoding="utf-8"), models), encoding="utf-8")
    command = [sys.executable, "-m", "service", "demo", "--no-serve", "--json", "--folder", str(folder)]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=600, cwd=ROOT)
    assert ended.returncode == 0, ended.stderr
    return json.loads(ended.stdout)


def only(plant: str, models: Sequence[str]) -> str:
    """Return the text of a plant file without the other models.

    Examples
    --------
    >>> only('[[models]]\\nname = "a"\\n\\n[[models]]\\nname = "b"\\n\\n[[jobs]]\\n', ["b"])
    '[[models]]\\nname = "b"\\n\\n[[jobs]]\\n'
    """
    blocks = re.split(r"^(?=\[\[)", plant, flags=re.MULTILINE)
    names = [f'name = "{name}"' for name in models]
    return "".join(each for each in blocks if not each.startswith("[[models]]") or any(name in each for name in names))


def require_confirmed(said: Any) -> None:
    """Require that each alert was held against the truth, one is right, and all about sensors alone are."""
    assert len(said["truth"]) == len(said["score"]["where_to_look_first"])
    assert any(each["right"] for each in said["truth"])
    kinds = {each["alert"]: each["kind"] for each in said["score"]["where_to_look_first"]}
    assert [each["right"] for each in said["truth"] if kinds[each["alert"]] == "sensor fault"] == [True]


def main() -> None:
    """Run it on the whole sample plant."""
    with tempfile.TemporaryDirectory() as folder:
        said = told(Path(folder) / "demo")
    for each in said["truth"]:
        sys.stdout.write(f"{each['says']}\n")
    require_confirmed(said)


if __name__ == "__main__":
    main()
