"""What a machine did, part by part: each stop, change-over and run with its word, its product and its shift."""

import numpy as np
import pandas as pd

from features.microsecond import microseconds
from features.production.bucket import MEANINGS
from features.production.calendar import calendar_of
from features.production.ledger import all_said, in_plan, product_course, without_minor_stops
from features.production.rates import Rates
from features.production.stretches import NOTHING, Course, ascending
from features.production.told import Told
from ingest.plant import Plant

PARTS = ("begin", "stop", "did", "word", "product", "shift", "shift_day", "opens")


def parts_of(plant: Plant, machine: str, told: Told, start: int, stop: int) -> pd.DataFrame:
    """Return what a machine did in [start, stop), in order and without a gap.

    Parameters
    ----------
    told : what is known of it, as for ``ledger_of``
    start, stop : microseconds since 1970, start < stop

    Returns
    -------
    DataFrame with ``PARTS``
        ``begin``, ``stop`` : microseconds since 1970
        ``did`` : among ``MEANINGS``, as the plan sees it
        ``word`` : the plant's own word for it, empty where there is none
        ``product`` : on the machine, empty where it is not known
        ``shift``, ``shift_day`` : of the calendar
        ``opens`` : whether the machine began with it here, and does not only go on with it in another shift
    """
    said = all_said(told, start, stop)
    whole = Course(said.edges, told.lexicon.meanings(said.what))
    done = without_minor_stops(whole, microseconds(plant.production.minor_stop))
    calendar = calendar_of(plant, machine, start, stop, told.shifts)
    rates = Rates.of(plant, machine, told.products)
    product = product_course(told, rates, start, stop)
    edges = ascending([np.clip(each.edges, start, stop) for each in (said, product, calendar.course)])
    begins = edges[:-1]
    place = calendar.course.at(begins)
    number = said.at(begins)
    did = in_plan(done.at(begins), calendar.planned[place])
    words = np.array([*told.lexicon.word, ""], object)
    names = np.array([*told.products, ""], object)
    return pd.DataFrame(
        {
            "begin": begins,
            "stop": edges[1:],
            "did": np.array(MEANINGS, object)[did],
            "word": np.where(number == NOTHING, "", words[number]),
            "product": names[product.at(begins)],
            "shift": calendar.shift[place],
            "shift_day": calendar.shift_day[place],
            "opens": np.diff(did, prepend=NOTHING) != 0,
        },
        columns=list(PARTS),
    )
