"""What a kWh of a meter costs, in money and in CO2e."""

from dataclasses import dataclass

from ingest.plant import Plant
from ingest.plant_energy import Meter


@dataclass(frozen=True, slots=True)
class Price:
    """What a kWh costs; ``None`` where the plant file does not say.

    Attributes
    ----------
    per_kwh : in the plant's currency
    co2e_per_kwh : in kg
    """

    per_kwh: float | None = None
    co2e_per_kwh: float | None = None
    currency: str = "EUR"

    @classmethod
    def of(cls, plant: Plant, meter: Meter) -> "Price":
        """Return what the plant file says: the meter's own, or the plant's."""
        costs = plant.costs
        money = costs.energy_per_kwh if meter.price is None else meter.price
        co2e = costs.co2e_per_kwh if meter.co2e is None else meter.co2e
        return cls(money, co2e, plant.currency)

    def money(self, kwh: float) -> float | None:
        """Return what some energy costs.

        Examples
        --------
        >>> Price(0.25).money(400), Price().money(400)
        (100.0, None)
        """
        return None if self.per_kwh is None else kwh * self.per_kwh

    def co2e_kg(self, kwh: float) -> float | None:
        """Return the CO2e of some energy, in kg."""
        return None if self.co2e_per_kwh is None else kwh * self.co2e_per_kwh
