"""A hydraulic press."""

from ingest.simulation.kind import Component, Effect, MachineKind, Mode, Product, SignalPhysics

PRESS = MachineKind(
    name="press",
    area="forming",
    shifts="two shifts",
    running="power > 14",
    demand=0.0,
    order_hours=12,
    signals=(
        SignalPhysics(
            name="hydraulic_pressure", unit="bar", low=0, high=350, resolution=0.5, base=210, load_gain=120, noise=2.5
        ),
        SignalPhysics(
            name="oil_temperature",
            unit="degC",
            low=-20,
            high=110,
            resolution=0.2,
            base=48,
            off=None,
            load_gain=10,
            speed_gain=8,
            ambient_gain=0.8,
            noise=0.8,
            correlation_hours=2,
            lag_hours=1.5,
        ),
        SignalPhysics(
            name="power", unit="kW", low=0, high=150, resolution=0.2, base=55, load_gain=40, speed_gain=25, noise=1.2
        ),
        SignalPhysics(
            name="cycle_time", unit="s", low=0, high=120, resolution=0.05, base=18, speed_gain=-14, noise=0.25
        ),
        SignalPhysics(
            name="vibration",
            unit="mm/s",
            low=0,
            high=50,
            resolution=0.05,
            base=4.0,
            load_gain=2.5,
            speed_gain=1.5,
            noise=0.4,
        ),
        SignalPhysics(
            name="filter_pressure_drop",
            unit="bar",
            low=0,
            high=10,
            resolution=0.02,
            base=1.2,
            speed_gain=0.6,
            noise=0.08,
            correlation_hours=1,
        ),
    ),
    products=(
        Product("door panel", 1.2, 0.85, 22),
        Product("cover", 1.0, 1.0, 18),
        Product("clip plate", 0.8, 1.15, 16),
    ),
    components=(
        Component(
            "hydraulic pump",
            12,
            (
                Mode(
                    name="pump wear",
                    effects=(
                        Effect("hydraulic_pressure", -32.0, 0.6),
                        Effect("oil_temperature", 8.0),
                        Effect("cycle_time", 1.9),
                    ),
                    interval_hours=(64, 180),
                    error="pressure low",
                    errors_per_hour=0.06,
                    scrap=0.03,
                ),
            ),
            Mode(name="shaft breakage"),
        ),
        Component(
            "cylinder seal",
            9,
            (
                Mode(
                    name="seal leak",
                    effects=(Effect("hydraulic_pressure", -26.0), Effect("cycle_time", 3.5, 0.5), Effect("power", 8.0)),
                    interval_hours=(48, 140),
                    error="position not reached",
                    errors_per_hour=0.07,
                    scrap=0.05,
                ),
            ),
            Mode(name="seal blown out"),
        ),
        Component(
            "guide",
            8,
            (
                Mode(
                    name="guide wear",
                    effects=(Effect("vibration", 7.2, 1.0), Effect("power", 4.8)),
                    interval_hours=(56, 160),
                    error="position not reached",
                    errors_per_hour=0.05,
                    scrap=0.07,
                ),
            ),
            Mode(name="guide seized"),
        ),
        Component(
            "oil filter",
            3,
            (
                Mode(
                    name="clogging",
                    effects=(Effect("filter_pressure_drop", 2.1), Effect("oil_temperature", 6.4)),
                    interval_hours=(40, 120),
                    error="filter service",
                    errors_per_hour=0.08,
                ),
            ),
            Mode(name="filter rupture"),
        ),
    ),
    errors=("pressure low", "position not reached", "filter service", "light curtain"),
)
