"""Notifications are sealed as RFC 8291 has it, bit for bit, and signed as RFC 8292 has it; others' libraries agree."""

import os
import time

import http_ece
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from py_vapid import Vapid02

from recommendations.channels.sealing import (
    LONGEST,
    RECORD,
    SealingError,
    application_server_key,
    authorization,
    base64url,
    bytes_of_base64url,
    seal,
    vapid_key,
)

# RFC 8291, section 5 and appendix A
TEXT = b"When I grow up, I want to be a watermelon"
OWN = "yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw"
BROWSER = "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"
SECRET, SALT = "BTBZMqHH6r4Tts7J_aSIgg", "DGv6ra1nlYgDCS1FRnbzlw"
SEALED = (
    "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_"
    "yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN"
)


def point_of(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def test_the_example_of_the_rfc_bit_for_bit() -> None:
    sealed = seal(
        TEXT, p256dh=bytes_of_base64url(BROWSER), auth=bytes_of_base64url(SECRET), own=vapid_key(OWN),
        salt=bytes_of_base64url(SALT),
    )  # fmt: skip
    assert base64url(sealed) == SEALED


def test_a_browser_opens_whatever_fits() -> None:
    browser, auth = ec.generate_private_key(ec.SECP256R1()), os.urandom(16)
    for length in (0, 1, 300, LONGEST - 1, LONGEST):
        payload = os.urandom(length)
        sealed = seal(payload, p256dh=point_of(browser), auth=auth)
        assert len(sealed) <= RECORD
        assert http_ece.decrypt(sealed, private_key=browser, auth_secret=auth, version="aes128gcm") == payload


def test_two_records_of_one_payload_have_nothing_in_common() -> None:
    browser, auth = ec.generate_private_key(ec.SECP256R1()), os.urandom(16)
    first, second = (seal(TEXT, p256dh=point_of(browser), auth=auth) for _ in range(2))
    assert first[:16] != second[:16]
    assert first[21:86] != second[21:86]


def test_nobody_else_opens_it() -> None:
    browser, auth = ec.generate_private_key(ec.SECP256R1()), os.urandom(16)
    sealed = bytearray(seal(TEXT, p256dh=point_of(browser), auth=auth))
    with pytest.raises(http_ece.ECEException):
        http_ece.decrypt(bytes(sealed), private_key=browser, auth_secret=os.urandom(16), version="aes128gcm")
    sealed[-1] ^= 1
    with pytest.raises(http_ece.ECEException):
        http_ece.decrypt(bytes(sealed), private_key=browser, auth_secret=auth, version="aes128gcm")


@pytest.mark.parametrize("wishes", [
    {"payload": b"x" * (LONGEST + 1)},
    {"auth": b"x" * 15},
    {"p256dh": b"\x04" + b"x" * 64},  # no point of the curve
    {"p256dh": b"\x00"},  # the point at infinity
    {"p256dh": b""},
])  # fmt: skip
def test_what_cannot_be_sealed_is_refused(wishes: dict[str, bytes]) -> None:
    rightly = {"payload": TEXT, "p256dh": bytes_of_base64url(BROWSER), "auth": bytes_of_base64url(SECRET)}
    given = rightly | wishes
    with pytest.raises(SealingError):
        seal(given.pop("payload"), **given)


def test_the_signature_holds_for_a_reference_library() -> None:
    key, now = vapid_key(OWN), time.time()
    header = authorization(key, origin="https://push.example", subject="mailto:shop@example.com", now=now)
    assert Vapid02.verify(header)
    part = header.split("t=")[1].split(".")[1]
    claims = bytes_of_base64url(part).decode()
    assert claims == f'{{"aud":"https://push.example","exp":{int(now) + 12 * 3600},"sub":"mailto:shop@example.com"}}'
    assert header.endswith(f"k={application_server_key(key)}")
    place = header.index(".") + 3
    turned = header[:place] + ("A" if header[place] != "A" else "B") + header[place + 1 :]
    assert not _holds(turned)


def _holds(header: str) -> bool:
    try:
        return bool(Vapid02.verify(header))
    except Exception:  # noqa: BLE001 - however it says no
        return False


@pytest.mark.parametrize(
    "text", ["", "x", base64url(b"x" * 31), base64url(bytes(32)), "ä" * 43, base64url(b"\xff" * 32)]
)
def test_a_key_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        vapid_key(text)
