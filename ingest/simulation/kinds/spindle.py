"""The main spindle of a machine tool."""

from ingest.simulation.kind import Component, Effect, MachineKind, Mode, Product, SignalPhysics

SPINDLE = MachineKind(
    name="spindle",
    area="machining",
    shifts="two shifts",
    running="power > 3",
    demand=0.0,
    order_hours=9,
    signals=(
        SignalPhysics(
            name="speed", unit="1/min", low=0, high=24000, resolution=10, base=9000, speed_gain=9000, noise=60
        ),
        SignalPhysics(
            name="power", unit="kW", low=0, high=60, resolution=0.05, base=11, load_gain=10, speed_gain=4, noise=0.35
        ),
        SignalPhysics(
            name="vibration",
            unit="mm/s",
            low=0,
            high=30,
            resolution=0.02,
            base=1.1,
            load_gain=0.5,
            speed_gain=0.8,
            noise=0.12,
        ),
        SignalPhysics(
            name="bearing_temperature",
            unit="degC",
            low=-20,
            high=120,
            resolution=0.2,
            base=43,
            off=None,
            load_gain=8,
            speed_gain=14,
            ambient_gain=0.7,
            noise=0.7,
            correlation_hours=1,
            lag_hours=0.8,
        ),
        SignalPhysics(
            name="coolant_flow", unit="L/min", low=0, high=60, resolution=0.1, base=26, speed_gain=2, noise=0.6
        ),
    ),
    products=(
        Product("housing", 1.15, 0.75, 210),
        Product("bracket", 1.0, 1.0, 95),
        Product("flange", 0.85, 1.2, 140),
    ),
    components=(
        Component(
            "spindle bearing",
            20,
            (
                Mode(
                    name="bearing damage",
                    effects=(Effect("vibration", 2.4, 1.0), Effect("bearing_temperature", 14.0), Effect("power", 0.8)),
                    interval_hours=(48, 140),
                    error="vibration high",
                    errors_per_hour=0.06,
                    scrap=0.05,
                ),
            ),
            Mode(name="collision"),
        ),
        Component(
            "tool clamp",
            5,
            (
                Mode(
                    name="imbalance",
                    effects=(Effect("vibration", 2.9, 0.4),),
                    interval_hours=(32, 90),
                    error="clamping pressure",
                    errors_per_hour=0.07,
                    scrap=0.08,
                ),
            ),
            Mode(name="clamp breakage"),
        ),
        Component(
            "coolant",
            3,
            (
                Mode(
                    name="clogging",
                    effects=(Effect("coolant_flow", -13.0, 0.4), Effect("bearing_temperature", 8.0)),
                    interval_hours=(32, 100),
                    error="coolant level",
                    errors_per_hour=0.08,
                    scrap=0.03,
                ),
            ),
            Mode(name="coolant pump burnt"),
        ),
        Component(
            "belt",
            4,
            (
                Mode(
                    name="belt wear",
                    effects=(Effect("speed", -720.0, 0.8), Effect("power", 2.9, 0.5)),
                    interval_hours=(40, 120),
                    error="speed deviation",
                    errors_per_hour=0.07,
                    scrap=0.03,
                ),
            ),
            Mode(name="belt torn"),
        ),
    ),
    errors=("vibration high", "clamping pressure", "coolant level", "speed deviation", "door contact"),
)
