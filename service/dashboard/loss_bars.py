"""Bars of a loss tree and of a Pareto: where each begins and ends, in percent of the width."""

from collections.abc import Sequence
from dataclasses import dataclass

from features.microsecond import HOUR
from models.efficiency.losses import Loss

SUMS = ("calendar", "planned", "busy", "running")


@dataclass(frozen=True, slots=True)
class TreeRow:
    """One row of the tree.

    Attributes
    ----------
    whole : whether it is a sum of what follows
    left, width : of its bar: a sum begins at 0, and what is taken off it lies at the end of what is left
    odd : whether it cannot be so, such as time below zero
    """

    loss: Loss
    hours: float
    whole: bool
    left: float
    width: float
    odd: bool


def tree_rows(tree: Sequence[Loss]) -> list[TreeRow]:
    """Return the rows of a tree that hold time, from calendar time down; the single ones add up to the first.

    Each bucket is drawn at the end of what is left when those before it are taken off, so that the good pieces begin
    at 0.
    """
    calendar = tree[0].time if tree else 0
    rows, left = [], float(calendar)
    for loss in tree:
        whole = loss.name in SUMS
        if not whole:
            left -= loss.time
        if whole or loss.time:
            share = 100 / calendar if calendar else 0.0
            begin = 0.0 if whole else max(min(left, left + loss.time), 0.0)
            width = min(abs(loss.time) * share, 100.0)
            rows.append(
                TreeRow(loss, loss.time / HOUR, whole, round(begin * share, 2), round(width, 2), odd=loss.time < 0)
            )
    return rows


@dataclass(frozen=True, slots=True)
class ParetoRow:
    """One loss of the Pareto.

    Attributes
    ----------
    amount : money for an hour of the clock, or hours where no money is known
    width : of its bar, in percent of the dearest
    together : share of all listed losses that this one and those before it make up
    """

    loss: Loss
    hours: float
    amount: float
    width: float
    together: float


def pareto_rows(top: Sequence[Loss]) -> list[ParetoRow]:
    """Return losses with the share that each and those before it make up, the largest first.

    By money where any of them has some, else by time.
    """
    in_money = any(each.money_per_hour for each in top)
    amounts = [(each.money_per_hour or 0.0) if in_money else each.time / HOUR for each in top]
    whole, most, so_far, rows = sum(amounts), max(amounts, default=0.0), 0.0, []
    for loss, amount in zip(top, amounts, strict=True):
        so_far += amount
        rows.append(
            ParetoRow(
                loss,
                loss.time / HOUR,
                amount,
                round(100 * amount / most, 1) if most else 0.0,
                so_far / whole if whole else 0.0,
            )
        )
    return rows
