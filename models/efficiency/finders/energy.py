"""What the meters of a machine tell: energy beyond its baseline, and a meter that cannot be believed."""

from ingest.errors import NotEnoughDataError
from models.efficiency.energy.loss import EnergyLoss, MeterDoubt
from models.efficiency.energy.review import review_energy
from models.efficiency.finders.found_loss import FoundLoss
from models.efficiency.finders.record import Look
from models.finding import Finding

NAME = "energy"


def energy(look: Look) -> list[FoundLoss]:
    """Return the losses of energy and the doubts about meters that last; none where a baseline is not valid."""
    plant = look.plant
    found: list[FoundLoss] = []
    for meter in plant.meters:
        if look.machine not in (meter.machine, *plant.machines_of(meter.machine_class)):
            continue
        try:
            review = review_energy(plant, meter, look.machine, look.history, look.stop)
        except NotEnoughDataError:
            continue
        zone = review.periods.zone
        told: list[EnergyLoss | MeterDoubt] = [*review.losses, *review.doubts]
        found += [_found(each, each.finding(zone)) for each in told if each.until is None]
    return found


def _found(told: EnergyLoss | MeterDoubt, finding: Finding) -> FoundLoss:
    interval = (told.earliest, told.latest) if isinstance(told, EnergyLoss) else (told.since, told.since)
    return FoundLoss(
        finder=NAME,
        kind=finding.kind,
        cause=finding.cause,
        machine=told.machine,
        since=told.since,
        earliest=interval[0],
        latest=interval[1],
        seen=told.seen,
        pattern={"meter": told.meter},
        sentence=finding.sentence,
        evidence=finding.evidence,
        money_per_hour=finding.money_per_hour,
    )
