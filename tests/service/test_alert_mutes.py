"""Shelving, out of service and resetting over HTTP, on the pages and on the command line."""

import json
import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from service.alerts import book
from service.alerts.timers import keep_time
from service.cli.main import main

FORM = {"Content-Type": "application/x-www-form-urlencoded", "Origin": "http://testserver", "Accept": "text/html"}
SHELF = {"by": "Ines", "why": "The bearing is ordered.", "lasting": "8 h"}


def health(works: Any, machine: str = "press-1") -> str:
    return str(works.get(f"/api/v1/machines/{machine}")["health"])


def post(works: Any, path: str, body: dict[str, Any], **headers: str) -> Any:
    return works.client.post(f"/api/v1{path}", json=body, headers=headers)


def test_a_shelved_alert_says_by_whom_why_and_until_when_and_comes_back(works: Any) -> None:
    number = works.alert().number

    shelved = post(works, f"/alerts/{number}/shelve", SHELF).json()
    later = works.now + timedelta(hours=8)

    assert shelved["visibility"] == "shelved"
    (mute,) = shelved["mutes"]
    assert (mute["by"], mute["why"], mute["until"]) == ("Ines", SHELF["why"], later.isoformat().replace("+00:00", "Z"))
    assert shelved["history"][-1]["happening"] == "shelved"
    assert [each["id"] for each in works.get("/api/v1/mutes", kind="shelved")["items"]] == [mute["id"]]
    works.now = later
    assert works.get(f"/api/v1/alerts/{number}")["visibility"] == "shown"
    assert works.get("/api/v1/mutes")["items"] == []
    assert len(works.get("/api/v1/mutes", show="all")["items"]) == 1


def test_a_machine_whose_alert_is_muted_is_never_called_normal(works: Any) -> None:
    works.send()
    works.assess(level=0.1)
    number = works.alert().number
    post(works, f"/alerts/{number}/shelve", SHELF)
    assert health(works) == "alert shelved"

    post(works, f"/alerts/{number}/unshelve", {"by": "Ines", "why": "It is louder."})
    assert health(works) == "needs attention"

    mute = post(works, "/out-of-service", {"machine": "press-1", "by": "Ines", "why": "Rebuilt."}).json()
    assert health(works) == "out of service"

    post(works, f"/out-of-service/{mute['id']}/end", {"by": "Ines", "why": "Done."})
    assert health(works) == "needs attention"


def test_a_muted_alert_is_told_of_a_machine_that_is_silent_and_on_its_page(works: Any) -> None:
    post(works, f"/alerts/{works.alert().number}/shelve", SHELF)

    assert health(works) == "alert shelved"
    assert "<b>shelved</b> by Ines" in page(works, "/machines/press-1")


def test_another_alert_that_is_shown_decides_beside_a_shelved_one(works: Any) -> None:
    works.send()
    post(works, f"/alerts/{works.alert().number}/shelve", SHELF)
    works.alert(cause="seal")

    assert health(works) == "needs attention"


def test_what_is_muted_stands_below_what_people_are_called_for(works: Any) -> None:
    urgent, other = works.alert(level=0.9, hours=2).number, works.alert("press-2", level=0.5, hours=90).number
    assert [each["number"] for each in works.get("/api/v1/alerts")["items"]] == [urgent, other]

    post(works, f"/alerts/{urgent}/shelve", SHELF)

    assert [each["number"] for each in works.get("/api/v1/alerts")["items"]] == [other, urgent]


def test_an_impossible_change_is_a_conflict_that_names_all_that_is_possible(works: Any) -> None:
    number = works.alert().number

    answer = post(works, f"/alerts/{number}/unshelve", {"by": "Ines", "why": "x"})

    problem = answer.json()
    assert (answer.status_code, answer.headers["content-type"]) == (409, "application/problem+json")
    assert problem["type"] == "urn:andon:illegal-transition"
    assert problem["possible"] == ["acknowledged", "closed", "comment", "shelved", "shelved once", "out of service"]


def test_a_shelving_that_is_too_long_is_refused_and_says_the_limit(works: Any) -> None:
    number = works.alert().number

    answer = post(works, f"/alerts/{number}/shelve", SHELF | {"lasting": "25 h"})

    assert (answer.status_code, answer.json()["type"]) == (422, "urn:andon:out-of-bounds")
    assert "24 h at most" in answer.json()["detail"]
    assert works.get(f"/api/v1/alerts/{number}")["visibility"] == "shown"


@pytest.mark.parametrize("missing", ["by", "why"])
def test_nobody_shelves_without_a_name_and_a_reason(works: Any, missing: str) -> None:
    number = works.alert().number

    without = {name: each for name, each in SHELF.items() if name != missing}

    assert post(works, f"/alerts/{number}/shelve", without).status_code == 422
    assert post(works, f"/alerts/{number}/shelve", SHELF | {missing: ""}).status_code == 422


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("acknowledge", {"by": "Ines"}),
        ("close", {"by": "Ines", "verdict": "right"}),
        ("comment", {"by": "Ines", "text": "Seen."}),
        ("shelve", SHELF),
        ("unshelve", {"by": "Ines", "why": "x"}),
        ("reset", {"by": "Ines"}),
    ],
)
def test_a_change_decided_on_an_older_state_is_refused(works: Any, path: str, body: dict[str, Any]) -> None:
    number = works.alert().number
    old = works.client.get(f"/api/v1/alerts/{number}").headers["etag"]
    post(works, f"/alerts/{number}/comment", {"by": "Eva", "text": "I was here first."})
    before = works.get(f"/api/v1/alerts/{number}")

    answer = post(works, f"/alerts/{number}/{path}", body, **{"If-Match": old})

    new = works.client.get(f"/api/v1/alerts/{number}").headers["etag"]
    assert (answer.status_code, answer.headers["etag"]) == (412, new)
    assert works.get(f"/api/v1/alerts/{number}")["history"] == before["history"]
    assert post(works, f"/alerts/{number}/{path}", body, **{"If-Match": f'"0", {new}'}).status_code in (200, 409)


def test_each_change_answers_with_the_new_tag(works: Any) -> None:
    number = works.alert().number
    tag = works.client.get(f"/api/v1/alerts/{number}").headers["etag"]

    answer = post(works, f"/alerts/{number}/shelve", SHELF, **{"If-Match": tag})
    again = post(works, f"/alerts/{number}/acknowledge", {"by": "Ines"}, **{"If-Match": answer.headers["etag"]})

    assert (answer.status_code, again.status_code) == (200, 200)
    assert len({tag, answer.headers["etag"], again.headers["etag"]}) == 3


def test_out_of_service_has_an_address_and_a_tag(works: Any) -> None:
    body = {"machine": "press-1", "cause": "bearing", "by": "Ines", "why": "Rebuilt.", "lasting": "3 d"}
    made = post(works, "/out-of-service", body)
    end = f"/out-of-service/{made.json()['id']}/end"

    assert made.status_code == 201
    assert works.get(made.headers["location"]) == made.json()
    assert post(works, "/out-of-service", body).status_code == 409
    assert post(works, end, {"by": "Eva", "why": "Done."}, **{"If-Match": '"7"'}).status_code == 412
    assert post(works, end, {"by": "Eva", "why": "Done."}, **{"If-Match": made.headers["etag"]}).status_code == 200
    assert post(works, end, {"by": "Eva", "why": "Done."}).status_code == 409
    assert post(works, "/out-of-service", body | {"machine": "pres-1"}).status_code == 404


def test_a_latched_alert_asks_for_a_reset(works: Any) -> None:
    number = works.alert().number
    with works.room.state.write() as connection:
        connection.exec_driver_sql("UPDATE alert SET latches = 1")
        book.acknowledge(connection, number, by="eva", at=works.now)
        book.condition_over(connection, number, at=works.now)
    closing = post(works, f"/alerts/{number}/close", {"by": "Ines", "verdict": "right"})

    answer = post(works, f"/alerts/{number}/reset", {"by": "Ines", "note": "Walked there."})

    assert closing.json()["possible"] == ["reset", "comment", "shelved", "shelved once", "out of service"]
    assert (answer.json()["state"], answer.json()["history"][-1]["why"]) == ("normal", "Walked there.")


def page(works: Any, path: str) -> str:
    answer = works.client.get(path, headers={"Accept": "text/html"})
    assert answer.status_code == 200
    return str(answer.text)


def tag_on(text: str) -> str:
    return re.findall(r'name="tag" value="&#34;(\d+)&#34;"', text)[0]


def test_the_page_shelves_comments_unshelves_and_says_all_of_it(works: Any) -> None:
    number = works.alert().number
    where = f"/alerts/{number}"
    tag = tag_on(page(works, where))
    body = f"by=In%C3%A8s&why=Ordered&lasting=8+h&once=&tag=%22{tag}%22"

    first = works.client.post(f"{where}/shelve", content=body, headers=FORM, follow_redirects=False)
    stale = works.client.post(f"{where}/unshelve", content=f"by=Eva&why=x&tag=%22{tag}%22", headers=FORM)
    shelved = page(works, where)
    works.client.post(f"{where}/comment", content="by=Eva&text=I+hear+it", headers=FORM)
    works.client.post(f"{where}/unshelve", content="by=Eva&why=Louder", headers=FORM)
    told = page(works, where)

    assert (first.status_code, first.headers["location"], stale.status_code) == (303, where, 412)
    assert "<b>Shelved</b> by Inès" in shelved
    assert 'action="/alerts/1/unshelve"' in shelved
    assert 'action="/alerts/1/shelve"' not in shelved
    for line in ("<b>shelved</b> by Inès – Ordered", "<b>comment</b> by Eva – I hear it", "<b>unshelved</b> by Eva"):
        assert line in told


def test_the_page_takes_out_of_service_and_back(works: Any) -> None:
    where = f"/alerts/{works.alert().number}"
    works.client.post(f"{where}/out-of-service", content="by=Eva&why=Rebuilt&reach=machine&lasting=3+d", headers=FORM)
    out, listed, first = page(works, where), page(works, "/alerts"), page(works, "/")
    mute = re.findall(r'name="mute" value="(\d+)"', out)[0]
    wrong = works.client.post(f"{where}/back-in-service", content="by=Eva&why=x&mute=77", headers=FORM)

    works.client.post(f"{where}/back-in-service", content=f"by=Eva&why=Done&mute={mute}", headers=FORM)

    assert "<b>Out of service</b> (the whole machine) by Eva" in out
    assert "Nobody is called for these now" in listed
    assert "state-out_of_service" in first
    assert wrong.status_code == 409
    assert "<b>back in service</b> by Eva – Done" in page(works, where)


@pytest.mark.parametrize("lasting", ["soon", "25 h", "-1 h", "9999999 d"])
def test_a_form_with_a_time_that_cannot_be_is_refused(works: Any, lasting: str) -> None:
    number = works.alert().number

    answer = works.client.post(f"/alerts/{number}/shelve", content=f"by=E&why=x&lasting={lasting}", headers=FORM)

    assert answer.status_code == 422
    assert works.get("/api/v1/mutes")["items"] == []


def test_a_rule_is_shown_with_its_name(works: Any) -> None:
    number = works.alert().number
    with works.room.state.write() as connection:
        from service.alerts import mutes
        from service.alerts.mute import MuteKind

        until = works.now + timedelta(days=1)
        mutes.begin(
            connection,
            MuteKind.SUPPRESSED,
            machine="press-1",
            rule="maintenance",
            by="andon",
            why="maintenance is recorded",
            at=works.now,
            until=until,
        )
    works.send()
    works.assess(level=0.1)

    assert "<b>Suppressed: maintenance</b> by andon" in page(works, f"/alerts/{number}")
    assert health(works) == "alert suppressed"
    with works.room.state.write() as connection:
        assert keep_time(connection, works.now + timedelta(days=1)) == 1


@pytest.fixture
def andon(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    monkeypatch.chdir(tmp_path)
    Path("plant.toml").write_text(
        '[[classes]]\nname = "press"\nsignals = [{ name = "vibration" }]\n\n'
        '[[machines]]\nname = "press-1"\nclass = "press"\n',
        encoding="utf-8",
    )

    def run(*arguments: object, code: int = 0) -> Any:
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main(["--json", *map(str, arguments)])
        printed = capsys.readouterr()
        assert (ended.value.code or 0) == code, printed.err
        return printed.err if code else json.loads(printed.out)

    return run


def test_the_command_line_takes_out_of_service_and_back(andon: Callable[..., Any]) -> None:
    out = ("alerts", "out-of-service", "press-1", "--why", "rebuilt", "--by", "eva", "--for", "3 d")
    mute = andon(*out)["mute"]

    assert (mute["kind"], mute["by"], mute["why"]) == ("out of service", "eva", "rebuilt")
    assert [each["id"] for each in andon("alerts", "muted")["mutes"]] == [mute["id"]]
    assert "is out of service already" in andon(*out, code=1)
    back = andon("alerts", "back-in-service", mute["id"], "--why", "done", "--by", "ines")["mute"]
    assert (back["ended_by"], back["ended_why"]) == ("ines", "done")
    assert andon("alerts", "muted")["mutes"] == []
    assert "no machine 'press-9'" in andon("alerts", "out-of-service", "press-9", "--why", "x", code=1)
    assert "no alert 7" in andon("alerts", "shelve", 7, "--why", "x", "--for", "8 h", code=1)
    assert "'soon'" in andon("alerts", "shelve", 7, "--why", "x", "--for", "soon", code=2)
