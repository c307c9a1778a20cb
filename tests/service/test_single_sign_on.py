"""Single sign-on: whoever the issuer vouches for comes in as the user they are, and nobody else does."""

import json
from base64 import b64decode, urlsafe_b64encode
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Thread
from time import monotonic, time
from typing import Any
from urllib.parse import parse_qs, unquote_plus, urlencode, urlsplit

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from ingest.errors import SettingError
from service.access import users
from service.access.errand import Errand
from service.access.issuer import issuer_of
from service.access.reach import EVERYTHING
from service.access.role import Role
from service.access.users import User
from service.settings import read_settings
from tests.service.fake_issuer import CLIENT, SECRET, FakeIssuer, fake_issuer
from tests.service.guarded_works import PASSWORD, QUICK, Answer, Browser, GuardedWorks, open_guarded

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
    assert "does not wait for single sign-on" in answer.text
    assert answer.response.cookies.get("__Host-andon") is None


@pytest.mark.parametrize("how", ["has a password", "was invited by a link", "was let in again"])
def test_a_user_who_does_not_wait_for_single_sign_on_is_not_taken_over(
    works: GuardedWorks, issuer: FakeIssuer, how: str
) -> None:
    works.user("Root")
    with works.room.state.write() as connection:
        user = users.add(connection, "Ines", role=Role.ADMIN, reach=EVERYTHING, at=works.now)
        if how == "was let in again":
            users.enable(connection, users.disable(connection, user, at=works.now))
        if how == "has a password":
            users.set_password(connection, user, QUICK.hash(PASSWORD))
    works.link(user)

    answer = come(works, issuer)

    assert answer.status == 403
    assert "does not wait for single sign-on" in answer.text
    assert user_named(works, "Ines").subject is None


def test_whoever_came_in_by_it_is_out_when_a_password_is_set_by_a_link(works: GuardedWorks, issuer: FakeIssuer) -> None:
    user, before = add(works, "Ines"), works.browser()
    come(works, issuer, before)
    link = works.link(user)

    works.browser().form("/set-password", {"link": link, "password": PASSWORD, "again": PASSWORD})

    assert before.get("/api/v1/me").status == 401
    assert come(works, issuer).status == 403
    assert works.browser().sign_in("Ines").status == 303


def test_whoever_is_bound_has_no_link_that_opens(works: GuardedWorks, issuer: FakeIssuer) -> None:
    link = works.link(add(works, "Ines"))

    come(works, issuer)

    assert works.browser().look(f"/set-password?link={link}").status == 404


def test_single_sign_on_that_ended_lets_nobody_in(works: GuardedWorks, issuer: FakeIssuer) -> None:
    add(works, "Ines")
    browser = works.browser()
    come(works, issuer, browser)
    with works.room.state.write() as connection:
        users.forget_subject(connection, users.named(connection, "Ines"))
    works.refresh()

    assert browser.get("/api/v1/me").status == 401
    assert come(works, issuer).status == 403


@pytest.mark.parametrize(("user", "name"), [("Karl", "\u212aarl"), ("strasse", "straße"), ("Ines", "Ines\u0301")])
def test_a_name_that_only_looks_the_same_is_another(
    works: GuardedWorks, issuer: FakeIssuer, user: str, name: str
) -> None:
    add(works, user)
    issuer.claims["preferred_username"] = name

    assert come(works, issuer).status == 403
    assert user_named(works, user).subject is None


def test_no_link_of_another_site_makes_somebody_who_is_signed_in_another(
    works: GuardedWorks, issuer: FakeIssuer
) -> None:
    add(works, "Ines")
    browser = works.signed_in("Olaf")

    there = browser.look("/sign-in/oidc?next=/alerts")

    assert (there.status, there.response.headers["location"]) == (303, "/alerts")
    assert browser.get("/api/v1/me").response.json()["name"] == "Olaf"


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


HOSTILE: dict[str, Any] = {
    "deep": b"[" * 300_000,
    "no JSON": b"<html>",
    "not UTF-8": b"\xff\xfe",
    "a list": b"[]",
    "surrogates": {"id_token": "\ud800.\ud800.\ud800", "error": "\ud800"},
    "token of no text": {"id_token": 7},
    "keys of no list": {"keys": {"kid": "first"}},
    "keys of no keys": {"keys": [None, 7, {"kty": "oct", "k": "AAAA", "kid": "first", "alg": "HS256"}]},
    "a key by no signature": {"keys": [{"kty": "RSA", "kid": "first", "alg": "none", "n": "AQ", "e": "AQAB"}]},
    "a key that is none": {"keys": [{"kty": "RSA", "kid": "first", "n": "!", "e": []}]},
    "names of no text": {"keys": [{"kty": "RSA", "kid": ["first"], "alg": ["RS256"]}]},
}


@pytest.mark.parametrize("where", ["/.well-known/openid-configuration", "/keys", "/token"])
def test_no_answer_of_an_issuer_is_a_mistake_of_ours(works: GuardedWorks, issuer: FakeIssuer, where: str) -> None:
    add(works, "Ines")
    known_first = not where.startswith("/.")
    for what, said in HOSTILE.items():
        works.client.app.state.issuer = issuer_of(issuer.address, CLIENT, SECRET, "preferred_username")  # type: ignore[attr-defined]
        browser, issuer.instead = works.browser(), {} if known_first else {where: said}
        answer = browser.look("/sign-in/oidc")
        if known_first:
            issuer.instead = {where: said}
            answer = browser.look(f"{BACK}?{urlencode(issuer.sign_in(answer.response.headers['location']))}")

        assert answer.status in (403, 502), what
    assert user_named(works, "Ines").subject is None


def test_no_token_of_an_issuer_is_a_mistake_of_ours(works: GuardedWorks, issuer: FakeIssuer) -> None:
    add(works, "Ines")
    right = dict(issuer.claims)
    for wrong in (
        {"sub": "\ud800"}, {"sub": "a\x00b"}, {"sub": 7}, {"sub": "x" * 256}, {"preferred_username": "In\x00es"},
        {"nonce": 7}, {"nonce": ["x"]}, {"aud": {"andon": 1}}, {"exp": "tomorrow"},
    ):  # fmt: skip
        issuer.claims = right | wrong

        assert come(works, issuer).status == 403, wrong
    assert user_named(works, "Ines").subject is None


@pytest.mark.parametrize("name", ["authorization_endpoint", "token_endpoint", "jwks_uri"])
def test_no_address_of_an_issuer_is_a_mistake_of_ours(works: GuardedWorks, issuer: FakeIssuer, name: str) -> None:
    works.user("Root")
    for address in (
        "https://id.example:99999/x", "https://[::1/x", "https://id.example/ä", "http://127.0.0.1.evil.example/x",
        "https://id.example/x#y", "https://a:b@id.example/x", "https://id.example/\ud800", 7, ["https://id.example"],
    ):  # fmt: skip
        issuer.document = {name: address}

        answer = works.browser().look("/sign-in/oidc")

        assert answer.status == 502, address
        assert f"names no {name} over https" in answer.text, address


def test_an_issuer_that_hangs_stops_nothing_else(
    works: GuardedWorks, issuer: FakeIssuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    works.user("Root")
    monkeypatch.setattr("service.access.ask.SECONDS", 1.5)
    issuer.drips = 0.3
    threads = [Thread(target=lambda: came.append(works.browser().look("/sign-in/oidc").status)) for _ in range(12)]
    came: list[int] = []
    begun = monotonic()

    for each in threads:
        each.start()
    for each in threads:
        each.join()

    assert came == [502] * 12
    assert monotonic() - begun < 8


def test_redirects_of_an_issuer_are_not_followed(works: GuardedWorks, issuer: FakeIssuer) -> None:
    add(works, "Ines")
    issuer.status = 302

    assert come(works, issuer).status == 502


def test_an_issuer_that_is_away_keeps_no_password_out(works: GuardedWorks, issuer: FakeIssuer) -> None:
    add(works, "Ines")
    works.user("Olaf")
    issuer.status = 503

    assert {come(works, issuer).status for _ in range(32)} == {502}
    assert works.browser().sign_in("Olaf").status == 303


def test_a_secret_that_is_wrong_is_said_to_be_andons_matter(works: GuardedWorks, issuer: FakeIssuer) -> None:
    add(works, "Ines")
    issuer.status, issuer.error = 401, "invalid_client"

    answer = come(works, issuer)

    assert answer.status == 502
    assert "does not let Andon ask: it answers 401 (invalid_client)" in answer.text


def test_a_key_that_was_withdrawn_counts_no_more_after_an_hour(
    works: GuardedWorks, issuer: FakeIssuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(works, "Ines")
    come(works, issuer)
    del issuer.published["first"]
    soon = come(works, issuer).status
    monkeypatch.setattr("service.access.issuer.KNOWN_FOR", 0.0)

    assert (soon, come(works, issuer).status) == (303, 403)


def test_who_came_in_and_who_did_not_stands_in_the_log(
    works: GuardedWorks, issuer: FakeIssuer, capsys: pytest.CaptureFixture[str]
) -> None:
    add(works, "Ines")
    come(works, issuer)
    issuer.claims["sub"] = "another"
    come(works, issuer)

    lines = [line for line in capsys.readouterr().out.splitlines() if "by=issuer" in line]
    assert ["came_in=True" in each for each in lines] == [True, False]
    assert "user=Ines" in lines[0]
    browser = works.browser()
    state = issuer.sign_in(browser.look("/sign-in/oidc").response.headers["location"])["state"]
    browser.look(f"{BACK}?{urlencode({'state': state, 'error': 'x' + chr(10) + 'sign in came_in=True'})}")
    assert "x\nsign in" not in capsys.readouterr().out
    assert "a-code" not in "".join(lines)


def test_a_tab_that_comes_back_late_does_not_undo_the_other(works: GuardedWorks, issuer: FakeIssuer) -> None:
    add(works, "Ines")
    browser = works.browser()
    first, second = (issuer.sign_in(browser.look("/sign-in/oidc").response.headers["location"]) for _ in range(2))

    assert browser.look(f"{BACK}?{urlencode(first)}").status == 403
    assert browser.look(f"{BACK}?{urlencode(second)}").status == 303
    again = browser.look(f"{BACK}?{urlencode(second)}")
    assert (again.status, again.response.headers["location"]) == (303, "/")


def test_a_page_to_go_on_to_that_no_cookie_could_hold_is_the_first_one() -> None:
    assert Errand.begin("/alerts?q=" + "ä" * 900).following == "/"
    assert len(Errand.begin("/alerts?q=" + "a" * 1500).kept()) < 4000


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
    browser.look(f"{BACK}?{urlencode(back)}")
    del browser.cookies["__Host-andon"]

    assert browser.look(f"{BACK}?{urlencode(back)}").status == 403


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


DEEP = urlsafe_b64encode(b"[" * 30_000).decode()
SURROGATE = urlsafe_b64encode(
    json.dumps({"state": "\ud800", "nonce": "n", "verifier": "v", "following": "/"}).encode()
).decode()


@pytest.mark.parametrize("kept", ["", "x", "e30=", "WzFd", "eyJzdGF0ZSI6IDF9", "\x00", "ä", DEEP, SURROGATE])
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
    with pytest.raises(SettingError, match="is no address of an issuer"):
        read_settings({"ANDON_OIDC_ISSUER": "http://id.example"})
