"""The recipe of a model: what its entry in the plant file says, and what suits its machines for the rest."""

import math
from collections.abc import Mapping, Sequence
from datetime import timedelta

from features.align import max_age
from features.catalogue import BY_NAME
from features.column import REGIME_SHARE, RESIDUAL
from features.filled import LEAST_SAMPLES
from features.limits import Limits
from features.nice_length import DAY, NICE, nice_length
from features.recipe import Recipe
from features.reference import Reference
from features.regimes import Regimes
from features.running import Running
from features.usual import (
    BASELINE_FEATURES,
    CYCLE_FEATURES,
    LIFE_BASELINE_FEATURES,
    LIFE_FEATURES,
    NEW_FEATURES,
    PIECE_FEATURES,
    SIGNAL_FEATURES,
    USAGE_FEATURES,
    WAVEFORM_FEATURES,
)
from features.waveform import Waveform
from ingest.duration import format_duration
from ingest.errors import PlantFileError
from ingest.plant import MachineClass, ModelEntry

_LEARNT_FROM_EVENTS = ("failure_risk", "remaining_life")
"""Tasks that learn how use and repairs go before events; others would only learn that time passes."""
_OF_PIECES = ("condition",)
"""Tasks whose windows are pieces or cycles, each one after the other."""
_READINGS = {1: "one reading", LEAST_SAMPLES: "three readings"}

REFERRED = ("remaining_life",)
"""Tasks that follow slow wear, whatever a machine is told to do: their readings are referred to one condition."""


def recipe_for(
    entry: ModelEntry,
    machine_class: MachineClass,
    *,
    sampling: Mapping[str, timedelta],
    error_codes: Sequence[str] = (),
    from_new: bool = False,
    reference: Reference | None = None,
) -> Recipe:
    """Return the recipe of a model: what its entry says, and defaults for the rest.

    Windows are an eighth of the horizon, the horizon and seven horizons, in nice lengths and none
    shorter than three readings; the stride is a third of the shortest window, in a nice length that
    divides the windows where there is one. A failure risk also gets clocks and error counts; an
    anomaly does not, since a clock that goes on would look stranger every day. A remaining life gets
    levels and trends alone of each signal.

    Parameters
    ----------
    sampling : time between two readings of each signal of the class, see ``signal_intervals``
    error_codes : codes to count one by one
    from_new : whether machines are new at their first reading (run-to-failure), so that the hours
        since then say something
    reference : where machines are run, if readings are to be referred to one condition; then the signals that say
        how a machine is run are used for that and for nothing else

    Raises
    ------
    PlantFileError
        When the entry names an unknown signal or feature, no feature of signals, a window shorter than
        three readings, or windows and a stride that have no common grid.
    """
    known = [signal.name for signal in machine_class.signals]
    asked = tuple(entry.signals or known)
    given = () if reference is None else reference.operating
    unknown = [name for name in asked if name not in known]
    if unknown:
        there = ", ".join(known)
        raise PlantFileError([f"models.{entry.name}.signals: unknown signal '{unknown[0]}'; the class has: {there}"])
    waveforms = tuple(
        Waveform.of(machine_class, each, sampling) for each in machine_class.waveforms if each.name in asked
    )
    signals = tuple(name for name in asked if name not in {*given, *(each.signal for each in waveforms)})
    every = tuple(sampling[name] for name in signals)
    steps = [*every, *(each.every for each in waveforms)]
    least = _least_samples(entry, min(steps))
    windows = _windows(entry, min(steps), least)
    told = {signal.name for signal in machine_class.signals if signal.operating}
    operating = tuple(name for name in signals if name in told)
    regimes = Regimes.of(machine_class, sampling)
    features = tuple(entry.features) or _usual(entry, signals, waveforms, least)
    if regimes is not None:
        features += (REGIME_SHARE,)
    if entry.task in _LEARNT_FROM_EVENTS:
        features += USAGE_FEATURES + (NEW_FEATURES if from_new else ())
    limits = _limits(machine_class, signals, features)
    try:
        recipe = Recipe(
            machine_class=machine_class.name,
            signals=signals,
            windows=windows,
            stride=entry.stride or (windows[0] if entry.task in _OF_PIECES else _stride(windows, min(steps))),
            features=tuple(dict.fromkeys(features)),
            components=tuple(machine_class.components),
            error_codes=tuple(sorted(set(error_codes) - {""})),
            baseline=entry.baseline,
            every=every,
            running=Running.of(machine_class, sampling),
            limits=limits,
            waveforms=waveforms,
            max_ages=_max_ages(machine_class, signals, every) if limits else (),
            min_fill=entry.min_fill,
            regimes=regimes,
            operating=operating,
            reference=reference,
            least_samples=least,
        )
    except ValueError as error:
        raise PlantFileError([f"models.{entry.name}: {error}"]) from error
    if RESIDUAL in entry.features and len(signals) < 2:
        only = "there is only one" if signals else "there is none beside waveforms"
        raise PlantFileError([f"models.{entry.name}.features: 'residual' compares a signal with others; {only}"])
    if not any(column.signal for column in recipe.columns):
        such = "mean" if signals else "velocity_rms"
        raise PlantFileError([f"models.{entry.name}.features: none is of a signal; add one, such as '{such}'"])
    return recipe


def _limits(machine_class: MachineClass, signals: Sequence[str], features: Sequence[str]) -> tuple[Limits, ...]:
    """Return what signals declare, if a feature asks for it; others change nothing, not even the hash."""
    if not any(name in BY_NAME and BY_NAME[name].limit for name in features):
        return ()
    declared = {signal.name: signal.limits for signal in machine_class.signals}
    limits = [declared[name] for name in signals]
    return tuple(Limits() if each is None else Limits(*each) for each in limits) if any(limits) else ()


def _max_ages(machine_class: MachineClass, signals: Sequence[str], every: Sequence[timedelta]) -> tuple[timedelta, ...]:
    """Return how old a reading of each signal may be, if one declares it; ``every`` says it otherwise."""
    declared = {signal.name: signal for signal in machine_class.signals}
    if not any(declared[name].max_age for name in signals):
        return ()
    return tuple(max_age(declared[name], step) for name, step in zip(signals, every, strict=True))


def _least_samples(entry: ModelEntry, sampling: timedelta) -> int:
    """Return how many readings a window must hold: one, where that is all that there is of a piece."""
    of_pieces = entry.task in _OF_PIECES and entry.windows and min(entry.windows) < LEAST_SAMPLES * sampling
    return 1 if of_pieces else LEAST_SAMPLES


def _usual(
    entry: ModelEntry, signals: Sequence[str], waveforms: Sequence[Waveform], least_samples: int
) -> tuple[str, ...]:
    """Return the features of a model whose entry names none."""
    of_signals: tuple[str, ...] = SIGNAL_FEATURES
    of_baseline: tuple[str, ...] = BASELINE_FEATURES
    if entry.task in REFERRED:
        of_signals, of_baseline = LIFE_FEATURES, LIFE_BASELINE_FEATURES
    if entry.task in _OF_PIECES:
        of_signals = PIECE_FEATURES if least_samples < LEAST_SAMPLES else CYCLE_FEATURES
    usual = of_signals + (of_baseline if entry.baseline else ()) if signals else ()
    return usual + (WAVEFORM_FEATURES if waveforms else ())


def _windows(entry: ModelEntry, sampling: timedelta, least_samples: int) -> tuple[timedelta, ...]:
    shortest = least_samples * sampling
    if not entry.windows:
        wanted = (entry.horizon / 8, entry.horizon, entry.horizon * 7)
        return tuple(sorted({nice_length(max(span, shortest), at_least=shortest) for span in wanted}))
    windows = tuple(sorted(set(entry.windows)))
    if windows[0] < shortest:
        raise PlantFileError(
            [
                f"models.{entry.name}.windows: {format_duration(windows[0])} is shorter than"
                f" {_READINGS[least_samples]}, which come every {format_duration(sampling)}; write"
                f" {format_duration(shortest)} or longer"
            ]
        )
    return windows


def _stride(windows: tuple[timedelta, ...], sampling: timedelta) -> timedelta:
    wanted = max(sampling, windows[0] / 3)
    dividing = [
        each
        for each in [*NICE, DAY]
        if sampling <= each and wanted / 2 <= each <= wanted * 2 and not any(window % each for window in windows)
    ]
    return min(dividing, key=lambda each: abs(math.log(each / wanted)), default=nice_length(wanted, at_least=sampling))
