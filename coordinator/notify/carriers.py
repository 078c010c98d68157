"""Who carries a message out of the house, by channel: a mail server, a gateway for text messages, a folder, the log."""

import json
import smtplib
import ssl
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from email.utils import format_datetime
from pathlib import Path
from typing import Protocol
from urllib.parse import unquote, urlsplit

import structlog

from coordinator.core.settings import Settings
from coordinator.notify.mail_model import Channel
from coordinator.notify.posting import PATIENCE, NoAnswer, post

log = structlog.get_logger("coordinator.notify")


class NotCarried(Exception):  # noqa: N818  (an answer of the world, not a mistake of ours)
    """The letter was not taken; `code` says how it failed."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class CarrierDown(NotCarried):
    """Nothing can be sent now, whatever it is: the server is away, or does not let us in."""


class CarrierBusy(NotCarried):
    """This one may be taken later; others may be taken now."""


class CarrierRefused(NotCarried):
    """This one will never be taken."""


@dataclass(frozen=True, slots=True)
class Letter:
    """What is carried. `number` is the same however often one mail is tried, so that a receiver knows a second copy.

    `to`: a mail address or a telephone number, by the channel; a text message has no subject.
    """

    to: str
    subject: str
    text: str
    number: str
    at: datetime


class Carrier(Protocol):
    """Carries one letter; NotCarried if it cannot. After it returns, the letter is out of hand."""

    def carry(self, letter: Letter) -> None: ...


class LogCarrier:
    """Says in the log that there was something to send: no server is named for the channel."""

    def __init__(self, channel: Channel = Channel.EMAIL) -> None:
        self.channel = channel

    def carry(self, letter: Letter) -> None:
        log.info("mail", channel=self.channel.value, number=letter.number)


class FolderCarrier:
    """A file for each message, in a folder: for tests and for trying things out. The same one twice is one file."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def carry(self, letter: Letter) -> None:
        said = {"to": letter.to, "subject": letter.subject, "text": letter.text, "number": letter.number}
        whole = json.dumps(said | {"at": letter.at.isoformat()}, ensure_ascii=False)
        try:
            (self.folder / f"{letter.number}.json").write_text(whole, encoding="utf-8")
        except OSError as broken:
            raise CarrierDown("folder-gone") from broken


class SmsCarrier:
    """A gateway for text messages: one POST of JSON each (`to`, `from`, `text`, `id`), the key as a bearer token.

    `id`, and the header Idempotency-Key, are the letter's number: a gateway that knows it sends no second copy.
    """

    def __init__(self, url: str, key: str, sender: str) -> None:
        self.url, self.key, self.sender = url, key, sender

    def carry(self, letter: Letter) -> None:
        body = {"to": letter.to, "from": self.sender, "text": letter.text, "id": letter.number}
        headers = {"Content-Type": "application/json", "Idempotency-Key": letter.number}
        if self.key:
            headers["Authorization"] = f"Bearer {self.key}"
        try:
            status = post(self.url, json.dumps(body).encode(), headers, admits=None)
        except NoAnswer as silent:
            raise CarrierDown(silent.code) from silent
        if 200 <= status < 300:
            return
        code = f"gateway-answered-{status}"
        if status in (400, 404, 410, 422):  # of this number or text
            raise CarrierRefused(code)
        raise CarrierDown(code)  # of us, of the gateway, or of too many


class SmtpCarrier:
    """A mail server, reached anew for each letter: they are few, and a connection that broke would tell of another."""

    def __init__(self, url: str, sender: str) -> None:
        parts = urlsplit(url)
        self.host, self.port = parts.hostname or "", parts.port
        self.scheme, self.sender = parts.scheme, sender
        self.user, self.password = unquote(parts.username or ""), unquote(parts.password or "")

    def carry(self, letter: Letter) -> None:
        message = EmailMessage()
        message["From"], message["To"], message["Subject"] = self.sender, letter.to, letter.subject
        message["Date"], message["Message-ID"] = format_datetime(letter.at), f"<{letter.number}@coordinator.invalid>"
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(letter.text)
        try:
            with self._connected() as server:
                server.send_message(message)
        except smtplib.SMTPRecipientsRefused as refused:
            codes = [code for code, _ in refused.recipients.values()]
            raise _not_carried(min(codes, default=450), "recipient-refused") from refused
        except smtplib.SMTPDataError as answer:
            raise _not_carried(answer.smtp_code, "letter-refused") from answer
        except smtplib.SMTPResponseException as answer:  # of us, not of the letter: greeting, sign-in, sender
            raise CarrierDown(f"server-refused-{answer.smtp_code}") from answer
        except (OSError, smtplib.SMTPException) as broken:
            raise CarrierDown("server-down") from broken

    def _connected(self) -> smtplib.SMTP:
        if self.scheme == "smtps":
            secure = ssl.create_default_context()
            server: smtplib.SMTP = smtplib.SMTP_SSL(
                self.host, self.port or 465, local_hostname="coordinator", timeout=PATIENCE, context=secure
            )
        else:
            server = smtplib.SMTP(self.host, self.port or 587, local_hostname="coordinator", timeout=PATIENCE)
        try:
            if self.scheme == "smtp+starttls":
                server.starttls(context=ssl.create_default_context())
            if self.user:
                server.login(self.user, self.password)
        except BaseException:
            server.close()
            raise
        return server


def _not_carried(code: int, said: str) -> NotCarried:
    """RFC 5321, 4.2.1: what begins with 5 stays so, 421 closes the service, all else may be tried again."""
    if 500 <= code < 600:
        return CarrierRefused(f"{said}-{code}")
    return (CarrierDown if code == 421 else CarrierBusy)(f"{said}-{code}")


def carriers_of(settings: Settings) -> dict[Channel, Carrier]:
    """The carriers of this installation, one a channel."""
    mail, sms = settings.smtp_url, settings.sms_url
    return {
        Channel.EMAIL: _folder(mail) or (SmtpCarrier(mail, settings.mail_from) if mail else LogCarrier(Channel.EMAIL)),
        Channel.SMS: _folder(sms)
        or (SmsCarrier(sms, settings.sms_key, settings.sms_from) if sms else LogCarrier(Channel.SMS)),
    }


def _folder(url: str | None) -> FolderCarrier | None:
    return FolderCarrier(Path(url.removeprefix("file://"))) if url and url.startswith("file:") else None
