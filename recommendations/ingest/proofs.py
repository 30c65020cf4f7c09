"""Proofs of who is signed in: made for the shop's server, shown by its pages, which cannot make one themselves.

A proof binds one customer to one visitor (or to none) until a moment. Whoever finds it can say no more with it than the
page that it was made for.
"""

import hashlib
import hmac
from base64 import urlsafe_b64encode
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import NamedTuple

from django.conf import settings
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext

LONGEST = timedelta(hours=12)


class Proof(NamedTuple):
    """A proof as the page sends it, and until when it holds."""

    text: str
    expires: datetime


def prove(*, user_id: str, anonymous_id: str | None, now: datetime, lasts: timedelta = LONGEST) -> Proof:
    """Make the proof that a customer is the visitor of this id; it is cut to whole seconds, and at most ``LONGEST``."""
    expires = (now + min(lasts, LONGEST)).replace(microsecond=0)
    until = format(int(expires.timestamp()), "x")
    return Proof(f"{until}.{_code(until, user_id, anonymous_id)}", expires)


def proves(text: str | None, *, user_id: str, anonymous_id: str | None, now: datetime) -> bool:
    """Whether ``text`` is a proof of these two ids that still holds."""
    expires = _expiry(text, user_id, anonymous_id)
    return expires is not None and now.timestamp() < expires


def why_no_proof(text: str | None, *, user_id: str, anonymous_id: str | None) -> str:
    """What is wrong with a proof that does not hold, and what to send instead."""
    if not text:
        return gettext(
            "A key in a page cannot say who is signed in. Send the proof that your server gets from POST "
            "/api/v1/identity/ for this user_id and this anonymous_id."
        )
    expires = _expiry(text, user_id, anonymous_id)
    if expires is None:
        return gettext(
            "The proof is not of this user_id and this anonymous_id, or your server did not get it here. Get one for "
            "both from POST /api/v1/identity/."
        )
    moment = datetime.fromtimestamp(expires, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    text = gettext("The proof expired at %(moment)s. Let your server get another from POST /api/v1/identity/.")
    return text % {"moment": moment}


def _expiry(text: str | None, user_id: str, anonymous_id: str | None) -> int | None:
    """The moment until which a proof of these two ids holds, in Unix time; None where we did not write it."""
    until, _, code = (text or "").partition(".")
    if not hmac.compare_digest(code.encode(errors="replace"), _code(until, user_id, anonymous_id).encode()):
        return None
    return int(until, 16)


def _code(until: str, user_id: str, anonymous_id: str | None) -> str:
    """HMAC-SHA256 of both ids and the moment; the length of the first keeps two pairs of ids from being one text."""
    one = _keyed(settings.SECRET_KEY).copy()
    one.update(f"{until}:{len(user_id)}:{user_id}:{anonymous_id or ''}".encode(errors="surrogatepass"))
    return urlsafe_b64encode(one.digest()).rstrip(b"=").decode()


@cache
def _keyed(secret: str) -> hmac.HMAC:
    """A key of its own from Django's: what is signed for another purpose is no proof."""
    return hmac.new(salted_hmac(__name__, "", secret, algorithm="sha256").digest(), digestmod=hashlib.sha256)
