"""What a feature is: what it is made from, what it says, in which words and unit."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from features.limits import Limits, Which
from features.moments import Floats, Moments

LARGEST = 1e100
"""A feature beyond it is missing, so that models may square and sum features without overflow."""

Kind = Literal[
    "moments",
    "newest",
    "compared",
    "baseline",
    "samples",
    "ordered",
    "timed",
    "limits",
    "snapshot",
    "newest_snapshot",
    "expected",
    "regime",
    "clock",
    "count",
]
Tells = Literal["level", "value", "spread", "shape", "trend", "limits", "context", "clock", "count"]
Cost = Literal["panes", "samples", "sorting", "snapshots", "states", "events", "model"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Feature:
    """One feature that a recipe may name.

    Attributes
    ----------
    kind : what it is made from: ``moments`` of a window, ``newest`` of the shortest one only,
        ``compared`` with the next longer window, ``baseline``: compared with the machine's own normal,
        ``samples`` or ``ordered`` samples one by one (slower), ``timed`` samples with their times,
        ``limits``: such samples against the limits of the signal, ``snapshot``: the mean over the snapshots of
        a waveform, ``newest_snapshot`` of the shortest window only, ``expected``: against what a model has
        learnt to expect from the other signals, ``regime``: how the machine runs, ``clock`` and ``count`` of events
    tells : what it says of the signal: its ``level`` (where most readings lie), a single ``value`` that it
        took, its ``spread`` around the level, the ``shape`` of that spread, its ``trend``, how it keeps its
        ``limits``; or what the ``context`` of all signals, a ``clock`` of the machine or a ``count`` of events says
    words : how a sentence names it; ``{window}``, ``{against}`` and ``{part}`` are filled in
    unit : ``{unit}`` stands for the signal's, and says how the feature grows when the signal is multiplied
    by_kernel : whether ``kernels.windows`` computes it from samples
    measure : what is measured of each snapshot, by its name in ``measures.MEASURE``; empty for other kinds
    source : who defined it, where the formula is not all there is to say
    around_zero : whether it depends on where the signal has its zero, and so means little where that is
        a convention, as in degC. Any other level or value moves along when something is added to all
        readings, and everything else stays
    limit : which limit of the signal it is against, if it is
    """

    name: str
    kind: Kind
    tells: Tells
    words: str
    formula: str
    unit: str
    meaning: str
    of_moments: Callable[[Moments], Floats] | None = None
    of_two: Callable[[Moments, Moments], Floats] | None = None
    of_rows: Callable[[Floats], Floats] | None = None
    of_timed: Callable[[Floats, Floats], Floats] | None = None
    of_limits: Callable[[Floats, Floats, Limits], Floats] | None = None
    by_kernel: bool = False
    measure: str = ""
    source: str = ""
    around_zero: bool = False
    limit: Which | None = None

    @property
    def one_by_one(self) -> bool:
        """Whether it looks at each sample of a window, which panes do not keep."""
        return self.cost in ("samples", "sorting")

    @property
    def of_waveform(self) -> bool:
        """Whether it is made of the snapshots of a waveform, and of no other signal."""
        return self.cost == "snapshots"

    @property
    def cost(self) -> Cost:
        """What takes the time: ``panes`` take least by far; the ``samples`` of each window, or ``sorting`` them.

        ``states`` reads the signals of some expressions, and what costs a ``model`` is made of other
        features, by what that model has learnt.
        """
        match self.kind:
            case "moments" | "newest" | "compared" | "baseline":
                return "panes"
            case "samples" | "timed" | "limits":
                return "samples"
            case "ordered":
                return "sorting"
            case "snapshot" | "newest_snapshot":
                return "snapshots"
            case "regime":
                return "states"
            case "expected":
                return "model"
            case "clock" | "count":
                return "events"

    @property
    def against_itself(self) -> bool:
        """Whether it measures a machine against its own beginning, and so means the same on each of them."""
        return self.kind == "baseline"

    @property
    def absolute(self) -> bool:
        """Whether it differs between machines by their nature."""
        return self.tells in ("level", "value", "spread") and not self.against_itself and self.kind != "expected"

    @property
    def reads_as_signal(self) -> bool:
        """Whether a person can hold it against what the machine shows: a reading, or what readings lie around."""
        return self.tells in ("level", "value") and not self.against_itself and self.kind != "expected"
