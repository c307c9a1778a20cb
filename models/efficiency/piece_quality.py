"""First-pass yield and scrap, with intervals."""

from dataclasses import dataclass

from models.judging.interval import Interval, wilson


@dataclass(frozen=True, slots=True)
class PieceQuality:
    """How pieces came out.

    Attributes
    ----------
    first_pass_yield : share that was good the first time, not reworked
    scrap : share that was thrown away
    rework : share that was mended
    """

    first_pass_yield: Interval
    scrap: Interval
    rework: Interval


def piece_quality(produced: int, scrapped: int, reworked: int = 0) -> PieceQuality:
    """Return shares of pieces with their Wilson intervals; nothing is known of no pieces.

    Parameters
    ----------
    produced : all pieces, good, scrapped and reworked
    reworked : pieces mended and then good; one that was mended in vain counts as scrapped only

    Raises
    ------
    ValueError
        Where counts are negative or more pieces are bad than were produced.

    Examples
    --------
    >>> quality = piece_quality(200, 6, 4)
    >>> quality.first_pass_yield.percent(), quality.scrap.percent()
    ('95 % [91–97 %]', '3 % [1–6 %]')
    """
    if min(produced, scrapped, reworked) < 0 or scrapped + reworked > produced:
        raise ValueError(
            f"{scrapped} scrapped and {reworked} reworked of {produced} pieces: counts are not negative,"
            " and no more pieces are bad than were produced"
        )
    return PieceQuality(
        wilson(produced - scrapped - reworked, produced), wilson(scrapped, produced), wilson(reworked, produced)
    )
