"""E-mail by the API of a service that sends it, over django-anymail: what the service says at once.

At most once: a service has no key by which it would know a mail again, so where its answer is missing nobody knows.
"""

from collections.abc import Callable, Mapping
from contextlib import suppress
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from http import HTTPStatus
from typing import Any, Protocol

import requests
from anymail.exceptions import AnymailAPIError, AnymailError
from django.core.mail import EmailMultiAlternatives
from urllib3.exceptions import ConnectTimeoutError, MaxRetryError, NewConnectionError

from recommendations.channels.protocol import Later, Outcome, Parcel, Refused, Taken, Unknown

OF_OUR_KEY = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.PAYMENT_REQUIRED, HTTPStatus.FORBIDDEN})
"""Answers of a service that takes no mail of ours now, whoever it is to."""
PATIENT = frozenset({HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE})
"""Answers by which a service says that it did nothing, and may be asked again."""
YES = frozenset({"sent", "queued"})
"""What django-anymail calls a mail that a service took."""
ITS_OWN = frozenset({
    "from", "to", "subject", "date", "message-id", "mime-version", "content-type", "content-transfer-encoding",
})  # fmt: skip
"""Headers that the service writes itself."""
LONGEST_ANSWER = 256 * 1024  # bytes; of a longer one the rest is not read
PART = 16 * 1024


class Backend(Protocol):
    """A backend of django-anymail."""

    session: requests.Session | None

    def open(self) -> object: ...

    def send_messages(self, email_messages: list[Any]) -> int: ...

    def close(self) -> None: ...


class Esp:
    """A line to a service, opened at the first parcel; ``note`` is what its events shall bring back of a parcel."""

    repeats_safely = False

    def __init__(self, backend: Backend, *, note: Callable[[Parcel], Mapping[str, str]]) -> None:
        self._backend, self._note = backend, note

    def hand_over(self, parcel: Parcel) -> Outcome:
        mail: Any = _mail(parcel, note=self._note(parcel))
        try:
            self._open()
            self._backend.send_messages([mail])
        except AnymailAPIError as error:
            return _answer(error)
        except AnymailError as error:  # it never left, or the service will not have whom it is to
            return Refused(_words(error))
        except (OSError, requests.RequestException) as error:
            return Unknown(_words(error))
        return _outcome(mail.anymail_status)  # the backend has set it

    def _open(self) -> None:
        if self._backend.open() and self._backend.session is not None:
            self._backend.session.hooks["response"].append(_beginning)

    def close(self) -> None:
        with suppress(OSError, requests.RequestException):
            self._backend.close()


def _beginning(response: requests.Response, **_options: object) -> None:
    """Read an answer as far as it may go; what is cut off makes no sense, and its status says the rest."""
    body = b""
    for part in response.iter_content(PART):
        body += part
        if len(body) > LONGEST_ANSWER:
            response.close()
            break
    response._content = body  # noqa: SLF001 - what requests would have read without an end


def _mail(parcel: Parcel, *, note: Mapping[str, str]) -> EmailMultiAlternatives:
    """The mail of a parcel, taken apart again: services take no whole one. Nothing in it is followed or rewritten."""
    whole = message_from_bytes(parcel.content, _class=EmailMessage, policy=default)
    text, html = whole.get_body(("plain",)), whole.get_body(("html",))
    mail = EmailMultiAlternatives(
        subject=str(whole["Subject"]),
        body=text.get_content() if text else "",
        from_email=str(whole["From"]),
        to=[parcel.address["email"]],
        headers={name: str(value) for name, value in whole.items() if name.lower() not in ITS_OWN},
    )
    if html:
        mail.attach_alternative(html.get_content(), "text/html")
    wishes: Mapping[str, object] = {"metadata": dict(note), "track_opens": False, "track_clicks": False}
    for name, value in wishes.items():
        setattr(mail, name, value)
    return mail


def _outcome(status: Any) -> Outcome:
    """What a service says of the one whom a mail is to, where it answered as it does to a mail that it understood."""
    if status.status and status.status <= YES:
        return Taken(status.message_id if isinstance(status.message_id, str) else "")
    code = getattr(status.esp_response, "status_code", HTTPStatus.OK)
    said_no = code >= HTTPStatus.BAD_REQUEST
    return Refused(f"HTTP {code}") if said_no else Unknown("the service's answer is not understood")


def _answer(error: AnymailAPIError) -> Outcome:
    """What an answer other than yes means, or a missing one. What it says of somebody is not repeated."""
    code = error.status_code
    if code is None:
        before = _not_connected(error.__cause__)
        return Later(_words(error.__cause__), of_line=True) if before else Unknown(_words(error.__cause__))
    reason = f"HTTP {code}"
    if code in PATIENT:
        return Later(reason, after=_retry_after(error), of_line=True, too_fast=code == HTTPStatus.TOO_MANY_REQUESTS)
    if code in OF_OUR_KEY:
        return Later(reason, of_line=True)
    return Refused(reason) if HTTPStatus.BAD_REQUEST <= code < HTTPStatus.INTERNAL_SERVER_ERROR else Unknown(reason)


def _not_connected(cause: BaseException | None) -> bool:
    """Whether the line broke before anything was said on it."""
    if isinstance(cause, requests.ConnectTimeout | requests.exceptions.SSLError):
        return True
    inner = cause.args[0] if isinstance(cause, requests.ConnectionError) and cause.args else None
    reason = inner.reason if isinstance(inner, MaxRetryError) else inner
    return isinstance(reason, NewConnectionError | ConnectTimeoutError)


def _retry_after(error: AnymailAPIError) -> float | None:
    said = getattr(error.response, "headers", {}).get("Retry-After", "")
    return float(said) if said.isdecimal() and len(said) < len("100000") else None


def _words(error: BaseException | None) -> str:
    return type(error).__name__
