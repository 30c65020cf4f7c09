"""The same bytes through another whole browser: Firefox subscribes, opens what we sealed, wakes the shop's worker."""

import json
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
import urllib3
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from recommendations.channels.protocol import Gone, Parcel, Taken
from recommendations.channels.sealing import base64url, vapid_key
from recommendations.channels.web_push import PushSender, WebPush
from tests.channels.firefox import FIREFOX, firefox_at

KEY = vapid_key("yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw")
NOTES = 20

pytestmark = pytest.mark.skipif(FIREFOX is None, reason="there is no Firefox: firefox-esr, or FIREFOX names one")


def note(number: int) -> dict[str, str]:
    return {
        "id": f"message-{number}", "title": "您的咖啡快用完了 ☕", "body": "You buy it every 12 days.",
        "icon": "", "url": f"https://shop.example/item/{number}", "rid": f"r-{number}",
    }  # fmt: skip


def test_firefox_opens_every_notification_and_the_worker_shows_each_once(tmp_path: Path) -> None:
    key = base64url(KEY.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint))
    with firefox_at(key, tmp_path) as places:
        subscription = places.said.get(timeout=150)
        assert "failed" not in subscription
        address = {"endpoint": subscription["endpoint"], **subscription["keys"]}
        parcel = Parcel(message=1, idempotency_key="", content=b"", topic="t" * 32, address=address)
        sender = PushSender(key=KEY, subject="mailto:shop@example.com", services=[places.origin])
        with closing(WebPush(sender)) as line:
            for number in range(NOTES):
                content = json.dumps(note(number)).encode()
                for _again in range(2):  # after a broken line it is posted again
                    assert line.hand_over(replace(parcel, content=content)) == Taken()
                shown = places.said.get(timeout=20)
                told = note(number)
                assert (shown["title"], shown["body"], shown["tag"]) == (told["title"], told["body"], told["id"])
                assert shown["data"] == {"url": told["url"]}
            elsewhere = {**address, "endpoint": f"{places.origin}/push/nobody"}
            assert line.hand_over(replace(parcel, content=b"{}", address=elsewhere)) == Gone("HTTP 404")
        assert urllib3.request("POST", address["endpoint"], body=b"x").status == 401  # nobody signed it
        assert places.said.empty()
