"""Second factor of staff: codes of an app on their phone, and recovery codes for whoever has lost it.

At rest there is of the app a seed and of a recovery code a hash, both useless without ``SECRET_KEY``; so a new
``SECRET_KEY`` asks everybody to set the second factor up again.
"""

import math
import re
from base64 import b32encode
from secrets import token_bytes

import segno
from django.db import transaction
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django_otp.plugins.otp_static.models import StaticDevice, StaticToken

from recommendations.models import AuthenticatorApp, Staff
from recommendations.services.access import audit, sessions

CODES = 10
APP_CODE = re.compile(r"\d{6}")


class TooSoonError(Exception):
    """A wrong code came a moment ago; the next one is looked at after ``seconds``, a pause that doubles each time."""

    def __init__(self, seconds: int) -> None:
        super().__init__(seconds)
        self.seconds = seconds


def has_second_factor(staff: Staff) -> bool:
    return bool(AuthenticatorApp.objects.filter(user=staff, confirmed=True).exists())


def new_app(staff: Staff) -> AuthenticatorApp:
    """The app that is being set up: the same until its first code is typed."""
    app: AuthenticatorApp = AuthenticatorApp.objects.get_or_create(user=staff, confirmed=False)[0]
    return app


def picture_of(app: AuthenticatorApp) -> str:
    """The QR code that an authenticator app scans, as an address of the scheme ``data:``."""
    return segno.make(app.config_url, error="m").svg_data_uri(scale=5, border=3, light="#fff")


def key_of(app: AuthenticatorApp) -> str:
    """The app's key for typing, in groups of four."""
    text = b32encode(app.bin_key).decode()
    return " ".join(text[at : at + 4] for at in range(0, len(text), 4))


@transaction.atomic
def confirm_app(*, staff: Staff, code: str) -> list[str] | None:
    """Turn the second factor on by the first code of the new app; returns recovery codes, None for a wrong code.

    Raises TooSoonError.
    """
    app = AuthenticatorApp.objects.select_for_update().filter(user=staff, confirmed=False).first()
    if app is None or has_second_factor(staff) or not _is_right(app, _plain(code)):
        return None
    app.confirmed = True
    app.save(update_fields=["confirmed"])
    audit.record(by=staff, verb="set second factor", subject=staff)
    return _new_codes(staff)


@transaction.atomic
def verify(*, staff: Staff, code: str) -> bool:
    """Whether a code of the app or a recovery code is right; each works once. Raises TooSoonError."""
    text = _plain(code)
    if APP_CODE.fullmatch(text):
        app = AuthenticatorApp.objects.select_for_update().filter(user=staff, confirmed=True).first()
        return app is not None and _is_right(app, text)
    codes = StaticDevice.objects.select_for_update().filter(user=staff).first()
    if codes is None or not _is_right(codes, _digest(staff, text)):
        return False
    audit.record(by=staff, verb="use recovery code", subject=staff, after={"codes_left": codes_left(staff)})
    return True


def is_of_app(code: str) -> bool:
    """Whether a code is meant to be the app's, which has digits only; a recovery code has letters."""
    return _plain(code).isdecimal()


def codes_left(staff: Staff) -> int:
    return int(StaticToken.objects.filter(device__user=staff).count())


@transaction.atomic
def renew_codes(staff: Staff) -> list[str]:
    """Make new recovery codes; the old ones work no more."""
    audit.record(by=staff, verb="renew recovery codes", subject=staff)
    return _new_codes(staff)


@transaction.atomic
def remove(*, staff: Staff, by: Staff | None) -> bool:
    """Take the second factor away, and end the sessions where somebody else does it; False where there is none."""
    removed, _kinds = AuthenticatorApp.objects.filter(user=staff).delete()
    StaticDevice.objects.filter(user=staff).delete()
    if removed:
        audit.record(by=by, verb="remove second factor", subject=staff)
        if by != staff:
            sessions.end_all(staff=staff, by=by)
    return bool(removed)


def _plain(code: str) -> str:
    return re.sub(r"[\s-]", "", code).lower()


def _is_right(device: AuthenticatorApp | StaticDevice, token: str) -> bool:
    allowed, why = device.verify_is_allowed()
    if not allowed:
        raise TooSoonError(max(1, math.ceil((why["locked_until"] - timezone.now()).total_seconds())))
    return bool(device.verify_token(token))


def _new_codes(staff: Staff) -> list[str]:
    StaticDevice.objects.filter(user=staff).delete()
    device = StaticDevice.objects.create(user=staff, name="recovery codes")
    codes = [b32encode(token_bytes(10)).decode().lower()[:10] for _ in range(CODES)]
    StaticToken.objects.bulk_create(StaticToken(device=device, token=_digest(staff, code)) for code in codes)
    return [f"{code[:5]}-{code[5:]}" for code in codes]


def _digest(staff: Staff, code: str) -> str:
    digest = salted_hmac("recovery-code", f"{staff.pk}:{code}", algorithm="sha256").digest()
    return b32encode(digest[:10]).decode()
