"""One plant file in a process of its own: ``python -m tests.benchmarks.public.one PLANT`` prints its rows as JSON."""

import json
import sys
import time
from dataclasses import replace
from pathlib import Path

from ingest.plant_file import load_plant
from tests.benchmarks.public.protocols import protocols_of, rows
from tests.benchmarks.public.published import beside


def main() -> None:
    """Run the protocols of a plant file, one after the other; one that fails ends the run."""
    path = Path(sys.argv[1])
    found = []
    for protocol in protocols_of(load_plant(path)):
        began = time.perf_counter()
        measured = rows(protocol, path)
        seconds = time.perf_counter() - began
        found += [replace(beside(each), seconds=seconds).to_dict() for each in measured]
    print(json.dumps(found))


if __name__ == "__main__":
    main()
