"""What the plant's codes of failures mean in the words of ISO 14224: the mode that was seen, and the mechanism."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from ingest.part import Name, Part

MODES = {
    "AIR": "abnormal instrument reading",
    "BRD": "breakdown",
    "DOP": "delayed operation",
    "ELF": "external leakage of fuel",
    "ELP": "external leakage of what is processed",
    "ELU": "external leakage of a utility",
    "ERO": "erratic output",
    "FCO": "does not connect",
    "FDC": "does not disconnect",
    "FOF": "wrong output frequency",
    "FOV": "wrong output voltage",
    "FRO": "does not rotate",
    "FTC": "does not close",
    "FTF": "does not respond",
    "FTI": "does not work as intended",
    "FTO": "does not open",
    "FTR": "does not regulate",
    "FTS": "does not start",
    "HIO": "output too high",
    "IHT": "too little heat transferred",
    "INL": "internal leakage",
    "LBP": "oil pressure too low",
    "LCP": "leaks while closed",
    "LOA": "load dropped",
    "LOO": "output too low",
    "NOI": "noise",
    "NOO": "no output",
    "OHE": "overheating",
    "OTH": "other",
    "PDE": "a parameter out of its limits",
    "PLU": "plugged",
    "POW": "too little power",
    "PTF": "power or signal not transmitted",
    "SER": "minor trouble in service",
    "SLP": "slips",
    "SPO": "operates unasked",
    "STD": "structural damage",
    "STP": "does not stop",
    "UNK": "unknown",
    "UST": "stops unasked",
    "VIB": "vibration",
}
"""Common codes of failure modes after ISO 14224:2016, annex B, and what each means."""

Mechanism = Literal["mechanical", "material", "instrument", "electrical", "external", "other"]
"""The groups of failure mechanisms of ISO 14224."""


def _known_mode(mode: str) -> str:
    if mode not in MODES:
        same = mode.upper()
        hint = f"did you mean {same!r}?" if same in MODES else f"there are: {', '.join(MODES)}"
        raise ValueError(f"{mode!r} is no failure mode of ISO 14224; {hint}")
    return mode


def _not_taken(code: str) -> str:
    if code == "sensor":
        raise ValueError("'sensor' is what an alert is closed with whose sensor was at fault; call the code otherwise")
    return code


class FailureCode(Part):
    """A code that failures are recorded with, and what it means after ISO 14224."""

    code: Annotated[Name, AfterValidator(_not_taken)] = Field(
        description="The code as it stands in records of failures; unique in the plant."
    )
    mode: Annotated[str, AfterValidator(_known_mode)] = Field(
        "", description="Failure mode after ISO 14224, such as 'VIB'; the code itself when left out."
    )
    mechanism: Mechanism | None = Field(
        None, description="What makes it fail; taken over when an alert is closed with the code and no mechanism."
    )
    words: str = Field("", max_length=200, description="What people call it; the words of its mode when left out.")

    @model_validator(mode="before")
    @classmethod
    def _mode_of_itself(cls, values: object) -> object:
        if isinstance(values, dict) and "mode" not in values and isinstance(values.get("code"), str):
            return {**values, "mode": values["code"]}
        return values

    @property
    def means(self) -> str:
        """What it means, for people.

        Examples
        --------
        >>> FailureCode(code="B12", mode="VIB").means, FailureCode(code="B13", mode="VIB", words="worn bearing").means
        ('vibration (VIB)', 'worn bearing (VIB)')
        """
        return f"{self.words.strip() or MODES[self.mode]} ({self.mode})"
