"""The name of a feature column: what it says, and how to read it back.

``signal__feature__window`` for features of a signal (``vibration__mean__24h``,
``vibration__mean_change__3h_vs_24h``), with ``@part`` behind the feature where it is of a part
(``vibration__octave_rms@1000Hz__24h``); ``hours_since_failure``, ``hours_since_maintenance__comp2``,
``errors__24h`` and ``errors__error1__24h`` for what events tell; ``regime_share__full load__24h`` for how
the machine ran.
"""

from dataclasses import dataclass
from datetime import timedelta

from ingest.duration import format_duration, parse_duration

SEPARATOR = "__"
OF_PART = "@"
REGIME_SHARE = "regime_share"
RESIDUAL = "residual"
_AGAINST = "_vs_"
_OF_MACHINES = ("errors", REGIME_SHARE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column of a feature table.

    Attributes
    ----------
    feature : name in the catalogue
    signal : the signal that it summarises; empty for what events tell
    window : length of the window; ``None`` for clocks
    against : the longer window that it is compared with, if it is
    part : component of a clock or code of an error count; band, multiple of the speed or defect that a
        feature of a waveform is of; empty for all of them together
    """

    feature: str
    signal: str = ""
    window: timedelta | None = None
    against: timedelta | None = None
    part: str = ""

    @property
    def of_events(self) -> bool:
        """Whether events tell it: clocks and counts."""
        return not self.signal and self.feature != REGIME_SHARE

    @property
    def name(self) -> str:
        """The column's name.

        Examples
        --------
        >>> Column(feature="mean", signal="vibration", window=timedelta(hours=24)).name
        'vibration__mean__24h'
        >>> Column(feature="errors", part="error1", window=timedelta(days=7)).name
        'errors__error1__7d'
        >>> Column(feature="octave_rms", signal="vibration", part="1000Hz", window=timedelta(hours=24)).name
        'vibration__octave_rms@1000Hz__24h'
        """
        words = [self.signal] if self.signal else []
        words.append(f"{self.feature}{OF_PART}{self.part}" if self.signal and self.part else self.feature)
        if self.part and not self.signal:
            words.append(self.part)
        if self.window is not None:
            token = span_token(self.window)
            words.append(token if self.against is None else token + _AGAINST + span_token(self.against))
        return SEPARATOR.join(words)


def span_text(span: timedelta) -> str:
    """Write a span so that ``parse_duration`` gives back exactly the same one.

    Examples
    --------
    >>> span_text(timedelta(days=7)), span_text(timedelta(seconds=1, microseconds=5))
    ('7 d', '1000.005 ms')
    """
    text = format_duration(span)
    exact = f"{span / timedelta(milliseconds=1):.3f} ms"
    try:
        return text if parse_duration(text) == span else exact
    except ValueError:  # a long span with odd seconds is written with an exponent
        return exact


def span_token(span: timedelta) -> str:
    """Write a span as part of a column name: ``24h``, ``7d``, ``10min``."""
    return span_text(span).replace(" ", "")


def signal_of(name: str) -> str:
    """Return the signal that a column summarises, or an empty string for what events tell.

    A signal's name may hold anything, so the name is read from its right end. Only a column of
    events whose component or code looks like ``mean__24h`` could be mistaken for a signal's.

    Examples
    --------
    >>> signal_of("oil__temperature__mean__24h"), signal_of("hours_since_maintenance__comp2")
    ('oil__temperature', '')
    """
    words = name.rsplit(SEPARATOR, 2)
    if len(words) != 3 or words[0] in _OF_MACHINES:
        return ""
    try:
        for token in words[2].split(_AGAINST):
            parse_duration(token)
    except ValueError:
        return ""
    return words[0]


def feature_of(name: str) -> str:
    """Return the catalogue's name of the feature that a column holds.

    Examples
    --------
    >>> feature_of("oil__temperature__mean__24h"), feature_of("hours_since_maintenance__comp2")
    ('mean', 'hours_since_maintenance')
    >>> feature_of("vibration__bearing_evidence@drive end.outer__24h")
    'bearing_evidence'
    """
    return name.removeprefix(signal_of(name) + SEPARATOR).split(SEPARATOR)[0].split(OF_PART)[0]
