"""An oil-flooded screw compressor for plant air."""

from ingest.simulation.kind import Component, Effect, MachineKind, Mode, Product, SignalPhysics

COMPRESSOR = MachineKind(
    name="compressor",
    area="utilities",
    shifts="continuous",
    running="power > 18",
    demand=0.12,
    order_hours=40,
    signals=(
        SignalPhysics(
            name="inlet_temperature",
            unit="degC",
            low=-30,
            high=80,
            resolution=0.2,
            base=22,
            off=None,
            load_gain=3,
            ambient_gain=1.0,
            noise=0.5,
            lag_hours=0.5,
        ),
        SignalPhysics(
            name="discharge_temperature",
            unit="degC",
            low=-20,
            high=140,
            resolution=0.2,
            base=84,
            off=None,
            load_gain=16,
            ambient_gain=0.9,
            noise=1.0,
            correlation_hours=1,
            lag_hours=0.7,
        ),
        SignalPhysics(
            name="pressure", unit="bar", low=0, high=16, resolution=0.02, base=7.5, load_gain=-0.8, noise=0.06
        ),
        SignalPhysics(
            name="filter_pressure_drop",
            unit="mbar",
            low=0,
            high=1000,
            resolution=2,
            base=240,
            load_gain=160,
            noise=14,
            correlation_hours=1,
        ),
        SignalPhysics(
            name="power", unit="kW", low=0, high=150, resolution=0.2, base=74, load_gain=52, speed_gain=10, noise=1.1
        ),
        SignalPhysics(
            name="vibration",
            unit="mm/s",
            low=0,
            high=40,
            resolution=0.05,
            base=3.2,
            load_gain=1.6,
            speed_gain=2.0,
            noise=0.28,
        ),
    ),
    products=(
        Product("weekend demand", 0.7, 0.85),
        Product("normal demand", 1.0, 1.0),
        Product("peak demand", 1.15, 1.08),
    ),
    components=(
        Component(
            "air end",
            16,
            (
                Mode(
                    name="bearing damage",
                    effects=(
                        Effect("vibration", 5.1, 1.0),
                        Effect("discharge_temperature", 8.0),
                        Effect("power", 4.8),
                    ),
                    interval_hours=(72, 200),
                    error="vibration high",
                    errors_per_hour=0.05,
                ),
            ),
            Mode(name="rotor contact"),
        ),
        Component(
            "filter",
            3,
            (
                Mode(
                    name="clogging",
                    effects=(
                        Effect("filter_pressure_drop", 370.0, 0.3),
                        Effect("power", 6.4),
                        Effect("pressure", -0.24),
                    ),
                    interval_hours=(56, 150),
                    error="filter service",
                    errors_per_hour=0.07,
                ),
            ),
            Mode(name="filter rupture"),
        ),
        Component(
            "valve",
            5,
            (
                Mode(
                    name="internal leak",
                    effects=(Effect("pressure", -1.0, 0.5), Effect("power", 9.6)),
                    interval_hours=(48, 140),
                    error="pressure low",
                    errors_per_hour=0.06,
                ),
            ),
            Mode(name="valve stuck shut"),
        ),
        Component(
            "cooler",
            6,
            (
                Mode(
                    name="fouling",
                    effects=(Effect("discharge_temperature", 24.0), Effect("power", 2.4)),
                    interval_hours=(76, 200),
                    error="temperature high",
                    errors_per_hour=0.06,
                ),
            ),
            Mode(name="fan motor burnt"),
        ),
    ),
    errors=("vibration high", "filter service", "pressure low", "temperature high", "drive warning"),
)
