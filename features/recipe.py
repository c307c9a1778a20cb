"""Which features of which signals over which windows: data, not code.

A recipe is chosen once, when a model is trained, and travels with the model; its hash names it.
"""

import hashlib
import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from datetime import timedelta
from functools import cached_property
from typing import Any, Self

from features.catalogue import BY_NAME
from features.column import RESIDUAL, Column, span_text
from features.filled import LEAST_SAMPLES, LEAST_SHARE
from features.limits import Limits
from features.measures import MEASURE
from features.microsecond import MICROSECOND
from features.reference import Reference
from features.regimes import Regimes
from features.running import Running
from features.usual import SIGNAL_FEATURES
from features.waveform import Waveform
from ingest.duration import format_duration, parse_duration

DEFINITIONS = 1
"""Raised whenever the meaning of an existing feature changes, so that old hashes stay different."""

MOST_PANES = 1_000_000

_LIMIT = {"low": "a lower limit, such as limits = [2.5, inf],", "high": "an upper limit, such as limits = [-inf, 80],"}


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """A recipe for a feature table.

    Attributes
    ----------
    machine_class : class of the machines
    signals : signals to summarise
    windows : lengths of the windows, shortest first
    stride : time between two window ends; ends are multiples of it since 1970-01-01 UTC
    features : names from the catalogue, of signals and of events alike
    components : parts with a maintenance clock of their own; one clock for the machine when empty
    error_codes : codes that are counted one by one
    baseline : time since a machine's first reading that is its own normal
    every : expected time between two readings of each signal, in the order of ``signals``; when
        empty it is not known, and a window is trusted from three readings on
    running : when the machines run; ``None`` if always
    limits : between which values each signal should stay, in the order of ``signals``; empty when no
        feature asks for it. A signal without a limit has no column of a feature against that limit
    waveforms : waveform signals to summarise, snapshot by snapshot
    max_ages : for how long a reading of each signal stands at most, in the order of ``signals``; five times its
        sampling interval when empty
    min_fill : least share of its expected readings that a window of a signal must hold, 0 to 1
    regimes : declared ways of running; ``None`` if there are none
    operating : those of ``signals`` that say what a machine is told to do, not how it takes it
    reference : where machines are run, if readings are referred to one condition before they are summarised
    least_samples : a window of fewer samples of a signal has none of its features
    """

    machine_class: str
    signals: tuple[str, ...]
    windows: tuple[timedelta, ...]
    stride: timedelta
    features: tuple[str, ...] = SIGNAL_FEATURES
    components: tuple[str, ...] = ()
    error_codes: tuple[str, ...] = ()
    baseline: timedelta | None = None
    every: tuple[timedelta, ...] = ()
    running: Running | None = None
    limits: tuple[Limits, ...] = ()
    waveforms: tuple[Waveform, ...] = ()
    max_ages: tuple[timedelta, ...] = ()
    min_fill: float = LEAST_SHARE
    regimes: Regimes | None = None
    operating: tuple[str, ...] = ()
    reference: Reference | None = None
    least_samples: int = LEAST_SAMPLES

    def __post_init__(self) -> None:
        if (
            not (self.signals or self.waveforms)
            or not self.windows
            or min(self.windows) <= timedelta(0)
            or self.stride <= timedelta(0)
        ):
            raise ValueError("a recipe needs signals, windows and a stride longer than nothing")
        if list(self.windows) != sorted(set(self.windows)):
            raise ValueError("windows of a recipe ascend and none comes twice")
        unknown = sorted(set(self.features) - set(BY_NAME))
        if unknown:
            raise ValueError(f"unknown feature '{unknown[0]}'; the catalogue has: {', '.join(BY_NAME)}")
        if any(BY_NAME[name].kind == "baseline" for name in self.features) and self.baseline is None:
            raise ValueError("features against a machine's own normal need 'baseline', such as '30 d'")
        if self.every and len(self.every) != len(self.signals):
            raise ValueError(f"{len(self.every)} sampling intervals for {len(self.signals)} signals")
        if self.limits and len(self.limits) != len(self.signals):
            raise ValueError(f"{len(self.limits)} limits for {len(self.signals)} signals")
        if self.max_ages and len(self.max_ages) != len(self.signals):
            raise ValueError(f"{len(self.max_ages)} maximum ages for {len(self.signals)} signals")
        if min([*self.every, *self.max_ages], default=MICROSECOND) <= timedelta(0):
            raise ValueError("sampling intervals and maximum ages are longer than nothing")
        if self.least_samples < 1:
            raise ValueError(f"least_samples is {self.least_samples}; a window needs one at least")
        if not 0 <= self.min_fill <= 1:
            raise ValueError(f"min_fill is {self.min_fill:g}; it is a share of the expected readings, 0 to 1")
        for name in self.features:
            limit = BY_NAME[name].limit
            if limit and not any(each.has(limit) for each in self.limits):
                raise ValueError(
                    f"'{name}' needs {_LIMIT[limit]} at a signal in the plant file, and none has one; add it, or"
                    " leave the feature out"
                )
        strange = sorted(set(self.operating) - set(self.signals))
        if strange:
            raise ValueError(f"'{strange[0]}' is operating, but none of the recipe's signals")
        if (self.operating or RESIDUAL in self.features) and "mean" not in self.features:
            which = f"'{RESIDUAL}' is" if RESIDUAL in self.features else "regimes of operating signals are"
            raise ValueError(f"{which} made of the feature 'mean'; add it to 'features'")
        if len(set(self.names)) < len(self.names):
            raise ValueError("two columns would have one name; a signal, component or code is named twice")
        if self.lookback // self.pane > MOST_PANES:
            raise ValueError(
                f"windows and stride share no grid coarser than {span_text(self.pane)}; make them multiples of a"
                f" common length, such as {format_duration(self.windows[0])}"
            )

    @property
    def summarised(self) -> tuple[str, ...]:
        """The signals that have features, waveforms last."""
        return (*self.signals, *(waveform.signal for waveform in self.waveforms))

    @property
    def all_signals(self) -> tuple[str, ...]:
        """All signals that a feature is made of, waveforms and the speeds beside them included."""
        of_waveforms = (signal for waveform in self.waveforms for signal in waveform.signals)
        return tuple(dict.fromkeys([*self.signals, *of_waveforms]))

    @cached_property
    def own_windows(self) -> tuple[timedelta, ...]:
        """The window by which the filled share of each of the summarised signals is told.

        It is the shortest one that promises enough for a feature – three readings, or one snapshot – and the
        longest one where none does, so that a signal that comes once a day is not told by ten minutes.
        """
        slow = [self.least_samples * every for every in self.every] or [timedelta(0)] * len(self.signals)
        spans = [*slow, *(waveform.every for waveform in self.waveforms)]
        return tuple(next((each for each in self.windows if each >= span), self.lookback) for span in spans)

    @property
    def read_signals(self) -> tuple[str, ...]:
        """All signals that are read, those included that only say whether and how a machine runs."""
        asked = [each.signals for each in (self.running, self.regimes) if each is not None]
        return tuple(dict.fromkeys([*self.all_signals, *(name for names in asked for name in names)]))

    @property
    def uses_state(self) -> bool:
        """Whether states say whether or how a machine runs."""
        asked = [] if self.running is None else [self.running.read()]
        return any(each.uses_state for each in [*asked, *([] if self.regimes is None else self.regimes.read())])

    @property
    def lookback(self) -> timedelta:
        """How far before a window end readings are needed: the longest window."""
        return self.windows[-1]

    @property
    def pane(self) -> timedelta:
        """The longest span of which the stride and all windows are multiples."""
        return math.gcd(*(span // MICROSECOND for span in (self.stride, *self.windows))) * MICROSECOND

    @property
    def error_window(self) -> timedelta:
        """The window nearest to a day, over which single error codes are counted."""
        return min(self.windows, key=lambda window: abs(math.log(window / timedelta(days=1))))

    @cached_property
    def columns(self) -> tuple[Column, ...]:
        """The columns of the table that the recipe makes, in their order."""
        return tuple(_columns(self))

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The names of the columns, in their order."""
        return tuple(column.name for column in self.columns)

    def columns_of(self, signal: str) -> list[Column]:
        """Return the columns that every signal has, as those of one signal, whether it has its limits or not."""
        return list(_of_signal(self, signal))

    def offers(self, column: Column) -> bool:
        """Return whether a column of a signal can be made: one against a limit needs that limit."""
        limit = BY_NAME[column.feature].limit
        if limit is None:
            return True
        return bool(self.limits) and self.limits[self.signals.index(column.signal)].has(limit)

    def column(self, name: str) -> Column:
        """Return the column with this name; ``KeyError`` if the recipe makes none."""
        return self._by_name[name]

    @cached_property
    def _by_name(self) -> dict[str, Column]:
        return {column.name: column for column in self.columns}

    def to_dict(self) -> dict[str, Any]:
        """Return the recipe as JSON types; ``from_dict`` reads it back."""
        return {
            "definitions": DEFINITIONS,
            "machine_class": self.machine_class,
            "signals": list(self.signals),
            "windows": [span_text(window) for window in self.windows],
            "stride": span_text(self.stride),
            "features": list(self.features),
            "components": list(self.components),
            "error_codes": list(self.error_codes),
            "baseline": None if self.baseline is None else span_text(self.baseline),
            "every": [span_text(span) for span in self.every],
            # Left out where there is none, so that the hashes of recipes from before it stay as they were.
            **({} if self.running is None else {"running": self.running.to_dict()}),
            **({"limits": [each.to_list() for each in self.limits]} if self.limits else {}),
            **({"waveforms": [each.to_dict() for each in self.waveforms]} if self.waveforms else {}),
            **({"max_ages": [span_text(each) for each in self.max_ages]} if self.max_ages else {}),
            **({} if self.min_fill == LEAST_SHARE else {"min_fill": self.min_fill}),
            **({} if self.regimes is None else {"regimes": self.regimes.to_dict()}),
            **({"operating": list(self.operating)} if self.operating else {}),
            **({} if self.reference is None else {"reference": self.reference.to_dict()}),
            **({} if self.least_samples == LEAST_SAMPLES else {"least_samples": self.least_samples}),
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Read a recipe that ``to_dict`` wrote.

        Raises
        ------
        ValueError
            When it was written for other definitions of the features, or says what this version does not know.
        """
        strange = sorted(set(data) - _KNOWN)
        if strange:
            raise ValueError(
                f"the recipe says '{strange[0]}', which this version does not know; use the version that wrote it, or"
                " train again"
            )
        if data["definitions"] != DEFINITIONS:
            raise ValueError(f"recipe of definitions {data['definitions']}, this is {DEFINITIONS}; train again")
        return cls(
            machine_class=data["machine_class"],
            signals=tuple(data["signals"]),
            windows=tuple(parse_duration(window) for window in data["windows"]),
            stride=parse_duration(data["stride"]),
            features=tuple(data["features"]),
            components=tuple(data["components"]),
            error_codes=tuple(data["error_codes"]),
            baseline=None if data["baseline"] is None else parse_duration(data["baseline"]),
            every=tuple(parse_duration(span) for span in data["every"]),
            running=Running.from_dict(data["running"]) if "running" in data else None,
            limits=tuple(Limits.from_list(each) for each in data.get("limits", ())),
            waveforms=tuple(Waveform.from_dict(each) for each in data.get("waveforms", ())),
            max_ages=tuple(parse_duration(each) for each in data.get("max_ages", ())),
            min_fill=data.get("min_fill", LEAST_SHARE),
            regimes=Regimes.from_dict(data["regimes"]) if "regimes" in data else None,
            operating=tuple(data.get("operating", ())),
            reference=Reference.from_dict(data["reference"]) if "reference" in data else None,
            least_samples=data.get("least_samples", LEAST_SAMPLES),
        )

    @cached_property
    def hash(self) -> str:
        """SHA-256 of the canonical JSON: equal recipes, equal hashes, on every machine."""
        text = json.dumps(self.to_dict(), sort_keys=True, separators=(",", ":"), ensure_ascii=True)
        return hashlib.sha256(text.encode()).hexdigest()


_KNOWN = {"definitions", *(field.name for field in fields(Recipe))}
"""What a written recipe may say: what is left out has its default, and nothing that it says is passed over."""


def _of_signal(recipe: Recipe, signal: str) -> Iterator[Column]:
    longer = dict(zip(recipe.windows, recipe.windows[1:], strict=False))
    for feature in (BY_NAME[name] for name in recipe.features):
        if feature.kind == "compared":
            for window, against in longer.items():
                yield Column(feature=feature.name, signal=signal, window=window, against=against)
        elif feature.cost not in ("states", "events", "snapshots", "model"):
            for window in recipe.windows[:1] if feature.kind == "newest" else recipe.windows:
                yield Column(feature=feature.name, signal=signal, window=window)


def _columns(recipe: Recipe) -> Iterator[Column]:
    features = [BY_NAME[name] for name in recipe.features]
    for signal in recipe.signals:
        yield from (column for column in _of_signal(recipe, signal) if recipe.offers(column))
    for waveform in recipe.waveforms:
        for feature in features:
            for part in MEASURE[feature.measure].parts(waveform) if feature.of_waveform else ():
                for window in recipe.windows[:1] if feature.kind == "newest_snapshot" else recipe.windows:
                    yield Column(feature=feature.name, signal=waveform.signal, window=window, part=part)
    for feature in features:
        if feature.kind == "clock":
            of_components = feature.name == "hours_since_maintenance"
            for part in (recipe.components if of_components else ()) or ("",):
                yield Column(feature=feature.name, part=part)
        elif feature.kind == "regime" and recipe.regimes is not None:
            for part in recipe.regimes.parts:
                for window in recipe.windows:
                    yield Column(feature=feature.name, part=part, window=window)
        elif feature.kind == "count" and recipe.error_codes:
            for window in recipe.windows:
                yield Column(feature=feature.name, window=window)
            for code in recipe.error_codes:
                yield Column(feature=feature.name, part=code, window=recipe.error_window)
