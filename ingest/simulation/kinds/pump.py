"""A centrifugal process pump with mechanical seal, driven by a motor."""

from ingest.simulation.kind import Component, Effect, MachineKind, Mode, Product, SignalPhysics

PUMP = MachineKind(
    name="pump",
    area="utilities",
    shifts="continuous",
    running="power > 6",
    demand=0.08,
    order_hours=30,
    signals=(
        SignalPhysics(
            name="flow", unit="m3/h", low=0, high=250, resolution=0.5, base=120, load_gain=90, speed_gain=40, noise=2.2
        ),
        SignalPhysics(
            name="discharge_pressure",
            unit="bar",
            low=0,
            high=16,
            resolution=0.02,
            base=6.2,
            load_gain=-2.0,
            speed_gain=5.0,
            noise=0.10,
        ),
        SignalPhysics(
            name="power", unit="kW", low=0, high=60, resolution=0.1, base=24, load_gain=12, speed_gain=14, noise=0.45
        ),
        SignalPhysics(
            name="vibration",
            unit="mm/s",
            low=0,
            high=40,
            resolution=0.05,
            base=2.2,
            load_gain=0.8,
            speed_gain=3.0,
            noise=0.22,
        ),
        SignalPhysics(
            name="bearing_temperature",
            unit="degC",
            low=-20,
            high=150,
            resolution=0.2,
            base=54,
            off=None,
            load_gain=14,
            speed_gain=10,
            ambient_gain=0.8,
            noise=0.9,
            correlation_hours=2,
            lag_hours=1.2,
        ),
        SignalPhysics(
            name="seal_pressure",
            unit="bar",
            low=0,
            high=10,
            resolution=0.01,
            base=3.4,
            off=2.6,
            load_gain=0.3,
            ambient_gain=0.008,
            noise=0.06,
            correlation_hours=2,
        ),
    ),
    products=(
        Product("base duty", 0.85, 0.95),
        Product("normal duty", 1.0, 1.0),
        Product("high duty", 1.15, 1.05),
    ),
    components=(
        Component(
            "bearing",
            10,
            (
                Mode(
                    name="bearing damage",
                    effects=(
                        Effect("vibration", 4.2, 1.0),
                        Effect("bearing_temperature", 14.0),
                        Effect("power", 1.3),
                    ),
                    interval_hours=(56, 180),
                    error="vibration high",
                    errors_per_hour=0.06,
                ),
            ),
            Mode(name="coupling breakage"),
        ),
        Component(
            "impeller",
            8,
            (
                Mode(
                    name="impeller wear",
                    effects=(Effect("flow", -32.0), Effect("discharge_pressure", -1.3), Effect("power", -2.6)),
                    interval_hours=(76, 200),
                    error="low flow",
                    errors_per_hour=0.05,
                ),
                Mode(
                    name="clogging",
                    effects=(Effect("flow", -38.0, 0.8), Effect("vibration", 1.8, 0.6), Effect("power", -3.5)),
                    interval_hours=(40, 110),
                    error="low flow",
                    errors_per_hour=0.08,
                ),
            ),
            Mode(name="foreign body"),
        ),
        Component(
            "seal",
            6,
            (
                Mode(
                    name="seal leak",
                    effects=(Effect("seal_pressure", -1.2, 0.5), Effect("flow", -6.4)),
                    interval_hours=(48, 150),
                    error="seal pot level",
                    errors_per_hour=0.06,
                ),
            ),
            Mode(name="seal face breakage"),
        ),
    ),
    errors=("vibration high", "low flow", "seal pot level", "drive warning"),
)
