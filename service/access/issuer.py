"""An issuer: a service of the plant's own that says who somebody is, by OpenID Connect.

The code flow with PKCE: the browser goes to the issuer and comes back with a code, which is exchanged here, behind its
back, for a signed token that says who it is. Only that is used: no token is kept, and nothing is asked for later.

References
----------
OpenID Connect Core 1.0, sections 3.1.2 and 3.1.3; RFC 7636 (PKCE); RFC 9700 (best current practice).
"""

import json
from base64 import b64encode, urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from hashlib import sha256
from hmac import compare_digest
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from threading import Lock
from time import monotonic
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import quote_plus, urlencode, urlsplit

from ingest.errors import AccessError, IssuerError, SettingError
from service.access.token import new_token
from service.api.cookie import is_loopback

if TYPE_CHECKING:
    from jwt import PyJWK

ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
"""Signatures that only the issuer can make; a shared secret signs nothing."""

SECONDS = 10.0
LARGEST_ANSWER = 1 << 20
CLOCKS_APART = 60
KEYS_AGAIN = 60.0
"""Seconds between two looks at the issuer's keys, however many tokens name one that is not known."""

LONGEST_SUBJECT = 255


@dataclass(frozen=True, slots=True)
class Client:
    """What Andon is to its issuer.

    Attributes
    ----------
    issuer : its address, as its tokens write it
    name, secret : of Andon there; a public client has no secret
    claim : what of a token is the name of a user here
    """

    issuer: str
    name: str
    secret: str
    claim: str


@dataclass(frozen=True, slots=True)
class Errand:
    """What a browser keeps while it is at the issuer: with it, and with nothing else, it can come back.

    Attributes
    ----------
    state : ties the way back to this browser
    nonce : ties the token to it
    verifier : ties the code to it
    following : page to go on to
    """

    state: str
    nonce: str
    verifier: str
    following: str

    @classmethod
    def begin(cls, following: str) -> Self:
        """Begin one that nobody can guess."""
        return cls(new_token(), new_token(), new_token(), following)

    def is_of(self, state: str) -> bool:
        """Say whether a state is the one that was sent along."""
        return compare_digest(self.state.encode(), state.encode())

    def kept(self) -> str:
        """Return it as a cookie holds it."""
        return urlsafe_b64encode(json.dumps(asdict(self)).encode()).decode()

    @classmethod
    def read(cls, kept: str) -> Self | None:
        """Return what a cookie holds; ``None`` if that is no errand."""
        try:
            found = json.loads(urlsafe_b64decode(kept.encode()))
            errand = cls(**found)
        except (ValueError, TypeError):
            return None
        return errand if all(isinstance(each, str) and each for each in asdict(errand).values()) else None


@dataclass(frozen=True, slots=True)
class Person:
    """Who somebody is by their issuer.

    Attributes
    ----------
    subject : issuer and the name that it gives to this person only, and for ever
    name : what people call them, which should be a user here
    """

    subject: str
    name: str


class Issuer:
    """Asks an issuer who somebody is; safe from several threads."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._lock = Lock()
        self._document: Mapping[str, Any] = {}
        self._keys: Mapping[str, PyJWK] = {}
        self._looked = -KEYS_AGAIN

    @property
    def host(self) -> str:
        """What people may know it by."""
        return urlsplit(self._client.issuer).hostname or ""

    def page(self, errand: Errand, back: str) -> str:
        """Return the page of the issuer that a browser has to go to.

        Parameters
        ----------
        back : address here that it comes back to, which the issuer has to know

        Raises
        ------
        IssuerError
            When it does not answer, or is not what it was said to be.
        """
        challenge = urlsafe_b64encode(sha256(errand.verifier.encode()).digest()).rstrip(b"=").decode()
        query = urlencode(
            {
                "response_type": "code",
                "client_id": self._client.name,
                "redirect_uri": back,
                "scope": "openid email" if self._client.claim == "email" else "openid profile",
                "state": errand.state,
                "nonce": errand.nonce,
                "code_challenge": challenge,
                "code_challenge_method": "S256",
            }
        )
        where = self._endpoint("authorization_endpoint")
        return f"{where}{'&' if '?' in where else '?'}{query}"

    def person(self, code: str, errand: Errand, back: str) -> Person:
        """Exchange a code for who brought it.

        Raises
        ------
        IssuerError
            When the issuer does not answer.
        AccessError
            When it does not vouch for the code, or its token is not one for us and this browser.
        """
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": back,
            "code_verifier": errand.verifier,
        }
        headers = {}
        if self._client.secret:
            pair = f"{quote_plus(self._client.name)}:{quote_plus(self._client.secret)}"
            headers["Authorization"] = f"Basic {b64encode(pair.encode()).decode()}"
        else:
            form["client_id"] = self._client.name
        status, answer = _ask(self._endpoint("token_endpoint"), form, headers)
        if status != 200 or not isinstance(token := answer.get("id_token"), str):
            raise AccessError(f"{self.host} does not vouch for you{_why(answer)}; sign in again")
        claims = self._claims(token)
        if not compare_digest(str(claims.get("nonce", "")).encode(), errand.nonce.encode()):
            raise AccessError(f"what {self.host} says was said to another browser; sign in again")
        return self._named(claims)

    def _claims(self, token: str) -> Mapping[str, Any]:
        import jwt

        client = self._client
        try:
            key = self._key(str(jwt.get_unverified_header(token).get("kid", "")))
            claims = jwt.decode(
                token,
                key,
                algorithms=ALGORITHMS,
                audience=client.name,
                issuer=client.issuer,
                leeway=CLOCKS_APART,
                options={"require": ["exp", "iat", "iss", "aud", "sub"]},
            )
        except jwt.PyJWTError as error:
            raise AccessError(f"what {self.host} says cannot be believed: {error}") from error
        party = claims.get("azp", client.name if isinstance(claims["aud"], str) or len(claims["aud"]) == 1 else None)
        if party != client.name:
            raise AccessError(f"what {self.host} says is meant for another program")
        return claims

    def _named(self, claims: Mapping[str, Any]) -> Person:
        claim, subject = self._client.claim, claims["sub"]
        name = claims.get(claim)
        if not isinstance(subject, str) or not 0 < len(subject) <= LONGEST_SUBJECT:
            raise AccessError(f"{self.host} gives no name that it knows you by ('sub')")
        if not isinstance(name, str) or not name.strip():
            raise AccessError(f"{self.host} does not say your {claim!r}; its admin lets this program have it")
        if claim == "email" and claims.get("email_verified") is not True:
            raise AccessError(f"{self.host} does not vouch for your address ('email_verified')")
        return Person(f"{self._client.issuer} {subject}", name)

    def _endpoint(self, name: str) -> str:
        address = self._known().get(name)
        if not isinstance(address, str) or not is_safe(address):
            raise IssuerError(f"{self._client.issuer} names no {name} over https")
        return address

    def _known(self) -> Mapping[str, Any]:
        with self._lock:
            if not self._document:
                where = f"{self._client.issuer.rstrip('/')}/.well-known/openid-configuration"
                status, found = _ask(where)
                if status != 200 or found.get("issuer") != self._client.issuer:
                    raise IssuerError(f"{where} is not the document of an issuer of this name (it answers {status})")
                self._document = found
            return self._document

    def _key(self, name: str) -> "PyJWK":
        """Return a key of the issuer, looked for again where it is a new one, as when keys are changed over."""
        import jwt

        where = self._endpoint("jwks_uri")
        with self._lock:
            if name not in self._keys and monotonic() - self._looked >= KEYS_AGAIN:
                self._looked = monotonic()
                _, found = _ask(where)
                known = jwt.PyJWKSet.from_dict(dict(found)).keys
                self._keys = {each.key_id or "": each for each in known if each.public_key_use in (None, "sig")}
            if name not in self._keys:
                raise AccessError(f"{self.host} has no key {name[:100]!r}; sign in again in a minute")
            return self._keys[name]


def issuer_of(address: str, client: str, secret: str, claim: str) -> Issuer | None:
    """Return the issuer that settings name; ``None`` where they name none.

    Raises
    ------
    SettingError
        When something is missing.
    """
    if not address:
        if client or secret:
            raise SettingError("ANDON_OIDC_ISSUER is missing, which ANDON_OIDC_CLIENT and ANDON_OIDC_SECRET belong to")
        return None
    if not client:
        raise SettingError("ANDON_OIDC_CLIENT is missing: what Andon is called at ANDON_OIDC_ISSUER")
    try:
        import jwt  # noqa: F401 – it is said at the start that it is missing, not when somebody comes
    except ImportError as error:
        raise SettingError("single sign-on needs an extra; install it: pip install 'andon[oidc]'") from error
    return Issuer(Client(address, client, secret, claim))


def is_safe(address: str) -> bool:
    """Say whether nobody on the way to an address can read or change what is said.

    Examples
    --------
    >>> [is_safe(each) for each in ("https://id.example/realm", "http://127.0.0.1:8080", "http://id.example", "id")]
    [True, True, False, False]
    """
    parts = urlsplit(address)
    host = parts.hostname or ""
    return bool(host) and (parts.scheme == "https" or (parts.scheme == "http" and is_loopback(host)))


def _ask(
    address: str, form: Mapping[str, str] | None = None, headers: Mapping[str, str] | None = None
) -> tuple[int, Mapping[str, Any]]:
    """Return status and JSON of an answer; nobody is followed elsewhere."""
    parts = urlsplit(address)
    kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
    path = f"{parts.path or '/'}{'?' + parts.query if parts.query else ''}"
    sent = {"Accept": "application/json", **(headers or {})}
    try:
        with closing(kind(parts.hostname or "", parts.port, timeout=SECONDS)) as connection:
            if form is None:
                connection.request("GET", path, headers=sent)
            else:
                sent["Content-Type"] = "application/x-www-form-urlencoded"
                connection.request("POST", path, urlencode(form).encode(), sent)
            answer = connection.getresponse()
            body = answer.read(LARGEST_ANSWER)
    except (OSError, HTTPException) as error:
        raise IssuerError(f"{parts.hostname} does not answer: {error}") from error
    try:
        found = json.loads(body)
    except ValueError:
        found = None
    return answer.status, found if isinstance(found, dict) else {}


def _why(answer: Mapping[str, Any]) -> str:
    said: Sequence[str] = [each for name in ("error", "error_description") if isinstance(each := answer.get(name), str)]
    return f" ({': '.join(said)[:200]})" if said else ""
