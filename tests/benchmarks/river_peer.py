"""Eight rolling statistics of ten signals in River, message by message; run by ``stream.py`` where River is."""

import json
import random
import sys
import time

from river import stats, utils  # type: ignore[import-not-found]

SIGNALS, WINDOW = 10, 256


def main() -> None:
    """Print seconds on the processor and of each message, for as many messages as the first argument says."""
    draw = random.Random(0)  # noqa: S311 – no secret
    messages = [[draw.gauss(50, 3) for _ in range(SIGNALS)] for _ in range(int(sys.argv[1]))]
    rolling = [
        [
            utils.Rolling(stats.Mean(), WINDOW),
            utils.Rolling(stats.Var(), WINDOW),
            stats.RollingMin(WINDOW),
            stats.RollingMax(WINDOW),
            stats.RollingPeakToPeak(WINDOW),
            *(stats.RollingQuantile(share, WINDOW) for share in (0.1, 0.5, 0.9)),
        ]
        for _ in range(SIGNALS)
    ]
    took, begun = [], time.process_time()
    for message in messages:
        before = time.perf_counter()
        for value, own in zip(message, rolling):  # noqa: B905 – any Python that River runs on
            for each in own:
                each.update(value)
                each.get()
        took.append(time.perf_counter() - before)
    print(json.dumps({"processor": time.process_time() - begun, "took": took}))


if __name__ == "__main__":
    main()
