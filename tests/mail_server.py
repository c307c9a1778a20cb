"""A real SMTP server for tests, on a free port; it refuses what a test tells it to."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any, cast

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword

from tests.ports import free_port


class MailServer:
    """Keeps what it takes.

    Parameters
    ----------
    refuses : what it answers for some receivers
    answer : what it answers to a whole message
    password : what it wants of its user, if anything
    """

    def __init__(self, refuses: Mapping[str, str], answer: str, password: str = "") -> None:
        self.mails: list[EmailMessage] = []
        self._refuses, self._answer = refuses, answer
        more: dict[str, Any] = {}
        if password:
            more = {"auth_required": True, "auth_require_tls": False, "authenticator": self._let_in(password)}
        self._controller = Controller(self, hostname="127.0.0.1", port=free_port(), **more)
        self._controller.start()

    @property
    def address(self) -> str:
        return f"smtp://127.0.0.1:{self._controller.port}"

    async def handle_RCPT(self, _server: Any, _session: Any, envelope: Any, name: str, _options: Any) -> str:  # noqa: N802 - its name at aiosmtpd
        if name in self._refuses:
            return self._refuses[name]
        envelope.rcpt_tos.append(name)
        return "250 OK"

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802
        if self._answer.startswith("250"):
            self.mails.append(cast(EmailMessage, message_from_bytes(envelope.content, policy=policy.default)))
        return self._answer

    def close(self) -> None:
        self._controller.stop()

    @staticmethod
    def _let_in(password: str) -> Any:
        def authenticate(
            _server: Any, _session: Any, _envelope: Any, _mechanism: str, data: LoginPassword
        ) -> AuthResult:
            return AuthResult(success=data.password == password.encode(), handled=False)

        return authenticate


@contextmanager
def mailing(
    refuses: Mapping[str, str] | None = None, answer: str = "250 OK", password: str = ""
) -> Iterator[MailServer]:
    """Give a server, and stop it at the end."""
    server = MailServer(refuses or {}, answer, password)
    try:
        yield server
    finally:
        server.close()
