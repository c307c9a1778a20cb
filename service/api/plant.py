"""The plant, as its people wrote it."""

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from ingest.duration import format_duration
from ingest.plant import AlertSettings, Costs, Machine, MachineClass, ModelEntry, Target, TaskName
from ingest.plant_failure import FailureCode
from service.api.given import Room

router = APIRouter(tags=["plant"])


class ModelEntryView(BaseModel):
    """A model that the plant is to have."""

    model_config = ConfigDict(populate_by_name=True)

    name: str
    task: TaskName
    machine_class: str = Field(alias="class")
    horizon: str = Field(description="How far ahead an alert may come.", examples=["24 h"])
    needed_lead: str = Field(description="An alert later than this is a miss.", examples=["4 h"])
    target: Target

    @classmethod
    def of(cls, entry: ModelEntry) -> "ModelEntryView":
        """Show an entry of the plant file."""
        return cls(
            name=entry.name,
            task=entry.task,
            machine_class=entry.machine_class,
            horizon=format_duration(entry.horizon),
            needed_lead=format_duration(entry.needed_lead),
            target=entry.target,
        )


class PlantView(BaseModel):
    """What exists in the plant and what matters; where its data comes from is not told."""

    name: str
    time_zone: str
    currency: str
    classes: list[MachineClass]
    machines: list[Machine]
    failure_codes: list[FailureCode]
    costs: Costs
    models: list[ModelEntryView]
    alerts: AlertSettings


@router.get("/plant")
def show_plant(room: Room) -> PlantView:
    """Return the plant: classes with their signals, machines, costs, models to train."""
    plant = room.plant
    return PlantView(
        name=plant.name,
        time_zone=plant.time_zone,
        currency=plant.currency,
        classes=plant.classes,
        machines=plant.machines,
        failure_codes=plant.failure_codes,
        costs=plant.costs,
        models=[ModelEntryView.of(each) for each in plant.models],
        alerts=plant.alerts,
    )
