"""Strangers before the links of messages: whatever they change in one, nothing happens and nobody is led elsewhere."""

import random
import re
import time as time_of_day
from collections.abc import Iterator
from datetime import timedelta
from itertools import product
from urllib.parse import unquote

import pytest
from django.conf import LazySettings
from django.test import Client
from django.utils import timezone

from recommendations.models import Item, Message, MessageEvent
from recommendations.public import door
from recommendations.push_terms import AddressState
from recommendations.services.access.rates import RateLimiter
from recommendations.services.contacts.links import path_of
from recommendations.services.contacts.tokens import LASTS, LinkKind, SignedLink, token_of
from recommendations.services.push.following import target_of
from tests.public.pages import UNKNOWN, rows
from tests.public.test_unsubscribe import page_of, permissions, sent

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("valkey")]

SHOP = {"shop.example", "www.shop.example"}
FOREIGN = (
    "//{0}", "///{0}", "////{0}", "\\\\{0}", "/\\{0}", "\\/{0}", "https:{0}", "https:/{0}", "https:///{0}",
    "https:\\\\{0}", "http://{0}", "https://shop.example@{0}", "https://shop.example:pw@{0}",
    "https://shop.example%40{0}", "https://{0}?@shop.example", "https://{0}#@shop.example",
    "https://{0}\\@shop.example", "https://{0}/@shop.example", "https://shop.example\\@{0}",
    "https://shop.example.{0}", "https://shop.example%2e{0}", "https://{0}%23.shop.example",
    "https://{0}%2f.shop.example", "https://{0}%00.shop.example", "https://{0}\u3002shop.example",
    "https://shop.example\uff0f{0}", "https://{0}\uff03.shop.example", "%2f%2f{0}", "%252f%252f{0}", "/%2f{0}",
    "/%5c{0}", "/%09/{0}", "/\t/{0}", "/\n/{0}", "ht\ttps://{0}", "https:\n//{0}", "htt\rps://{0}",
    "java\tscript:alert('{0}')", "java\nscript:alert('{0}')", "JaVaScRiPt:alert('{0}')",
    "javascript://shop.example/%0aalert('{0}')", "vbscript:{0}", "data:text/html,{0}", "blob:https://{0}/x",
    "view-source:https://{0}", "ftp://{0}", "file://{0}", "mailto:a@{0}", "/..//{0}", "/.//{0}", "./\\{0}",
    ";//{0}", "?next=//{0}", "#//{0}", "https://[{0}", "https://{0}]", "https://[::1]@{0}",
)  # fmt: skip
HOSTS = (
    "evil.example", "xn--shp-tna.example", "\u0455hop.example", "shop.example.", "shop.example:8443",
    "shop.example:99999", "shop.example:x", "shop.examp1e", "2130706433", "[::1]",
)  # fmt: skip
AROUND = ("{}", " {}", "\t{}", "\u3000{}", "\ufeff{}", "{}/shop.example", "{}?shop.example", "{}.", "{}%00")


@pytest.fixture(autouse=True)
def _shop(settings: LazySettings) -> None:
    settings.SHOP_URL, settings.SHOP_HOSTS = "https://shop.example", ["www.shop.example"]


def redirects() -> list[str]:
    """500 addresses that a careless shop would lead to: every form, host and surrounding, the rest by chance."""
    every = [around.format(form.format(host)) for form, host, around in product(FOREIGN, HOSTS, AROUND)]
    first = [form.format("evil.example") for form in FOREIGN] + [f"https://{host}" for host in HOSTS]
    return [*first, *random.Random(15).sample(every, 500 - len(first))]


def host_in_browser(address: str) -> str:
    """The host to which a browser goes (WHATWG): a backslash is a slash, and what is before the @ does not count."""
    text = re.sub(r"[\t\n\r]", "", address.strip("".join(map(chr, range(33))))).replace("\\", "/")
    match = re.fullmatch(r"https?:/*([^/?#]*)(.*)", text, re.IGNORECASE | re.DOTALL)
    assert match, address
    return unquote(match[1].rpartition("@")[2]).lower()


def message() -> Message:
    item = Item.objects.create(shop_id="tea", title="Tea")
    return sent(items=[item.pk], recommendation_id="r-1", handed_at=timezone.now() - timedelta(hours=1))


def test_500_addresses_of_items_lead_to_the_shop_and_to_no_stranger() -> None:
    own = message()
    page, client = path_of(SignedLink(LinkKind.CLICK, own.pk, 0), now=timezone.now()), Client()
    for number, url in enumerate(redirects()):
        Item.objects.update(url=url)
        target = target_of(own, 0)
        assert host_in_browser(target) in SHOP, url
        if number % 10 == 0:
            answer = client.get(page)
            assert (answer.status_code, answer["Location"].startswith("https://")) == (302, True)
            assert host_in_browser(answer["Location"]) in SHOP, url


def test_nothing_that_is_added_to_a_link_changes_where_it_leads() -> None:
    own, now = message(), timezone.now()
    click = path_of(SignedLink(LinkKind.CLICK, own.pk, 0), now=now)
    assert own.address is not None
    centre = path_of(SignedLink(LinkKind.PREFERENCES, own.address.pk), now=now)
    expected = Client().get(click)["Location"]
    for value in redirects()[::25]:
        for name in ("next", "url", "to", "rid", "language", "why", "was"):
            assert Client().get(click, {name: value})["Location"] == expected
        answer = Client().post(f"{centre}?language={value.encode('unicode_escape').decode()}", {"act": "pause"})
        assert answer["Location"].startswith(f"{centre}?")
    for path in ("//evil.example", "/..//evil.example/", "%2f%2fevil.example", "@evil.example", "\\evil.example"):
        answer = Client().get(f"{click.rstrip('/')}{path}", headers={"X-Forwarded-Host": "evil.example"})
        assert answer.status_code in {301, 404}
        assert answer.get("Location", "/m/").startswith("/m/")


def forged(kind: LinkKind, own: Message) -> Iterator[str]:
    """Tokens of a kind that open nothing: by strangers, of other kinds, too old, void, of nobody."""
    rng, now = random.Random(f"{kind} 4"), timezone.now()
    key = own.pk if kind in {LinkKind.CLICK, LinkKind.UNSUBSCRIBE} else own.address_id
    assert key is not None
    right, another = (token_of(SignedLink(kind, key + number), now=now) for number in (0, 1_000))
    yield another
    yield f"{another.partition('.')[0]}.{right.partition('.')[2]}"
    yield token_of(SignedLink(kind, key), now=now - LASTS[kind] - timedelta(minutes=2))
    yield from (token_of(SignedLink(other, key), now=now) for other in LinkKind if other is not kind)
    if kind is not LinkKind.CLICK:
        yield token_of(SignedLink(kind, key, generation=1), now=now)
    for _ in range(100):
        text = list(right)
        text[rng.choice([at for at in range(len(text)) if text[at] != "."])] = "ü"
        yield "".join(text)
    yield from (right[:end] for end in range(1, len(right), 3))


@pytest.mark.parametrize("kind", [LinkKind.CLICK, LinkKind.UNSUBSCRIBE, LinkKind.CONFIRM, LinkKind.OWN_DATA])
def test_a_forged_link_of_each_kind_is_like_one_that_was_never_there(kind: LinkKind) -> None:
    own = message()
    if kind is LinkKind.CONFIRM:
        assert own.address is not None
        own.address.state = AddressState.UNCONFIRMED
        own.address.save()
    before, answers = rows(), set()
    for number, token in enumerate(forged(kind, own)):
        answer = Client().get(f"/m/{kind}/{token}/")
        answers.add((answer.status_code, re.sub(r'href="[^"]*"', "", answer.content.decode())))
        posted = Client().post(f"/m/{kind}/{token}/", {"act": "confirm"}, REMOTE_ADDR=f"10.0.{number}.1")
        assert posted.status_code == 404
    [(status, text)] = answers
    assert (status, UNKNOWN in text) == (404, True)
    assert (rows(), MessageEvent.objects.count()) == (before, 0)


def test_scanners_that_open_every_link_change_nothing() -> None:
    own, now = sent(), timezone.now()
    assert own.address is not None
    Message.objects.update(handed_at=now)
    keys = {LinkKind.CLICK: own.pk, LinkKind.UNSUBSCRIBE: own.pk, LinkKind.PREFERENCES: own.address.pk,
            LinkKind.CONFIRM: own.address.pk, LinkKind.OWN_DATA: own.address.pk}  # fmt: skip
    before = rows()
    for kind, key in keys.items():
        page = path_of(SignedLink(kind, key), now=now)
        for method in ("get", "head", "options", "put", "delete"):
            for query in ("", "?List-Unsubscribe=One-Click&act=stop&on=no&was=x"):
                getattr(Client(), method)(f"{page}{query}")
    assert rows() == before
    assert set(MessageEvent.objects.values_list("kind", flat=True)) == {"machine_clicked"}


class TestUnsubscribing:
    @pytest.fixture(autouse=True)
    def _one_minute(self, monkeypatch: pytest.MonkeyPatch) -> None:
        moment = time_of_day.time()
        limiter = RateLimiter(clock=lambda: moment)
        monkeypatch.setattr(door, "rates", lambda: limiter)

    def test_ten_times_a_minute_by_a_link(self) -> None:
        page = page_of(sent())
        assert [Client().post(page).status_code for _ in range(12)] == [200] * 10 + [429] * 2
        assert permissions()["for_you"] == "withdrawn"
        assert MessageEvent.objects.count() == 1

    def test_a_mailbox_provider_unsubscribes_many_people_from_one_network(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(door, "POSTS_OF_NETWORK", 5)
        pages = [page_of(sent(f"c{number}")) for number in range(12)]
        assert {Client().post(page, {"List-Unsubscribe": "One-Click"}).status_code for page in pages} == {200}
        assert MessageEvent.objects.filter(kind="unsubscribed").count() == 12

    @pytest.mark.parametrize(("days", "state"), [(29.9, "given"), (30.1, "withdrawn")])
    def test_what_a_stranger_did_is_undone_for_30_days(
        self, monkeypatch: pytest.MonkeyPatch, days: float, state: str
    ) -> None:
        page = page_of(sent())
        text, now = Client().post(page).content.decode(), timezone.now()
        [was] = re.findall(r'name="was" value="([^"]+)"', text)
        monkeypatch.setattr(timezone, "now", lambda: now + timedelta(days=days))
        Client().post(page, {"was": was})
        assert permissions()["for_you"] == state
