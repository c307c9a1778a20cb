"""A small plant with three weeks of readings in a file and one model, wherever it is kept."""

from pathlib import Path

PLANT = """
[[classes]]
name = "oven"
signals = [{ name = "temperature" }]
[[machines]]
names = ["oven-1..2"]
class = "oven"
[[sources]]
name = "telemetry"
path = "readings.csv"
machine = "machine"
time = "time"
[[models]]
name = "strange"
task = "anomaly"
class = "oven"
horizon = "24 h"
"""


def write_plant(folder: Path) -> int:
    """Write the plant file and its readings; return how many there are."""
    (folder / "plant.toml").write_text(PLANT)
    rows = [
        f"oven-{oven},2026-01-{day:02d}T{hour:02d}:{minute:02d}:00Z,{200 + oven + (hour * 7 + minute * 3 + day) % 11}"
        for oven in (1, 2)
        for day in range(1, 21)
        for hour in range(24)
        for minute in (0, 30)
    ]
    (folder / "readings.csv").write_text("\n".join(["machine,time,temperature", *rows]) + "\n")
    return len(rows)
