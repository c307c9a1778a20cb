"""Secrets of targets: they stand in the environment or in a file of their own, never in the plant file."""

from collections.abc import Mapping
from pathlib import Path

from ingest.errors import DeliveryError
from ingest.plant_target import MessageTarget


def secret_of(target: MessageTarget, environment: Mapping[str, str], folder: Path) -> str:
    """Return the secret of a target, read anew each time, so that a new one counts without a restart.

    Returns
    -------
    the secret without blanks around it; empty where the plant file names none

    Raises
    ------
    DeliveryError
        If it is named and not there, or is empty.
    """
    about = f"target {target.name!r}"
    if target.secret_variable:
        found = environment.get(target.secret_variable)
        where, key = f"the environment has no {target.secret_variable}", "secret_variable"
    elif target.secret_file:
        path = folder / target.secret_file
        key = "secret_file"
        try:
            found = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            why = error.strerror if isinstance(error, OSError) else "it is no text"
            raise DeliveryError(f"{about}: cannot read {path}, which {key} names: {why}") from error
        where = f"{path} is empty"
    else:
        return ""
    if found is None or not found.strip():
        raise DeliveryError(f"{about}: {where}, which {key} names; set it")
    return found.strip()
