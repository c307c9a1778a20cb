"""An issuer of single sign-on in a thread: it says what a test wants it to say, rightly signed or not."""

import hmac
import json
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cache
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from time import sleep, time
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key

CLIENT, SECRET = "andon", "an open:secret/of a test"
Claims = dict[str, Any]


@dataclass
class FakeIssuer:
    """What it will say, and what it was asked.

    Attributes
    ----------
    claims : of the next token, beside those that are always there
    key, kid, algorithm : by which it is signed
    status : of the answer to the next code
    document : laid over what it says of itself
    asked : what came with each code
    instead : what paths answer in place of what they should
    error : beside a status other than 200
    drips : seconds between two bytes of an answer
    """

    port: int
    claims: Claims = field(default_factory=lambda: {"sub": "7f3a", "preferred_username": "Ines"})
    key: Any = field(default_factory=lambda: _usual_key())
    kid: str = "first"
    algorithm: str = "RS256"
    status: int = 200
    document: dict[str, Any] = field(default_factory=dict)
    published: dict[str, RSAPrivateKey] = field(default_factory=dict)
    asked: list[dict[str, str]] = field(default_factory=list)
    instead: dict[str, Any] = field(default_factory=dict)
    error: str = "invalid_grant"
    drips: float = 0.0
    nonce: str = ""
    challenge: str = ""

    def __post_init__(self) -> None:
        self.published[self.kid] = self.key

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}/realm"

    def sign_in(self, page: str) -> dict[str, str]:
        """Be the page that a browser was sent to, and return what it brings back."""
        query = {name: values[0] for name, values in parse_qs(urlsplit(page).query).items()}
        self.nonce, self.challenge = query["nonce"], query["code_challenge"]
        return {"code": "a-code", "state": query["state"]}

    def said(self, path: str, form: dict[str, str]) -> tuple[int, Any]:
        for end, found in self.instead.items():
            if path.endswith(end):
                return 200, found
        if path.endswith("/.well-known/openid-configuration"):
            names = ("authorization", "token")
            own = {f"{name}_endpoint": f"{self.address}/{name}" for name in names}
            return 200, {"issuer": self.address, "jwks_uri": f"{self.address}/keys", **own, **self.document}
        if path.endswith("/keys"):
            keys = [
                {**json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(key.public_key())), "kid": kid, "use": "sig"}
                for kid, key in self.published.items()
            ]
            return 200, {"keys": keys}
        self.asked.append(form)
        challenge = _packed(sha256(form["code_verifier"].encode()).digest()).decode()
        if self.status != 200 or challenge != self.challenge:
            return self.status if self.status != 200 else 400, {"error": self.error}
        return 200, {"id_token": self.token(), "access_token": "of no use", "token_type": "Bearer"}

    def token(self) -> str:
        now = int(time())
        usual = {"iss": self.address, "aud": CLIENT, "iat": now, "exp": now + 60, "nonce": self.nonce}
        claims = {name: value for name, value in (usual | self.claims).items() if value is not None}
        if self.algorithm != "HS256":
            return jwt.encode(claims, self.key, algorithm=self.algorithm, headers={"kid": self.kid})
        # The library refuses to make it.
        head = {"alg": "HS256", "kid": self.kid, "typ": "JWT"}
        signed = b".".join(_packed(json.dumps(part).encode()) for part in (head, claims))
        return b".".join((signed, _packed(hmac.digest(self.key, signed, "sha256")))).decode()


@cache
def _usual_key() -> RSAPrivateKey:
    return generate_private_key(65537, 2048)


def _packed(content: bytes) -> bytes:
    return urlsafe_b64encode(content).rstrip(b"=")


@contextmanager
def fake_issuer() -> Iterator[FakeIssuer]:
    """Run one."""

    class Handler(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            sent = self.rfile.read(int(self.headers.get("content-length", 0))).decode()
            form = {name: values[0] for name, values in parse_qs(sent).items()}
            form |= {"authorization": self.headers["authorization"]} if "authorization" in self.headers else {}
            status, found = issuer.said(urlsplit(self.path).path, form)
            self.send_response(status)
            if status == 302:
                self.send_header("Location", f"{issuer.address}/elsewhere")
            self.end_headers()
            body = found if isinstance(found, bytes) else json.dumps(found).encode()
            with suppress(OSError):  # whoever asked went away
                for at in range(0, len(body), 1 if issuer.drips else len(body)):
                    self.wfile.write(body[at : at + (1 if issuer.drips else len(body))])
                    sleep(issuer.drips)

        do_GET = do_POST = _answer  # noqa: N815 – names of the library

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    issuer = FakeIssuer(server.server_address[1])
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield issuer
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
