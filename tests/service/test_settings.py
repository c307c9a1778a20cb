"""Settings come from arguments, then the environment, then defaults; the page tells the same."""

from datetime import timedelta
from pathlib import Path

import pytest

from ingest.errors import SettingError
from service.settings import Settings, read_settings, settings_table

PAGE = Path(__file__).parents[2] / "docs" / "settings.md"


def test_an_empty_environment_gives_the_defaults() -> None:
    assert read_settings({}) == Settings()


def test_an_argument_goes_before_the_environment() -> None:
    environment = {"ANDON_PORT": "9000", "ANDON_HOST": "0.0.0.0"}  # noqa: S104
    settings = read_settings(environment, port=9001, host=None)
    assert (settings.port, settings.host) == (9001, "0.0.0.0")  # noqa: S104


def test_every_kind_of_value_is_read() -> None:
    environment = {"ANDON_PLANT": "/x/plant.toml", "ANDON_JOBS": "no", "ANDON_LEASE": "90 s", "PATH": "/bin"}
    settings = read_settings(environment)
    assert settings.plant == Path("/x/plant.toml")
    assert settings.jobs is False
    assert settings.lease == timedelta(seconds=90)


def test_all_wrong_variables_are_named_at_once() -> None:
    environment = {"ANDON_PRT": "1", "ANDON_PORT": "99999", "ANDON_JOBS": "maybe", "ANDON_TICK": "0 s"}
    with pytest.raises(SettingError) as caught:
        read_settings(environment)
    assert str(caught.value).splitlines() == [
        "ANDON_JOBS: 'maybe' is neither 'yes' nor 'no'",
        "ANDON_PORT: '99999' is not a port; write a number from 0 to 65535",
        "ANDON_PRT: no such setting; did you mean ANDON_PORT?",
        "ANDON_TICK: '0 s' is no time at all; write a span longer than zero",
    ]


def test_the_page_lists_exactly_the_settings() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert settings_table() in page


def test_further_names_are_read_with_commas_between() -> None:
    assert read_settings({"ANDON_HOSTS": "andon.example, Press-PC,"}).hosts == ("andon.example", "Press-PC")


@pytest.mark.parametrize("name", ["http://andon.example", "andon.example:8420", "andon.example/", "*", "an don"])
def test_a_further_name_that_no_request_can_have_is_an_error(name: str) -> None:
    with pytest.raises(SettingError) as caught:
        read_settings({"ANDON_HOSTS": f"press-pc,{name}"})
    assert str(caught.value) == (
        f"ANDON_HOSTS: {name!r} is no name of a computer; write it without scheme, port and path: andon.example"
    )


def test_the_pages_say_which_names_are_answered() -> None:
    readme, api = (PAGE.parents[1] / "README.md", PAGE.parent / "api.md")
    assert all("ANDON_HOSTS" in page.read_text(encoding="utf-8") for page in (readme, PAGE, api))
