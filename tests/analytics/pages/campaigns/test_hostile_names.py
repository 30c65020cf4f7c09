"""Markup in what staff and the catalogue name: it stands on every page as it was typed, and is nothing but text."""

from collections import Counter
from collections.abc import Iterator
from html.parser import HTMLParser

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from recommendations.models import Audience, Campaign, Customer, Item, Occurrence
from tests.analytics.pages.campaigns.test_pages import begun, go_live, message, sending

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("mail_is_set")]

HOSTILE = "</script><script>alert(1)</script>\"'><img src=x onerror=alert(1)>{{ 913*17 }}&lt;b&gt;"


class Tags(HTMLParser):
    """Tags of a page with the names of their attributes, and its text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags, self.text = Counter[tuple[str, tuple[str, ...]]](), list[str]()
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag, tuple(name for name, _ in attrs)] += 1
        self.text += [value or "" for _, value in attrs]

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def pages(campaign: Campaign, occurrence: Occurrence, audience: Audience, customer: Customer) -> Iterator[str]:
    yield from ("/campaigns/", "/campaigns/calendar/", "/audiences/", f"/audiences/{audience.pk}/")
    yield from (f"/campaigns/{campaign.pk}/{part}" for part in ("", "edit/", "report/", "plan/"))
    yield from (f"/campaigns/{campaign.pk}/sendings/{occurrence.pk}/{part}" for part in ("", "people/?verdict=now"))
    yield from (reverse(name, args=[customer.pk]) for name in ("customer", "customer_messages"))


def test_names_of_campaigns_audiences_and_items_are_text_on_every_page(admin: Client) -> None:
    tea = Item.objects.create(shop_id="tea", title="Plain")
    audience = Audience.objects.create(name="Plain", conditions={})
    campaign = begun(name="Plain")
    campaign.draft["who"]["any_of"] = [audience.pk]
    campaign.paused_at, campaign.pause_reason = timezone.now(), "Plain"
    campaign.save()
    occurrence = sending(go_live(campaign))
    stored = message(occurrence, "ann", items=[tea.pk], reason="Plain")
    own = list(pages(campaign, occurrence, audience, stored.customer))
    plain = [Tags(_page(admin, address)) for address in own]
    Item.objects.update(title=HOSTILE)
    Audience.objects.update(name=HOSTILE)
    Campaign.objects.update(name=HOSTILE, pause_reason=HOSTILE)
    stored.reason = HOSTILE
    stored.save()
    seen = 0
    for address, before in zip(own, plain, strict=True):
        page = Tags(_page(admin, address))
        assert page.tags == before.tags, address
        seen += any(HOSTILE in text for text in page.text)
    assert seen >= 10


def _page(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200, address
    assert "unsafe-inline" not in answer.get("Content-Security-Policy", "")
    return answer.content.decode()
