"""Single sign-on: whoever the issuer vouches for comes in as the user they are, and nobody else does."""

from base64 import b64decode
from collections.abc import Callable, Iterator
from pathlib import Path
from time import time
from typing import Any
from urllib.parse import parse_qs, unquote_plus, urlencode, urlsplit

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from ingest.errors import SettingError
from service.access import users
from service.access.issuer import Errand, issuer_of
from service.access.role import Role
from service.access.users import User
from service.settings import read_settings
from tests.service.fake_issuer import CLIENT, SECRET, FakeIssuer, fake_issuer
from tests.service.guarded_works import Answer, Browser, GuardedWorks, open_guarded

BACK = "/sign-in/oidc/back"


@pytest.fixture
def issuer() -> Iterator[FakeIssuer]:
    with fake_issuer() as found:
        yield found


@pytest.fixture
def works(tmp_path: Path, issuer: FakeIssuer) -> Iterator[GuardedWorks]:
    yield from open_guarded(tmp_path, oidc_issuer=issuer.address, oidc_client=CLIENT, oidc_secret=SECRET)


def add(works: GuardedWorks, name: str, role: Role = Role.OPERATOR, **changes: Any) -> User:
    """Add a user who has no password."""
    works.user("Root", password="of nobody else's 9")  # noqa: S106 – somebody has to be admin
    user = works.user(name, role, **changes)
    with works.room.state.write() as connection:
        users.await_subject(connection, user, at=works.now)
    works.refresh()
    return user


def come(works: GuardedWorks, issuer: FakeIssuer, browser: Browser | None = None, next: str = "/alerts") -> Answer:  # noqa: A002
    browser = browser or works.browser()
    there = browser.look(f"/sign-in/oidc?{urlencode({'next': next})}")
    assert there.status == 303, there.text
    back = issuer.sign_in(there.response.headers["location"])
    return browser.look(f"{BACK}?{urlencode(back)}")


def user_named(works: GuardedWorks, name: str) -> User:
    with works.room.state.read() as connection:
        return users.named(connection, name)


def test_the_browser_is_sent_to_the_issuer_with_all_that_ties_the_answer_to_it(
    works: GuardedWorks, issuer: FakeIssuer
) -> None:
    browser = works.browser()

    there = browser.look("/sign-in/oidc?next=/alerts")

    where = urlsplit(there.response.headers["location"])
    query = {name: values[0] for name, values in parse_qs(where.query).items()}
    assert f"{where.scheme}://{where.netloc}{where.path}" == f"{issuer.address}/authorization"
    assert query["redirect_uri"] == f"https://testserver{BACK}"
    assert (query["client_id"], query["response_type"], query["code_challenge_method"]) == (CLIENT, "code", "S256")
    assert min(len(query[name]) for name in ("state", "nonce", "code_challenge")) >= 43
    cookie = there.response.headers["set-cookie"]
    assert all(word in cookie for word in ("__Host-andon-errand=", "HttpOnly", "Secure", "SameSite=lax", "Max-Age=600"))
    assert query["code_challenge"] not in browser.cookies["__Host-andon-errand"]


def test_whom_the_issuer_vouches_for_comes_in_as_the_user_of_that_name(works: GuardedWorks, issuer: FakeIssuer) -> None:
    add(works, "Ines")
    browser = works.browser()

    answer = come(works, issuer, browser)

    assert (answer.status, answer.response.headers["location"]) == (303, "/alerts")
    assert browser.get("/api/v1/me").response.json()["name"] == "Ines"
    assert browser.get("/api/v1/users").status == 403  # an operator, as was said here
    assert "__Host-andon-errand" not in browser.cookies
    name, _, secret = b64decode(issuer.asked[0]["authorization"].split()[1]).decode().partition(":")
    assert (unquote_plus(name), unquote_plus(secret)) == (CLIENT, SECRET)
    assert user_named(works, "Ines").subject == f"{issuer.address} 7f3a"


def test_they_stay_who_they_are_when_the_issuer_calls_them_otherwise(works: GuardedWorks, issuer: FakeIssuer) -> None:
    add(works, "Ines")
    come(works, issuer)
    issuer.claims["preferred_username"] = "Ines Meier"
    browser = works.browser()

    assert come(works, issuer, browser).status == 303
    assert browser.get("/api/v1/me").response.json()["name"] == "Ines"


def test_nobody_else_comes_in_by_a_name_that_was_given_on(works: GuardedWorks, issuer: FakeIssuer) -> None:
    add(works, "Ines")
    come(works, issuer)
    issuer.claims["sub"] = "another"

    answer = come(works, issuer)

    assert answer.status == 403
    assert "another person to the issuer" in answer.text
    assert answer.response.cookies.get("__Host-andon") is None


def test_a_user_with_a_password_is_not_taken_over(works: GuardedWorks, issuer: FakeIssuer) -> None:
    works.user("Ines", Role.ADMIN)

    answer = come(works, issuer)

    assert answer.status == 403
    assert "signs in with a password here" in answer.text
    assert user_named(works, "Ines").subject is None


@pytest.mark.parametrize("what", ["unknown", "disabled"])
def test_who_may_not_come_in_here_is_told_why(works: GuardedWorks, issuer: FakeIssuer, what: str) -> None:
    add(works, "Ines" if what == "disabled" else "Olaf")
    if what == "disabled":
        with works.room.state.write() as connection:
            users.disable(connection, users.named(connection, "Ines"), at=works.now)

    answer = come(works, issuer)

    why = "may sign in no more" if what == "disabled" else "There is no user"
    assert answer.status == 403
    assert why in answer.text


def foreign_key(issuer: FakeIssuer) -> None:
    issuer.key = generate_private_key(65537, 2048)


def shared_secret(issuer: FakeIssuer) -> None:
    # The old trick: the public key, which everybody has, taken as the secret of a signature with one.
    text = issuer.key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    issuer.key, issuer.algorithm = text, "HS256"


def unsigned(issuer: FakeIssuer) -> None:
    issuer.key, issuer.algorithm = None, "none"


FORGED: dict[str, Callable[[FakeIssuer], None]] = {
    "signed by another": foreign_key,
    "signed with the public key": shared_secret,
    "not signed": unsigned,
    "key that is not there": lambda issuer: setattr(issuer, "kid", "second"),
    "of another issuer": lambda issuer: issuer.claims.update(iss="https://elsewhere.example"),
    "for another program": lambda issuer: issuer.claims.update(aud="payroll"),
    "for several, and meant for another": lambda issuer: issuer.claims.update(aud=[CLIENT, "payroll"], azp="payroll"),
    "for several, and said for whom to none": lambda issuer: issuer.claims.update(aud=[CLIENT, "payroll"]),
    "over": lambda issuer: issuer.claims.update(exp=int(time()) - 3600),
    "without an end": lambda issuer: issuer.claims.update(exp=None),
    "of another browser": lambda issuer: issuer.claims.update(nonce="of another"),
    "without a nonce": lambda issuer: issuer.claims.update(nonce=None),
    "of nobody": lambda issuer: issuer.claims.update(sub=None),
    "of an empty subject": lambda issuer: issuer.claims.update(sub=""),
    "without a name": lambda issuer: issuer.claims.update(preferred_username=None),
    "name that is no text": lambda issuer: issuer.claims.update(preferred_username=["Ines"]),
}


@pytest.mark.parametrize("how", FORGED)
def test_a_token_that_is_not_the_issuers_for_us_and_now_lets_nobody_in(
    works: GuardedWorks, issuer: FakeIssuer, how: str
) -> None:
    add(works, "Ines")
    FORGED[how](issuer)
    browser = works.browser()

    answer = come(works, issuer, browser)

    assert answer.status == 403
    assert set(browser.cookies) == set()
    assert user_named(works, "Ines").subject is None


def test_a_code_counts_only_in_the_browser_that_went_there(works: GuardedWorks, issuer: FakeIssuer) -> None:
    add(works, "Ines")
    mine, other = works.browser(), works.browser()
    back = issuer.sign_in(mine.look("/sign-in/oidc").response.headers["location"])
    other.look("/sign-in/oidc")

    assert other.look(f"{BACK}?{urlencode(back)}").status == 403
    assert works.browser().look(f"{BACK}?{urlencode(back)}").status == 403
    assert issuer.asked == []


def test_the_way_back_is_gone_once(works: GuardedWorks, issuer: FakeIssuer) -> None:
    add(works, "Ines")
    browser = works.browser()
    back = issuer.sign_in(browser.look("/sign-in/oidc").response.headers["location"])

    first, again = (browser.look(f"{BACK}?{urlencode(back)}").status for _ in range(2))

    assert (first, again) == (303, 403)


def test_keys_that_are_changed_over_are_looked_for_again(
    works: GuardedWorks, issuer: FakeIssuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(works, "Ines")
    come(works, issuer)
    issuer.kid, issuer.key = "second", generate_private_key(65537, 2048)
    issuer.published["second"] = issuer.key
    early = come(works, issuer).status
    monkeypatch.setattr("service.access.issuer.KEYS_AGAIN", 0.0)

    assert (early, come(works, issuer).status) == (403, 303)


@pytest.mark.parametrize(
    ("document", "why"),
    [
        ({"issuer": "https://elsewhere.example"}, "is not the document of an issuer of this name"),
        ({"authorization_endpoint": "http://elsewhere.example/in"}, "names no authorization_endpoint over https"),
        ({"authorization_endpoint": None}, "names no authorization_endpoint over https"),
    ],
)
def test_an_issuer_that_is_not_what_it_should_be_is_told(
    works: GuardedWorks, issuer: FakeIssuer, document: dict[str, Any], why: str
) -> None:
    works.user("Root")
    issuer.document = document

    answer = works.browser().look("/sign-in/oidc")

    assert answer.status == 502
    assert why in answer.text


def test_an_issuer_that_does_not_answer_or_refuses_is_told(works: GuardedWorks, issuer: FakeIssuer) -> None:
    add(works, "Ines")
    browser = works.browser()
    state = issuer.sign_in(browser.look("/sign-in/oidc").response.headers["location"])["state"]

    refused = browser.look(f"{BACK}?{urlencode({'state': state, 'error': 'access_denied'})}")
    issuer.status = 400
    vain = come(works, issuer)

    assert (refused.status, vain.status) == (403, 403)
    assert "access_denied" in refused.text
    assert "invalid_grant" in vain.text


def test_many_vain_ways_from_one_address_have_to_wait(works: GuardedWorks, issuer: FakeIssuer) -> None:
    add(works, "Ines")
    issuer.status = 400

    found = [come(works, issuer).status for _ in range(32)]

    assert found[:30] == [403] * 30
    assert found[-1] == 429
    assert len(issuer.asked) <= 31


def test_over_plain_http_from_elsewhere_nobody_is_sent_anywhere(works: GuardedWorks, issuer: FakeIssuer) -> None:
    works.user("Root")
    works.client._transport.client = ("192.0.2.1", 5000)  # type: ignore[attr-defined]

    assert works.browser(base="http://testserver").look("/sign-in/oidc").status == 403


def test_the_page_to_sign_in_names_the_issuer_only_where_there_is_one(works: GuardedWorks, tmp_path: Path) -> None:
    works.user("Root")

    assert 'href="/sign-in/oidc?next=/alerts"' in works.browser().look("/sign-in?next=/alerts").text
    for without in open_guarded(tmp_path / "other"):
        without.user("Root")
        assert "/sign-in/oidc" not in without.browser().look("/sign-in").text
        assert without.browser().look("/sign-in/oidc").status == 404
        assert without.browser().look(BACK).status == 404


def test_an_address_counts_only_if_the_issuer_verified_it(tmp_path: Path, issuer: FakeIssuer) -> None:
    issuer.claims = {"sub": "1", "email": "ines@plant.example", "email_verified": False}
    for works in open_guarded(tmp_path, oidc_issuer=issuer.address, oidc_client=CLIENT, oidc_claim="email"):
        add(works, "ines@plant.example")

        vain = come(works, issuer)
        issuer.claims["email_verified"] = True

        assert "email_verified" in vain.text
        assert come(works, issuer).status == 303
        assert issuer.asked[-1]["client_id"] == CLIENT  # a public client, which has no secret
        assert "authorization" not in issuer.asked[-1]


def test_where_one_goes_on_to_is_a_page_of_ours(works: GuardedWorks, issuer: FakeIssuer) -> None:
    add(works, "Ines")

    assert come(works, issuer, next="//elsewhere.example").response.headers["location"] == "/"


@pytest.mark.parametrize("kept", ["", "x", "e30=", "WzFd", "eyJzdGF0ZSI6IDF9", "\x00", "ä"])
def test_an_errand_that_is_none_is_none(kept: str) -> None:
    assert Errand.read(kept) is None


def test_an_errand_is_read_as_it_was_kept() -> None:
    errand = Errand.begin("/alerts?a=ä")

    assert Errand.read(errand.kept()) == errand


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        (("", "andon", ""), "ANDON_OIDC_ISSUER is missing"),
        (("", "", "secret"), "ANDON_OIDC_ISSUER is missing"),
        (("https://id.example", "", ""), "ANDON_OIDC_CLIENT is missing"),
    ],
)
def test_half_of_the_settings_is_refused(settings: tuple[str, str, str], why: str) -> None:
    with pytest.raises(SettingError, match=why):
        issuer_of(*settings, "preferred_username")


def test_an_issuer_over_plain_http_is_refused() -> None:
    with pytest.raises(SettingError, match="begins with https://"):
        read_settings({"ANDON_OIDC_ISSUER": "http://id.example"})
