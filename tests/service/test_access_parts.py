"""The parts that access is made of, each alone: codes, passwords, reach, throttle, rates."""

import base64
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event, Semaphore

import pytest
from argon2 import PasswordHasher
from hypothesis import given
from hypothesis import strategies as st

from ingest.errors import AccessError, IntakeFullError
from ingest.plant import Machine, MachineClass, Plant, Signal
from service.access import links, sessions, throttle, totp, users
from service.access.password import AT_ONCE, MOST_WAITING, Passwords
from service.access.rates import MOST_SENDERS, Rates
from service.access.reach import EVERYTHING, NOTHING, Reach
from service.access.role import KEY_RIGHTS, OPEN_RIGHTS, RIGHTS, Right, Role
from service.access.sessions import Lifetime
from service.access.sign_in import Try, sign_in
from tests.ready_state import open_state
from tests.service.guarded_works import QUICK

NOON = datetime(2026, 5, 3, 12, tzinfo=UTC)
RFC_SECRET = base64.b32encode(b"12345678901234567890").decode()


@pytest.mark.parametrize(
    ("seconds", "code"),
    [
        (59, "94287082"),
        (1111111109, "07081804"),
        (1111111111, "14050471"),
        (1234567890, "89005924"),
        (2000000000, "69279037"),
        (20000000000, "65353130"),
    ],
)
def test_codes_are_those_of_rfc_6238(seconds: int, code: str) -> None:
    assert totp.code_at(RFC_SECRET, seconds // 30, digits=8) == code


@given(st.integers(-5, 5))
def test_a_code_is_taken_for_a_step_before_and_after_its_own_and_no_longer(steps: int) -> None:
    code = totp.code_at(RFC_SECRET, int(NOON.timestamp()) // 30)

    found = totp.step_of(RFC_SECRET, code, NOON + steps * timedelta(seconds=30))

    assert (found is not None) == (abs(steps) <= 1)


@given(st.text(max_size=12))
def test_whatever_is_written_as_a_code_is_looked_at_without_an_error(code: str) -> None:
    assert totp.step_of(RFC_SECRET, code, NOON) is None or len(code.split()) > 0


def test_a_hash_with_other_parameters_is_renewed_when_its_user_signs_in(tmp_path: Path) -> None:
    old = PasswordHasher(time_cost=2, memory_cost=16, parallelism=1).hash("seven tall green lamps")
    state, passwords = open_state(tmp_path / "state.db"), Passwords(QUICK)
    with state.write() as connection:
        user = users.add(connection, "Ines", role=Role.ADMIN, reach=EVERYTHING, at=NOON)
        users.set_password(connection, user, old)

    outcome = sign_in(state, passwords, Try("Ines", "seven tall green lamps", "", "192.0.2.1"), at=NOON)

    assert outcome.user is not None
    with state.read() as connection:
        kept = users.named(connection, "Ines").password
    assert kept != old
    assert not passwords.outdated(kept)
    state.close()


def test_new_passwords_are_hashed_by_argon2id_with_64_mib() -> None:
    assert Passwords().hashed("seven tall green lamps").startswith("$argon2id$v=19$m=65536,t=3,p=4$")


def test_a_password_is_verified_also_where_there_is_no_user() -> None:
    class Counting(PasswordHasher):
        verified = 0

        def verify(self, hash: str | bytes, password: str | bytes) -> bool:  # type: ignore[override]  # noqa: A002
            Counting.verified += 1
            return super().verify(hash, password)  # type: ignore[return-value]

    passwords = Passwords(Counting(time_cost=1, memory_cost=8, parallelism=1))

    assert not passwords.verify("", "nobody's")
    assert not passwords.verify(passwords.hashed("a"), "b")
    assert Counting.verified == 2


def test_more_who_sign_in_at_once_than_can_wait_are_told_to_come_back() -> None:
    begun, go_on = Semaphore(0), Event()

    class Slow(PasswordHasher):
        def hash(self, password: str | bytes, *, salt: bytes | None = None) -> str:
            begun.release()
            go_on.wait(60)
            return super().hash(password, salt=salt)

    passwords = Passwords(Slow(time_cost=1, memory_cost=8, parallelism=1))

    def one(_: int) -> bool:
        try:
            passwords.hashed("seven tall green lamps")
        except IntakeFullError:
            return False
        finally:
            ended.release()
        return True

    ended = Semaphore(0)
    with ThreadPoolExecutor(AT_ONCE + MOST_WAITING + 5) as pool:
        tried = [pool.submit(one, number) for number in range(AT_ONCE + MOST_WAITING + 5)]
        for _ in range(AT_ONCE):
            assert begun.acquire(timeout=60)
        for _ in range(5):
            assert ended.acquire(timeout=60)
        assert not begun.acquire(blocking=False)
        go_on.set()

    assert sorted(each.result() for each in tried) == [False] * 5 + [True] * (AT_ONCE + MOST_WAITING)
    assert passwords.hashed("seven tall green lamps")


def plant_of(places: list[tuple[str, str]]) -> Plant:
    press = MachineClass(name="press", signals=[Signal(name="temperature")])
    machines = [
        Machine(name=f"m{number}", machine_class="press", site=site, line=line)
        for number, (site, line) in enumerate(places)
    ]
    return Plant(classes=[press], machines=machines)


@given(
    st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from("xyz")), min_size=1, max_size=8),
    st.sets(st.sampled_from(["site:a", "site:b", "line:x", "line:y", "machine:m0", "machine:m1"]), min_size=1),
)
def test_a_reach_holds_the_machines_of_its_parts_and_no_other(places: list[tuple[str, str]], parts: set[str]) -> None:
    plant = plant_of(places)

    reached = Reach.read(sorted(parts)).machines(plant)

    for each in plant.machines:
        named = {f"site:{each.site}", f"line:{each.line}", f"machine:{each.name}"}
        assert (each.name in reached) == bool(named & parts)
    narrowed = plant.only(reached)
    assert {each.name for each in narrowed.machines} == reached
    assert bool(narrowed.classes) == bool(reached)


def test_a_line_that_is_at_two_sites_has_to_be_named_by_its_machines() -> None:
    plant = plant_of([("a", "x"), ("b", "x"), ("a", "y")])

    with pytest.raises(AccessError, match="2 places called line 'x'"):
        Reach.read(["line:x"]).checked(plant)
    assert Reach.read(["line:y", "site:b"]).checked(plant).machines(plant) == {"m1", "m2"}


def test_the_whole_plant_and_nothing_are_what_they_say() -> None:
    plant = plant_of([("a", "x")])

    assert EVERYTHING.machines(plant) == {"m0"}
    assert NOTHING.machines(plant) == frozenset()


def test_only_an_admin_manages_and_neither_a_key_nor_whoever_comes_in_openly() -> None:
    assert [role for role in Role if Right.MANAGE in RIGHTS[role]] == [Role.ADMIN]
    assert Right.MANAGE not in KEY_RIGHTS | OPEN_RIGHTS
    assert all(RIGHTS[Role.VIEWER] <= RIGHTS[role] for role in Role)


@given(st.integers(1, 200), st.sampled_from(["name", "address"]))
def test_the_wait_after_failures_never_gets_shorter_and_never_over_a_quarter_of_an_hour(tries: int, kind: str) -> None:
    assert throttle.delay(kind, tries) <= throttle.delay(kind, tries + 1) <= throttle.LONGEST < throttle.FORGOTTEN


def test_many_tries_at_once_are_no_more_than_one_after_the_other(tmp_path: Path, database: str) -> None:
    state = open_state(tmp_path / "state.db", database)

    def one(number: int) -> bool:
        with state.write() as connection:
            return not throttle.reserve(connection, "ines", f"192.0.2.{number}", at=NOON)

    with ThreadPoolExecutor(8) as pool:
        let_in = sum(pool.map(one, range(40)))

    assert let_in == throttle.FREE["name"]
    state.close()


def test_a_link_that_two_use_at_once_opens_for_one(tmp_path: Path, database: str) -> None:
    state = open_state(tmp_path / "state.db", database)
    with state.write() as connection:
        user = users.add(connection, "Ines", role=Role.ADMIN, reach=EVERYTHING, at=NOON)
        token = links.make(connection, user.id, at=NOON)

    def one(_: int) -> int | None:
        with state.write() as connection:
            return links.use(connection, token, at=NOON)

    with ThreadPoolExecutor(8) as pool:
        assert sorted(map(str, pool.map(one, range(8)))) == [str(user.id)] + ["None"] * 7
    state.close()


def test_sessions_of_a_user_are_bounded_and_the_oldest_makes_room(tmp_path: Path, database: str) -> None:
    state, lifetime = open_state(tmp_path / "state.db", database), Lifetime()
    with state.write() as connection:
        user = users.add(connection, "Ines", role=Role.ADMIN, reach=EVERYTHING, at=NOON)
        for minute in range(sessions.MOST + 5):
            sessions.begin(connection, user.id, at=NOON + timedelta(minutes=minute), lifetime=lifetime)
        left = sessions.list_sessions(connection, user.id, at=NOON + timedelta(hours=1), lifetime=lifetime)
    assert len(left) == sessions.MOST
    assert min(each.created for each in left) == NOON + timedelta(minutes=5)
    state.close()


@given(st.integers(1, 5), st.lists(st.integers(0, 30), min_size=1, max_size=60))
def test_no_sender_gets_more_through_than_burst_and_rate_allow(burst: int, pauses: list[int]) -> None:
    rates, at, through = Rates(burst, timedelta(minutes=1)), NOON, 0
    for pause in pauses:
        at += timedelta(seconds=pause)
        through += not rates.wait("a", at)

    assert through <= burst + (at - NOON) / (timedelta(minutes=1) / burst)


def test_however_many_senders_there_are_memory_is_bounded() -> None:
    rates = Rates(1)
    for number in range(MOST_SENDERS + 10):
        rates.wait(str(number), NOON)

    assert len(rates._full_at) == MOST_SENDERS
