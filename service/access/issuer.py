"""An issuer: a service of the plant's own that says who somebody is, by OpenID Connect.

The code flow with PKCE: the browser goes to the issuer and comes back with a code, which is exchanged here, behind its
back, for a signed token that says who it is. Only that is used: no token is kept, and nothing is asked for later.

References
----------
OpenID Connect Core 1.0, sections 3.1.2 and 3.1.3; RFC 7636 (PKCE); RFC 9700 (best current practice).
"""

from base64 import b64encode, urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from time import monotonic
from typing import Any
from urllib.parse import quote_plus, urlencode, urlsplit

from ingest.errors import AccessError, IssuerError, SettingError
from service.access.address import is_safe
from service.access.ask import ask
from service.access.errand import Errand

ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
"""Signatures that only the issuer can make; a shared secret signs nothing."""

KINDS_OF_KEYS = ("RSA", "EC", "OKP")
CLOCKS_APART = 60
KNOWN_FOR = 3600.0
"""Seconds for which the issuer's addresses and keys are believed; a key that leaked is withdrawn for a reason."""

KEYS_AGAIN = 60.0
"""Seconds between two looks at the issuer's keys, however many tokens name one that is not known."""

LONGEST_SUBJECT = 255
_ENDPOINTS = ("authorization_endpoint", "token_endpoint", "jwks_uri")


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
    """Asks an issuer who somebody is; safe from several threads, since what it knows is put in place at once."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._endpoints: Mapping[str, str] = {}
        self._endpoints_since = self._keys_since = -KNOWN_FOR
        self._keys: Mapping[str, Mapping[str, Any]] = {}

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
            When the issuer does not answer, or does not let Andon ask.
        AccessError
            When it does not vouch for the code, or its token is not one for us and this browser.
        """
        claims = self._claims(self._token(code, errand, back))
        if claims.get("nonce") != errand.nonce:
            raise AccessError(f"what {self.host} says was said to another browser; sign in again")
        return self._named(claims)

    def _token(self, code: str, errand: Errand, back: str) -> str:
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": back}
        form["code_verifier"] = errand.verifier
        headers = {}
        if self._client.secret:
            pair = f"{quote_plus(self._client.name)}:{quote_plus(self._client.secret)}"
            headers["Authorization"] = f"Basic {b64encode(pair.encode()).decode()}"
        else:
            form["client_id"] = self._client.name
        status, answer = ask(self._endpoint("token_endpoint"), form, headers)
        error = answer.get("error")
        why = f" ({error[:100]})" if isinstance(error, str) and error.isprintable() else ""
        if status not in (200, 400) or error in ("invalid_client", "unauthorized_client"):
            raise IssuerError(f"{self.host} does not let Andon ask: it answers {status}{why}")
        token = answer.get("id_token")
        if status != 200 or not isinstance(token, str):
            raise AccessError(f"{self.host} does not vouch for you{why}; sign in again")
        return token

    def _claims(self, token: str) -> Mapping[str, Any]:
        import jwt

        client = self._client
        try:
            head = jwt.get_unverified_header(token)
            claims = jwt.decode(
                token,
                self._key(head),
                algorithms=ALGORITHMS,
                audience=client.name,
                issuer=client.issuer,
                leeway=CLOCKS_APART,
                options={"require": ["exp", "iat", "iss", "aud", "sub"]},
            )
        except (jwt.PyJWTError, ValueError, TypeError, KeyError) as error:
            raise AccessError(f"what {self.host} says cannot be believed: {type(error).__name__}") from error
        several = isinstance(claims["aud"], list) and len(claims["aud"]) > 1
        if claims.get("azp", None if several else client.name) != client.name:
            raise AccessError(f"what {self.host} says is meant for another program")
        return claims

    def _named(self, claims: Mapping[str, Any]) -> Person:
        claim, subject = self._client.claim, claims["sub"]
        name = claims.get(claim)
        if not isinstance(subject, str) or not 0 < len(subject) <= LONGEST_SUBJECT or not subject.isprintable():
            raise AccessError(f"{self.host} gives no name that it knows you by ('sub')")
        if not isinstance(name, str) or not name.strip() or not name.isprintable():
            raise AccessError(f"{self.host} does not say your {claim!r}; its admin lets this program have it")
        if claim == "email" and claims.get("email_verified") is not True:
            raise AccessError(f"{self.host} does not vouch for your address ('email_verified')")
        return Person(f"{self._client.issuer} {subject}", name)

    def _endpoint(self, name: str) -> str:
        if monotonic() - self._endpoints_since >= KNOWN_FOR:
            where = f"{self._client.issuer.rstrip('/')}/.well-known/openid-configuration"
            status, found = ask(where)
            if status != 200 or found.get("issuer") != self._client.issuer:
                raise IssuerError(f"{where} is not the document of an issuer of this name (it answers {status})")
            for each in _ENDPOINTS:
                if not isinstance(address := found.get(each), str) or not is_safe(address):
                    raise IssuerError(f"{self._client.issuer} names no {each} over https")
            self._endpoints, self._endpoints_since = {each: found[each] for each in _ENDPOINTS}, monotonic()
        return self._endpoints[name]

    def _key(self, head: Mapping[str, Any]) -> Any:
        """Return the key that a token names, looked for again where it is a new one, as when keys are changed over."""
        import jwt

        name, algorithm = head.get("kid", ""), head["alg"]
        age = monotonic() - self._keys_since
        if age >= KNOWN_FOR or (name not in self._keys and age >= KEYS_AGAIN):
            status, found = ask(self._endpoint("jwks_uri"))
            if status != 200:
                raise IssuerError(f"{self.host} does not show its keys: it answers {status}")
            listed = found.get("keys")
            usable = filter(_signs, listed if isinstance(listed, list) else ())
            self._keys = {each.get("kid", ""): each for each in usable}
            self._keys_since = monotonic()
        if name not in self._keys:
            raise AccessError(f"{self.host} has no key of that name; sign in again in a minute")
        key = self._keys[name]
        if algorithm not in ALGORITHMS or key.get("alg", algorithm) != algorithm:
            raise AccessError(f"what {self.host} says is signed as its keys do not sign")
        return jwt.PyJWK(dict(key), algorithm)


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


def _signs(key: Any) -> bool:
    """Say whether something is a key that may sign."""
    return (
        isinstance(key, dict)
        and isinstance(key.get("kid", ""), str)
        and key.get("kty") in KINDS_OF_KEYS
        and key.get("use", "sig") == "sig"
        and key.get("alg", ALGORITHMS[0]) in ALGORITHMS
    )
