"""Andon and a real Alertmanager are told the same, and answer the same but for ids, times of their own and words."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.alertmanager import ask, running_alertmanager, running_andon, wait_until

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


@dataclass
class Pair:
    """Alertmanager and Andon."""

    theirs: str
    ours: str

    def both(self, method: str, path: str, body: Any = None) -> list[tuple[int, Any]]:
        return [ask(address, method, path, body) for address in (self.theirs, self.ours)]

    def post(self, *alerts: dict[str, Any]) -> None:
        assert [status for status, _ in self.both("POST", "/alerts", list(alerts))] == [200, 200]

    def settled(self) -> None:
        """Wait until Alertmanager has looked at what it was given."""
        wait_until(
            lambda: all(each["status"]["state"] != "unprocessed" for each in ask(self.theirs, "GET", "/alerts")[1]),
            "Alertmanager has processed all",
        )

    def silence(self, *matchers: dict[str, Any], begin: timedelta = timedelta(0), last: timedelta = HOUR) -> list[str]:
        now = datetime.now(UTC)
        body = {
            "matchers": list(matchers),
            "startsAt": written(now + begin),
            "endsAt": written(now + begin + last),
            "createdBy": "Ines",
            "comment": "known",
        }
        answers = self.both("POST", "/silences", body)
        assert [status for status, _ in answers] == [200, 200], answers
        return [said["silenceID"] for _, said in answers]


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    folder = tmp_path_factory.mktemp("pair")
    with running_alertmanager(folder / "theirs") as theirs, running_andon(folder / "ours") as (ours, _):
        yield Pair(theirs, ours)


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[Pair]:
    with running_alertmanager(tmp_path / "theirs") as theirs, running_andon(tmp_path / "ours") as (ours, _):
        yield Pair(theirs, ours)


def written(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def equal(name: str, value: str) -> dict[str, Any]:
    return {"name": name, "value": value, "isRegex": False, "isEqual": True}


def shape(document: Any) -> Any:
    """Return the names and kinds of a document, without its values."""
    if isinstance(document, dict):
        return {name: shape(value) for name, value in document.items()}
    if isinstance(document, list):
        return [shape(document[0])] if document else []
    return type(document).__name__


def plain(alerts: Sequence[Any], names: Sequence[str] = ()) -> list[Any]:
    """Return alerts without what each server says in its own way: times of receipt, and ids of silences by place."""
    return [
        {
            **{name: value for name, value in each.items() if name not in ("updatedAt", "status")},
            "state": each["status"]["state"],
            "silenced by": sorted(names.index(name) for name in each["status"]["silencedBy"]),
            "inhibited by": each["status"]["inhibitedBy"],
        }
        for each in alerts
    ]


def test_alerts_with_times_of_their_own_are_shown_alike(fresh: Pair) -> None:
    now = datetime.now(UTC)
    fresh.post(
        {
            "labels": {"alertname": "Hot", "machine": "press-1", "empty": "", "severity": "critical"},
            "annotations": {"summary": "90 °C", "empty": ""},
            "startsAt": written(now - HOUR),
            "endsAt": written(now + HOUR),
            "generatorURL": "http://prometheus.example/graph?g0.expr=1",
        },
        {"labels": {"alertname": "Loud"}, "startsAt": written(now - MINUTE), "endsAt": written(now + HOUR)},
        {"labels": {"alertname": "Gone"}, "startsAt": written(now - HOUR), "endsAt": written(now - MINUTE)},
        {"labels": {"job": 'a "b" \\ \n ü', "machine": "press-2"}, "endsAt": written(now + HOUR)},
    )
    fresh.settled()

    theirs, ours = (said for _, said in fresh.both("GET", "/alerts"))

    assert shape(theirs) == shape(ours)
    for each in (*theirs, *ours):
        if "alertname" not in each["labels"]:
            del each["startsAt"]  # when it came
    assert plain(theirs) == plain(ours)
    assert len(ours) == 3


def test_groups_are_shown_alike(fresh: Pair) -> None:
    now = datetime.now(UTC)
    times = {"startsAt": written(now - MINUTE), "endsAt": written(now + HOUR)}
    fresh.post(*({"labels": {"alertname": "external", "machine": f"press-{each}"}, **times} for each in (1, 2)))
    fresh.settled()

    theirs, ours = (said for _, said in fresh.both("GET", "/alerts/groups"))

    assert shape(theirs) == shape(ours)
    for each in (*theirs, *ours):
        each["alerts"] = plain(each["alerts"])
    assert theirs == ours
    assert [said for _, said in fresh.both("GET", "/alerts/groups?receiver=nobody")] == [[], []]


def test_the_life_of_an_alert_is_seen_alike(fresh: Pair) -> None:
    now = datetime.now(UTC)

    def post(begin: timedelta, end: timedelta | None, **annotations: str) -> None:
        times = {"startsAt": written(now + begin)} | ({"endsAt": written(now + end)} if end is not None else {})
        fresh.post({"labels": {"alertname": "Hot"}, "annotations": annotations, **times})

    def seen() -> list[Any]:
        answers = [said for _, said in fresh.both("GET", "/alerts")]
        for each in (*answers[0], *answers[1]):
            del each["updatedAt"], each["status"]
        return answers

    steps = [
        (-10 * MINUTE, HOUR, {"summary": "1"}),
        (-10 * MINUTE, 2 * HOUR, {"summary": "2"}),
        (-20 * MINUTE, 2 * HOUR, {"summary": "3"}),
        (-10 * MINUTE, 3 * HOUR, {}),
        (-10 * MINUTE, -MINUTE, {"summary": "over"}),
        (-10 * MINUTE, -MINUTE, {"summary": "over"}),
        (-MINUTE, HOUR, {"summary": "again"}),
    ]
    lengths = []
    for begin, end, annotations in steps:
        post(begin, end, **annotations)
        theirs, ours = seen()
        assert theirs == ours, annotations
        lengths.append(len(ours))
    assert lengths == [1, 1, 1, 1, 0, 0, 1]
    # Here we differ: what was over before it began anew does not end what lasts.
    post(-10 * MINUTE, -5 * MINUTE, summary="of before")
    assert [len(each) for each in seen()] == [0, 1]


def test_silences_are_shown_alike_through_their_lives(fresh: Pair) -> None:
    fresh.post(*({"labels": {"alertname": "Hot", "machine": f"press-{each}"}} for each in (1, 2)))
    made = [
        fresh.silence(equal("machine", "press-1")),
        fresh.silence({"name": "machine", "value": "press-[2-9]", "isRegex": True}, equal("alertname", "Hot")),
        fresh.silence(equal("machine", "press-1"), begin=HOUR),
        fresh.silence({**equal("alertname", "Cold"), "isEqual": False}, equal("machine", "press-2")),
    ]
    names = list(zip(*made, strict=True))
    fresh.settled()

    def silences(query: str = "") -> list[list[Any]]:
        answers = [said for _, said in fresh.both("GET", f"/silences{query}")]
        return [
            sorted(
                ({**each, "id": own.index(each["id"]), "updatedAt": "", "startsAt": "", "endsAt": ""} for each in said),
                key=lambda each: each["id"],
            )
            for said, own in zip(answers, names, strict=True)
        ]

    theirs, ours = silences()
    assert theirs == ours
    assert [each["status"]["state"] for each in ours] == ["active", "active", "pending", "active"]
    assert shape(fresh.both("GET", "/silences")[0][1]) == shape(fresh.both("GET", "/silences")[1][1])
    listed = [plain(said, own) for (_, said), own in zip(fresh.both("GET", "/alerts"), names, strict=True)]
    for each in (*listed[0], *listed[1]):
        del each["startsAt"], each["endsAt"]
    assert listed[0] == listed[1]
    assert [each["silenced by"] for each in listed[1]] in ([[0], [1, 3]], [[1, 3], [0]])
    for query in ("?filter=machine%3D%22press-1%22", "?filter=machine%3D~%22press-%5B2-9%5D%22", "?filter=line%3DA"):
        theirs, ours = silences(query)
        assert theirs == ours, query

    for address, own in zip((fresh.theirs, fresh.ours), names, strict=True):
        assert ask(address, "DELETE", f"/silence/{own[0]}")[0] == 200
        assert ask(address, "DELETE", f"/silence/{own[0]}")[0] == 200
        assert ask(address, "DELETE", f"/silence/{own[2]}")[0] == 200
    theirs, ours = silences()
    assert theirs == ours
    assert [each["status"]["state"] for each in ours] == ["expired", "active", "expired", "active"]


def test_a_silence_that_is_changed_keeps_its_id_and_one_for_others_or_over_does_not(fresh: Pair) -> None:
    first = fresh.silence(equal("machine", "press-1"))
    outcomes = []
    for address, name in zip((fresh.theirs, fresh.ours), first, strict=True):
        kept = ask(address, "GET", f"/silence/{name}")[1]
        longer = {**kept, "endsAt": written(datetime.now(UTC) + 2 * HOUR), "comment": "longer"}
        others = {**longer, "matchers": [equal("machine", "press-2")]}
        _, same = ask(address, "POST", "/silences", longer)
        _, other = ask(address, "POST", "/silences", others)
        old, new = (ask(address, "GET", f"/silence/{each}")[1] for each in (name, other["silenceID"]))
        _, again = ask(address, "POST", "/silences", {**others, "id": name})
        states = [old["status"]["state"], new["status"]["state"]]
        outcomes.append([same["silenceID"] == name, other["silenceID"] == name, again["silenceID"] == name, states])
    assert outcomes[0] == outcomes[1] == [True, False, False, ["expired", "active"]]


def test_what_is_wrong_is_refused_by_both(pair: Pair) -> None:
    now = datetime.now(UTC)
    times = {"startsAt": written(now), "endsAt": written(now + HOUR)}
    whole = {"matchers": [equal("machine", "press-1")], **times, "createdBy": "Ines", "comment": "known"}
    for path, body in (
        ("/alerts", [{"labels": {}}]),
        ("/alerts", [{"labels": {"empty": ""}}]),
        ("/alerts", [{"labels": {"bad-name": "x"}}]),
        ("/alerts", [{"annotations": {"a": "b"}}]),
        ("/alerts", {"labels": {"a": "b"}}),
        ("/alerts", [{"labels": {"a": "b"}, "startsAt": "today"}]),
        ("/alerts", [{"labels": {"a": "b"}, "startsAt": times["endsAt"], "endsAt": times["startsAt"]}]),
        ("/alerts", [{"labels": {"a": 1}}]),
        ("/silences", {**whole, "matchers": []}),
        ("/silences", {**whole, "matchers": [equal("a", "")]}),
        ("/silences", {**whole, "matchers": [{"name": "a", "value": ".*", "isRegex": True}]}),
        ("/silences", {**whole, "matchers": [{"name": "a", "value": "(", "isRegex": True}]}),
        ("/silences", {**whole, "matchers": [{"name": "a", "value": "x)|(y", "isRegex": True}]}),
        ("/silences", {**whole, "matchers": [equal("bad-name", "x")]}),
        ("/silences", {**whole, "endsAt": written(now - HOUR)}),
        ("/silences", {**whole, "startsAt": written(now - 2 * HOUR), "endsAt": written(now - HOUR)}),
        ("/silences", {name: value for name, value in whole.items() if name != "createdBy"}),
        ("/silences", {name: value for name, value in whole.items() if name != "startsAt"}),
        ("/silences", {**whole, "id": "0aaaaaaa-1111-4222-8333-444444444444"}),
    ):
        (theirs, _), (ours, why) = pair.both("POST", path, body)
        assert theirs // 100 == ours // 100 == 4, (path, body, theirs, ours)
        assert isinstance(why, str), body
    for path in ("/alerts?filter=bad", "/alerts?filter=a%3D~%22(%22", "/alerts?receiver=(", "/silences?filter=bad"):
        (theirs, reason), (ours, why) = pair.both("GET", path)
        assert (theirs, type(reason)) == (ours, type(why)) == (400, str), path
    assert [status for status, _ in pair.both("GET", "/silence/0aaaaaaa-1111-4222-8333-444444444444")] == [404, 404]


def test_of_alerts_some_of_which_are_wrong_the_others_are_taken_by_both(pair: Pair) -> None:
    answers = pair.both("POST", "/alerts", [{"labels": {"bad-name": "x"}}, {"labels": {"alertname": "Taken"}}])

    assert [status for status, _ in answers] == [400, 400]
    query = "?" + urlencode({"filter": "alertname=Taken"})
    assert [len(said) for _, said in pair.both("GET", f"/alerts{query}")] == [1, 1]


def test_random_filters_find_the_same_alerts(fresh: Pair) -> None:
    random = Random(52)  # noqa: S311 – the same ones each time
    values = ["", "a", "b", "ab", "aé", "a b", "press-1", "A", "a.b", "x\ny"]
    names = ["alertname", "job", "zone"]
    now = datetime.now(UTC)
    labels = [{name: random.choice(values) for name in names} for _ in range(40)]
    fresh.post(*({"labels": each, "endsAt": written(now + HOUR)} for each in labels if any(each.values())))
    fresh.silence({"name": "job", "value": "a.*", "isRegex": True}, equal("zone", "a"))
    fresh.settled()
    patterns = [
        "a", "a|b", ".*",
        ".+", "a.?", "[ab]+", "(?i)A", "a{1,2}", "press-\\d", "\\w+", "[^a]*", "a.b", "a\\.b", "(a|b)*",
        "x.y", "(?s)x.y", "^a$", "b$", "", "é", "a\\x{e9}", "\\pL+", "(?:a)", "a??b", "[[:alpha:]]+", "[", "a**",
        "\\p{Greek}", "(?P<n>a)b", "(?=a)", "\\1", "a{2,1}", "x{1001}",
    ]  # fmt: skip
    found, refused = 0, 0
    for _ in range(250):
        filters = []
        for _ in range(random.randint(1, 2)):
            sign = random.choice(["=", "!=", "=~", "!~"])
            value = random.choice(patterns if "~" in sign else values)
            escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
            filters.append(f'{random.choice(names)}{sign}"{escaped}"')
        more = [(name, random.choice(["true", "false"])) for name in ("active", "silenced", "inhibited", "unprocessed")]
        query = urlencode([*(("filter", each) for each in filters), *more])
        (theirs, their_alerts), (ours, our_alerts) = fresh.both("GET", f"/alerts?{query}")
        assert theirs == ours, (filters, their_alerts, our_alerts)
        if ours != 200:
            refused += 1
            continue
        assert [each["fingerprint"] for each in their_alerts] == [each["fingerprint"] for each in our_alerts], query
        found += len(our_alerts)
    assert found > 500
    assert refused > 10
