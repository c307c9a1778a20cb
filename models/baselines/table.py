"""What a plant could set up without a model: every model is compared in money with each of them."""

from collections.abc import Callable, Mapping
from typing import Final

from models.baselines.fixed_limit import choose_limit
from models.baselines.rule import Rule, Seen
from models.baselines.signal_limits import choose_signal_limits
from models.baselines.three_sigma import choose_three_sigma

RULES: Final[Mapping[str, Callable[[Seen], Rule | None]]] = {
    "fixed_limit": lambda seen: choose_limit(seen.table, seen.targets, seen.failures, seen.rules, seen.costs),
    "three_sigma": choose_three_sigma,
    "signal_limits": choose_signal_limits,
}
"""Chosen on the training part; ``None`` where a rule cannot be set up."""

WORDS: Final[Mapping[str, str]] = {
    "model": "with this model",
    "do_nothing": "doing nothing",
    "calendar": "calendar maintenance",
    "fixed_limit": "a fixed limit on one signal",
    "three_sigma": "3 sigma on every signal",
    "signal_limits": "the limits of the plant file",
}
"""Every way to run the plant that a report compares, among people."""

CANNOT: Final[Mapping[str, str]] = {
    "fixed_limit": "no signal has a mean",
    "three_sigma": "no signal has a mean that varies in healthy time",
    "signal_limits": "the plant file declares none",
}
