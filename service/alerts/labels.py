"""Labels: the names and values by which other systems know an alert; they never change over its life."""

from collections.abc import Mapping

from ingest.plant import Plant

Labels = Mapping[str, str]
"""By name; an empty value is the same as no label."""


def own_labels(kind: str, machine: str, cause: str, places: Labels) -> dict[str, str]:
    """Return the labels of an alert of ours.

    Examples
    --------
    >>> own_labels("anomaly", "press-1", "bearing", {"plant": "Ulm", "site": "", "line": "A"})
    {'alertname': 'anomaly', 'plant': 'Ulm', 'line': 'A', 'machine': 'press-1', 'cause': 'bearing'}
    """
    named = {"alertname": kind, **places, "machine": machine, "cause": cause}
    return {name: value for name, value in named.items() if value}


def places_of(plant: Plant, machine: str) -> dict[str, str]:
    """Return the labels that say where a machine is; of one that left the plant file only the plant is known."""
    found = next((each for each in plant.machines if each.name == machine), None)
    return {"plant": plant.name, "site": found.site if found else "", "line": found.line if found else ""}


def fingerprint(labels: Labels) -> str:
    """Return the fingerprint of labels as Prometheus computes it: FNV-1a over the labels in order.

    Examples
    --------
    >>> fingerprint({})
    'cbf29ce484222325'
    """
    found = 0xCBF29CE484222325
    for name in sorted(labels):
        for byte in (*name.encode(), 0xFF, *labels[name].encode(), 0xFF):
            found = ((found ^ byte) * 0x100000001B3) & 0xFFFFFFFFFFFFFFFF
    return f"{found:016x}"


def written(labels: Labels) -> str:
    r"""Return labels in one line, in the order of their names, so that no two sets are written alike.

    Examples
    --------
    >>> print(written({"job": "node", "device": 'disk "a"'}))
    {device="disk \"a\"", job="node"}
    """
    return f"{{{', '.join(f'{name}={quoted(labels[name])}' for name in sorted(labels))}}}"


def quoted(value: str) -> str:
    """Return a value in the quotes of Prometheus."""
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'
