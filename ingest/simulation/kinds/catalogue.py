"""Every kind of machine by name."""

from ingest.simulation.kind import MachineKind
from ingest.simulation.kinds.compressor import COMPRESSOR
from ingest.simulation.kinds.conveyor import CONVEYOR
from ingest.simulation.kinds.press import PRESS
from ingest.simulation.kinds.pump import PUMP
from ingest.simulation.kinds.spindle import SPINDLE

KINDS: dict[str, MachineKind] = {kind.name: kind for kind in (PRESS, PUMP, COMPRESSOR, SPINDLE, CONVEYOR)}
