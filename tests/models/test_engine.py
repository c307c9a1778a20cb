"""Work is done the same wherever it runs, and none is lost when a worker dies."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from ingest.errors import AndonError, EngineError, LostWorkError, NotEnoughDataError
from models.engine.apart import run_apart
from models.engine.cluster import Cluster
from models.engine.engine import HERE, Engine
from models.engine.groups import groups
from models.engine.named import engine_named, understood
from models.engine.processes import Processes
from models.engine.work import WorkUnit
from tests.models import engine_work

UNITS = [WorkUnit(f"unit {number}", (number,)) for number in range(20)]
CLUSTER = pytest.param("cluster", marks=pytest.mark.slow(seconds=10))


@pytest.fixture(scope="module")
def places() -> Iterator[dict[str, Engine]]:
    """Engines of every place that a test asked for."""
    made: dict[str, Engine] = {"here": HERE}
    clusters = []

    class Made(dict[str, Engine]):
        def __missing__(self, name: str) -> Engine:
            if name == "processes":
                self[name] = Engine(Processes(2))
            else:
                distributed, dask = pytest.importorskip("distributed"), pytest.importorskip("dask")
                # By itself a scheduler tries four times; here the engine is tried.
                dask.config.set(
                    {
                        "distributed.scheduler.allowed-failures": 0,
                        "distributed.deploy.lost-worker-timeout": "10 minutes",
                    }
                )
                cluster = distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=":0")
                clusters.append(cluster)
                self[name] = Engine(Cluster(cluster.scheduler_address))
            return self[name]

    found = Made(made)
    yield found
    for engine in found.values():
        engine.close()
    for cluster in clusters:
        cluster.close()


@pytest.fixture(params=["here", "processes", CLUSTER])
def engine(request: pytest.FixtureRequest, places: dict[str, Engine]) -> Engine:
    return places[request.param]


@pytest.fixture(params=["processes", CLUSTER])
def elsewhere(request: pytest.FixtureRequest, places: dict[str, Engine]) -> Engine:
    return places[request.param]


def test_results_come_in_the_order_of_the_units(engine: Engine) -> None:
    found = engine.run(engine_work.times, UNITS, (3,))

    assert [each.value() for each in found] == [3 * number for number in range(20)]
    assert [each.unit for each in found] == UNITS


def test_no_units_are_no_work(engine: Engine) -> None:
    assert engine.run(engine_work.times, [], (3,)) == []


def test_an_error_carries_the_name_of_its_unit_and_the_others_are_done(engine: Engine) -> None:
    found = engine.run(engine_work.fail_at, UNITS, (7,))

    assert [each.value() for each in found if each.error is None] == [number for number in range(20) if number != 7]
    with pytest.raises(NotEnoughDataError, match="nothing to learn of 7") as caught:
        found[7].value()
    assert "in unit 7" in caught.value.__notes__


def test_an_error_that_cannot_travel_is_told_all_the_same(elsewhere: Engine) -> None:
    with pytest.raises(EngineError, match="AwkwardError: one and 0"):
        elsewhere.run(engine_work.fail_awkwardly, UNITS[:1])


def test_a_unit_that_takes_all_memory_is_set_aside_and_named(engine: Engine) -> None:
    found = engine.run(engine_work.run_out_of_memory_at, UNITS, (7,))

    assert [number for number, each in enumerate(found) if each.lost] == [7]
    with pytest.raises(LostWorkError, match="unit 7: set aside"):
        found[7].value()


def test_work_elsewhere_is_in_other_processes(elsewhere: Engine) -> None:
    import os

    used = {each.value()[1] for each in elsewhere.run(engine_work.where, UNITS)}

    assert os.getpid() not in used


def test_a_killed_worker_loses_nothing(elsewhere: Engine, tmp_path: Path) -> None:
    found = elsewhere.run(engine_work.die_once, UNITS, (tmp_path / "died", 5))

    assert [each.value() for each in found] == list(range(20))
    assert (tmp_path / "died").exists()


def test_a_unit_that_always_kills_its_worker_is_set_aside_and_the_others_are_done(elsewhere: Engine) -> None:
    found = elsewhere.run(engine_work.die_always, UNITS, (5,))

    assert [each.unit.name for each in found if each.lost] == ["unit 5"]
    assert [each.value() for each in found if not each.lost] == [number for number in range(20) if number != 5]


def test_what_fails_together_is_asked_one_by_one() -> None:
    def total(bad: int, numbers: Sequence[int]) -> int:
        return sum(engine_work.fail_at(bad, number) for number in numbers)

    def split(unit: WorkUnit) -> list[WorkUnit]:
        return [WorkUnit(f"{number}", ([number],)) for number in unit.arguments[0]]

    units = [WorkUnit("some", ([1, 2, 3],)), WorkUnit("others", ([4, 5],))]

    found = run_apart(HERE, total, units, split, (2,))

    assert [(each.unit.name, each.result) for each in found] == [("1", 1), ("2", None), ("3", 3), ("others", 9)]
    assert isinstance(found[1].error, AndonError)


def test_a_mistake_of_ours_is_no_failure_of_a_machine() -> None:
    with pytest.raises(TypeError):
        run_apart(HERE, engine_work.times, [WorkUnit("one", ("a", "b"))], lambda _unit: [], (3,))


def test_workers_of_another_programme_are_refused(elsewhere: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    from models.engine import parcel

    other = (("Python", "2.7"), *parcel.programme()[1:])
    monkeypatch.setattr(parcel, "programme", lambda: other)

    with pytest.raises(EngineError, match=r"not 2\.7"):
        elsewhere.run(engine_work.times, UNITS, (3,))


def test_groups_keep_the_order_and_leave_nobody_out() -> None:
    machines = [f"m{number}" for number in range(1000)]
    for workers in (1, 2, 7, 400):
        cut = groups(machines, workers)
        assert [each for group in cut for each in group] == machines
        assert max(map(len, cut)) <= 200
    assert len(groups(machines, 1)) == 5
    assert groups([], 3) == []


@pytest.mark.parametrize("name", ["here", "processes", "processes:3", "tcp://centre:8786", "tls://10.0.0.7:8786"])
def test_a_name_of_an_engine_is_understood(name: str) -> None:
    assert understood(name) == name


@pytest.mark.parametrize("name", ["", "there", "processes:0", "processes:x", "http://centre:8786", "tcp://centre"])
def test_what_names_no_engine_is_told_what_would(name: str) -> None:
    with pytest.raises(ValueError, match="write 'here'"):
        engine_named(name)


def test_a_cluster_that_is_not_there_is_told_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("distributed")
    monkeypatch.setattr("models.engine.cluster.CONNECT_SECONDS", 0.5)

    with pytest.raises(EngineError, match=r"tcp://127.0.0.1:9: no Dask scheduler answers"):
        engine_named("tcp://127.0.0.1:9").run(engine_work.times, UNITS, (3,))
