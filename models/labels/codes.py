"""Codes of failures that the plant file does not explain, although it explains others: slips of the hand."""

from ingest.plant_words import nearest
from models.labels.problem import Failures, LabelKind, LabelProblem


def unknown_codes(failures: Failures) -> list[LabelProblem]:
    """Find failures whose code is not among those of the plant file; none while it has none."""
    if not failures.codes:
        return []
    found = failures.table["code"]
    strange = (found != "") & ~found.isin(list(failures.codes))
    codes = sorted(found[strange].unique())
    listed = ", ".join(map(repr, codes[:3])) + (", …" if len(codes) > 3 else "")
    hint = nearest(codes[0], list(failures.codes)) if len(codes) == 1 else "one mode under two codes is learnt as two"
    return failures.problem(
        LabelKind.UNKNOWN_CODE,
        strange.to_numpy().nonzero()[0].tolist(),
        f"have a code that failure_codes does not explain: {listed}",
        f"correct them or explain the code; {hint}",
    )
