"""Guess a plant file from a person's own files, and say how sure each guess is."""

from collections.abc import Sequence
from pathlib import Path

from ingest.proposal.build import write
from ingest.proposal.classes import guess_classes
from ingest.proposal.guess import Guess, Proposal
from ingest.proposal.holding import read_holdings

__all__ = ["Guess", "Proposal", "propose"]


def propose(files: Sequence[Path], *, beside: Path = Path()) -> Proposal:
    """Propose a plant file.

    Of each file a sample is looked at; only the columns that name machines and mark events are read to
    the end, piece by piece.

    Parameters
    ----------
    files : CSV, Parquet or Arrow files, or folders of them
    beside : the folder that the plant file will lie in; paths are written relative to it

    Raises
    ------
    SourceError
        With one line for each file that cannot be used, or when none holds readings.
    """
    holdings, left_out = read_holdings(files, beside)
    return write(holdings, guess_classes(holdings), left_out)
