"""A message as a plain e-mail: what happened, until when to act, where to look."""

from collections.abc import Mapping, Sequence
from datetime import datetime, tzinfo
from email.message import EmailMessage
from email.utils import format_datetime
from typing import Any

from service.delivery.body import RESOLVED, headline, moment, told_in
from service.delivery.notice import Notice

_LONGEST_SUBJECT = 200
_PLACE = ("machine", "line", "site")


def mail_of(notice: Notice, *, sender: str, to: Sequence[str], zone: tzinfo, link: str) -> EmailMessage:
    """Return the e-mail of a message; its ``Message-ID`` is the same for each try, so that copies are told apart."""
    body = notice.body
    mail = EmailMessage()
    plant = str(body.get("plant") or "Andon")
    mail["Subject"] = _one_line(f"[{plant}] {headline(body)}")[:_LONGEST_SUBJECT]
    mail["From"], mail["To"] = sender, ", ".join(to)
    mail["Date"] = format_datetime(notice.at)
    mail["Message-ID"] = f"<{notice.message}@andon>"
    mail["Auto-Submitted"] = "auto-generated"
    if notice.alert is not None:
        # Programs for mail show all messages of one alert as one conversation.
        mail["References"] = f"<alert-{notice.alert}@andon>"
    mail.set_content("\n".join(mail_text(notice, zone, link)) + "\n")
    return mail


def mail_text(notice: Notice, zone: tzinfo, link: str = "") -> list[str]:
    """Return the lines of a message for people; times are local to the plant."""
    body = notice.body
    told = told_in(body)
    if told[0] is body:
        return [headline(body), *_lines(body, zone), *(["", link] if link else [])]
    lines = [headline(body)]
    for each in told:
        lines += ["", headline(each), *_lines(each, zone)]
    if more := body.get("more"):
        lines += ["", f"And {len(more)} more: alerts {', '.join(map(str, more))}"]
    return [*lines, *(["", link] if link else [])]


def _lines(body: Mapping[str, Any], zone: tzinfo) -> list[str]:
    place = ", ".join(str(body[name]) for name in _PLACE if body.get(name))
    lines = [f"Where: {place}"] if place else []
    lines += [f"How bad: {_one_line(str(body['severity']))}"] if body.get("severity") else []
    if body.get("status") == RESOLVED:
        lines += [f"Over since: {_local(end, zone)}"] if (end := moment(body, "end")) else []
    elif act_before := moment(body, "act_before"):
        lines.append(f"Act before: {_local(act_before, zone)}")
    lines += [f"Acknowledged by: {_one_line(str(body['acknowledged_by']))}"] if body.get("acknowledged_by") else []
    return [*lines, *(["", str(body["text"])] if body.get("text") else [])]


def _one_line(text: str) -> str:
    """A line break would end the header, and what stands behind it be another one."""
    return " ".join(text.split())


def _local(at: datetime, zone: tzinfo) -> str:
    return f"{at.astimezone(zone):%Y-%m-%d %H:%M %Z}"
