"""A belt conveyor with gear motor."""

from ingest.simulation.kind import Component, Effect, MachineKind, Mode, Product, SignalPhysics

CONVEYOR = MachineKind(
    name="conveyor",
    area="logistics",
    shifts="three shifts",
    running="power > 1",
    demand=0.05,
    order_hours=14,
    signals=(
        SignalPhysics(
            name="belt_speed", unit="m/s", low=0, high=4, resolution=0.005, base=1.2, speed_gain=1.2, noise=0.012
        ),
        SignalPhysics(
            name="power",
            unit="kW",
            low=0,
            high=20,
            resolution=0.02,
            base=4.5,
            load_gain=3.2,
            speed_gain=2.0,
            noise=0.14,
        ),
        SignalPhysics(
            name="gearbox_temperature",
            unit="degC",
            low=-20,
            high=120,
            resolution=0.2,
            base=46,
            off=None,
            load_gain=12,
            ambient_gain=0.9,
            noise=0.8,
            correlation_hours=2,
            lag_hours=1.5,
        ),
        SignalPhysics(
            name="vibration",
            unit="mm/s",
            low=0,
            high=30,
            resolution=0.02,
            base=1.6,
            load_gain=0.5,
            speed_gain=0.9,
            noise=0.16,
        ),
        SignalPhysics(
            name="belt_tension",
            unit="kN",
            low=0,
            high=20,
            resolution=0.02,
            base=7.0,
            off=5.5,
            load_gain=1.5,
            noise=0.14,
            correlation_hours=2,
        ),
    ),
    products=(
        Product("cartons", 0.8, 1.1, 6),
        Product("crates", 1.0, 1.0, 8),
        Product("castings", 1.3, 0.8, 15),
    ),
    components=(
        Component(
            "gearbox",
            14,
            (
                Mode(
                    name="gear wear",
                    effects=(Effect("gearbox_temperature", 18.0), Effect("vibration", 2.6, 0.6), Effect("power", 0.8)),
                    interval_hours=(72, 200),
                    error="temperature high",
                    errors_per_hour=0.05,
                ),
            ),
            Mode(name="tooth breakage"),
        ),
        Component(
            "belt",
            7,
            (
                Mode(
                    name="belt wear",
                    effects=(Effect("belt_tension", -2.2, 0.6), Effect("belt_speed", -0.14, 0.8)),
                    interval_hours=(56, 160),
                    error="belt slip",
                    errors_per_hour=0.07,
                ),
            ),
            Mode(name="belt torn"),
        ),
        Component(
            "roller",
            5,
            (
                Mode(
                    name="bearing damage",
                    effects=(Effect("vibration", 3.0, 1.0), Effect("power", 1.4)),
                    interval_hours=(48, 150),
                    error="overload",
                    errors_per_hour=0.05,
                ),
                Mode(
                    name="imbalance",
                    effects=(Effect("vibration", 3.5, 0.3),),
                    interval_hours=(48, 140),
                    error="overload",
                    errors_per_hour=0.03,
                ),
            ),
            Mode(name="roller jammed"),
        ),
    ),
    errors=("temperature high", "belt slip", "overload", "light barrier"),
)
