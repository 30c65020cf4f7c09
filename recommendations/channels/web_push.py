"""Notifications by the push services of browsers (RFC 8030): sealed for one browser, signed with the shop's key.

A message that is handed over again under its topic replaces the one that waits, and the shop's worker shows each once.
"""

import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from http import HTTPStatus

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

from recommendations.channels.outbound import (
    CutOffError,
    ForbiddenAddressError,
    HttpAnswer,
    HttpClient,
    NotConnectedError,
    WebPlace,
    place_of,
)
from recommendations.channels.protocol import Gone, Later, Outcome, Parcel, Refused, Taken
from recommendations.channels.sealing import SealingError, authorization, bytes_of_base64url, seal

PUSH_SERVICES = frozenset({
    "fcm.googleapis.com", "updates.push.services.mozilla.com", "*.notify.windows.com", "web.push.apple.com",
})  # fmt: skip
"""Hosts of the browsers' own services; a subscription is somebody else's address that we post to."""
LONGEST_LIFE = 28 * 24 * 3600  # seconds that push services keep what waits


@dataclass(frozen=True, kw_only=True)
class PushSender:
    """Who posts: the key under which browsers subscribed, and a mailto or https address where somebody is reached.

    ``services`` are further hosts of push services, or origins of this installation's own.
    """

    key: EllipticCurvePrivateKey = field(repr=False)
    subject: str
    services: Collection[str] = ()


def push_service_of(endpoint: str, *, more: Collection[str] = ()) -> WebPlace:
    """The push service of a subscription. Raises ForbiddenAddressError where it is none that is known.

    ``more``: further hosts, and origins (http://127.0.0.1:8025) that are believed as they stand.
    """
    place = place_of(endpoint, trusted=more)
    if place.origin not in more and not any(_is(place.host, host) for host in {*PUSH_SERVICES, *more}):
        raise ForbiddenAddressError("it is no push service that is known")
    return place


def _is(host: str, known: str) -> bool:
    return host == known or (known.startswith("*.") and host.endswith(known[1:]))


class WebPush:
    """A line to the push services."""

    repeats_safely = True

    def __init__(
        self, sender: PushSender, *, client: HttpClient | None = None, clock: Callable[[], float] = time.time
    ) -> None:
        self._sender, self._clock = sender, clock
        self._client = client or HttpClient(trusted=[each for each in sender.services if "://" in each])

    def hand_over(self, parcel: Parcel) -> Outcome:
        own = self._sender
        try:
            service = push_service_of(parcel.address["endpoint"], more=own.services)
            p256dh, auth = (bytes_of_base64url(parcel.address[name]) for name in ("p256dh", "auth"))
            body = seal(parcel.content, p256dh=p256dh, auth=auth)
        except (ForbiddenAddressError, SealingError) as error:
            return Refused(str(error))
        except ValueError:
            return Refused("the browser's keys are none")
        headers = {
            "Authorization": authorization(own.key, origin=service.origin, subject=own.subject, now=self._clock()),
            "Content-Encoding": "aes128gcm",
            "Content-Type": "application/octet-stream",
            "TTL": str(self._life(parcel)),
            "Urgency": "low",
            **({"Topic": parcel.topic} if parcel.topic else {}),
        }
        try:
            return _outcome(self._client.post(parcel.address["endpoint"], headers=headers, body=body))
        except ForbiddenAddressError as error:
            return Refused(str(error))
        except (NotConnectedError, CutOffError) as error:  # repeated, it is shown once
            return Later(f"{type(error).__name__}: {error}", of_line=True)

    def close(self) -> None:
        self._client.close()

    def _life(self, parcel: Parcel) -> int:
        """Seconds that it may wait for its browser."""
        left = parcel.expires_at.timestamp() - self._clock() if parcel.expires_at else LONGEST_LIFE
        return max(0, min(int(left), LONGEST_LIFE))


def _outcome(answer: HttpAnswer) -> Outcome:
    status, reason = answer.status, f"HTTP {answer.status}"
    if HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
        return Taken()
    if status in {HTTPStatus.NOT_FOUND, HTTPStatus.GONE}:
        return Gone(reason)
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return Later(reason, after=answer.retry_after, too_fast=True)
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return Later(reason, after=answer.retry_after, of_line=True)
    return Refused(reason)
