"""*My data*, behind a link from the shop: seen in words, taken along, objected to, erased by a typed word."""

import io
import re
import zipfile
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.conf import LazySettings
from django.http import StreamingHttpResponse
from django.test import Client
from django.utils import timezone

from recommendations.models import AuditEntry, Customer, CustomerAlias, Item, PrivacyRequest, StatedTaste
from recommendations.privacy_terms import RequestState
from recommendations.services.contacts.links import path_of
from recommendations.services.contacts.tokens import LinkKind, SignedLink
from recommendations.services.privacy.holds import hold
from recommendations.services.privacy.own_links import own_address
from recommendations.services.privacy.sealed import PersonIds
from recommendations.services.privacy.work import do_request
from recommendations.store.holders import registry
from recommendations.store.holders.protocol import Subject
from recommendations.store.live.valkey import ValkeyAwayError
from recommendations.terms import CustomerKind, Scope
from tests.api.conftest import ApiClient, problem
from tests.privacy_holders import JoinHolder, TasteHolder, somebody
from tests.public.pages import HEADERS, UNKNOWN, contact, page_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("valkey")]

LINK = "/api/v1/users/privacy-link/"
FILE = "All that is held about you"


@pytest.fixture(autouse=True)
def _holders(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "HOLDERS", (TasteHolder(), JoinHolder()))


@pytest.fixture
def server(client_with: Callable[..., ApiClient]) -> ApiClient:
    return client_with(Scope.PRIVACY_WRITE)


def page_from(server: ApiClient, user_id: str = "u1", **more: Any) -> str:
    given: Any = server.post(LINK, {"user_id": user_id, **more})
    assert given.status_code == 200, given.content
    return urlsplit(given.json()["url"]).path


def seen(page: str, **form: str) -> str:
    answer = Client().post(page, form) if form else Client().get(page)
    assert answer.status_code == 200, answer.content
    return answer.content.decode()


def work() -> None:
    for request in PrivacyRequest.objects.filter(closed_at=None):
        do_request(request.pk)


def test_the_shop_gets_a_link_that_lasts_as_long_as_it_says(
    server: ApiClient, settings: LazySettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.PUBLIC_URL = "https://recsite.example"
    somebody("u1")
    answer: Any = server.post(LINK, {"user_id": "u1", "minutes": 5, "lang": "zh-hans"})
    given, now = answer.json(), timezone.now()
    assert given["url"].startswith("https://recsite.example/m/m/")
    assert answer["Cache-Control"] == "no-store"
    until = timezone.datetime.fromisoformat(given["valid_until"])
    assert timedelta(minutes=4) <= until - now <= timedelta(minutes=5)
    address = "{0.path}?{0.query}".format(urlsplit(given["url"]))
    assert "我的数据" in seen(address)
    for moment, status in ((until, 200), (until + timedelta(seconds=1), 404)):
        monkeypatch.setattr(timezone, "now", lambda moment=moment: moment)
        assert Client().get(address).status_code == status


@pytest.mark.parametrize(
    ("body", "pointer"),
    [({}, ""), ({"user_id": ""}, "/user_id"), ({"user_id": "u1", "minutes": 61}, "/minutes"),
     ({"user_id": "u1", "minutes": 4}, "/minutes"), ({"user_id": "u1", "lang": "xx"}, "/lang"),
     ({"user_id": "u1", "extra": 1}, "")],
)  # fmt: skip
def test_what_is_asked_wrongly_is_refused(server: ApiClient, body: dict[str, Any], pointer: str) -> None:
    [flaw] = problem(server.post(LINK, body), 400)["errors"]
    assert flaw["pointer"].startswith(pointer)


def test_an_id_that_nobody_knows_gets_a_page_that_says_so(server: ApiClient) -> None:
    page = page_from(server, "nobody")
    assert "Nothing is held about you" in seen(page)
    assert "Nothing is held about you" in seen(page, act="erase_all", word="ERASE")
    assert not PrivacyRequest.objects.exists()


def test_it_says_in_words_what_is_held_and_for_what(server: ApiClient) -> None:
    somebody("u1", "a1")
    page = page_from(server)
    assert "entries" not in seen(page)  # it is counted when somebody asks
    text = seen(page, act="show")
    assert re.search(r"Interests and segments <span class=\"note\">2 entries", text)
    for words in ("To recommend what suits the customer.", "tags, categories, stated_at", "Write the file"):
        assert words in text
    assert {name: Client().get(page_from(server))[name] for name in HEADERS} == HEADERS


def test_the_file_is_asked_for_once_and_downloaded(server: ApiClient) -> None:
    somebody("u1")
    page = page_from(server)
    assert "Look again" in seen(page, act="export")
    seen(page_from(server), act="export")
    [request] = PrivacyRequest.objects.all()
    assert "Look again" in seen(page, act="download")  # it is not written yet
    work()
    assert "Download everything" in seen(page)
    answer: Any = Client().post(page, {"act": "download"})
    assert isinstance(answer, StreamingHttpResponse)
    assert answer["Content-Disposition"] == 'attachment; filename="my-data.zip"'
    content = io.BytesIO(b"".join(answer.streaming_content))  # type: ignore[arg-type]
    assert "interests/tastes.csv" in zipfile.ZipFile(content).namelist()
    verbs = AuditEntry.objects.filter(object_id=str(request.pk)).order_by("pk").values_list("verb", flat=True)
    assert list(verbs) == ["ask own", "download own"]
    PrivacyRequest.objects.update(file_until=timezone.now())
    assert "The file is no longer there." in seen(page, act="download")


def test_an_objection_is_said_and_taken_back_here(server: ApiClient) -> None:
    customer = somebody("u1")
    page = page_from(server)
    assert "Nothing that you do is used" in seen(page, act="object")
    customer.refresh_from_db()
    assert not customer.personalise
    seen(page, act="allow")
    customer.refresh_from_db()
    assert customer.personalise


def test_erasure_takes_a_typed_word_on_a_second_page_and_happens_once(server: ApiClient) -> None:
    customer = somebody("u1", "a1")
    page = page_from(server)
    assert "Type “erase”" in seen(page, act="sure")
    for word in ("", "yes", "ERASE it"):
        assert Client().post(page, {"act": "erase_all", "word": word}).status_code == 400
    assert not PrivacyRequest.objects.exists()
    other = page_from(server, minutes=60)
    first, *again = [seen(link, act="erase_all", word=word)
                     for link, word in ((page, " erase "), (page, "删除"), (other, "ERASE"))]  # fmt: skip
    [request] = PrivacyRequest.objects.all()
    assert str(request.pk) in first
    assert all(str(request.pk) in each for each in again)
    assert "Your data are being erased." in seen(page)
    work()
    assert not Customer.objects.filter(pk=customer.pk, erased_at=None).exists()
    assert not StatedTaste.objects.exists()
    gone = Client().post(page, {"act": "erase_all", "word": "ERASE"})
    assert (gone.status_code, UNKNOWN in gone.content.decode()) == (404, True)
    [request] = PrivacyRequest.objects.all()
    assert request.receipts.earliest("serial").document["asked_by"] == {"role": "customer"}


def test_a_link_of_an_answer_shows_how_much_there_is_and_no_more() -> None:
    customer = somebody("u1")
    page = urlsplit(own_address(LinkKind.MY_DATA, customer.pk, now=timezone.now())).path
    text = seen(page, act="show")
    assert "1 entry" in text
    for words in ("Write the file", "Erase everything"):
        assert words not in text
    for act in ("export", "download", "sure", "erase_all", "file", "erase"):
        seen(page, act=act, word="ERASE")
    assert not PrivacyRequest.objects.exists()


def test_a_visitor_who_signed_in_leaves_no_way_to_the_customer() -> None:
    visitor = Customer.objects.create(pseudonym=b"v" * 32, kind=CustomerKind.ANONYMOUS)
    page = urlsplit(own_address(LinkKind.MY_DATA, visitor.pk, now=timezone.now())).path
    assert Client().get(page).status_code == 200
    CustomerAlias.objects.create(anonymous=visitor, customer=somebody("u1"), source="api")
    assert Client().get(page).status_code == 404


def test_without_keys_the_page_says_whom_to_ask(server: ApiClient, settings: LazySettings) -> None:
    settings.EXPORT_KEYS = []
    somebody("u1")
    page = page_from(server)
    assert "For a file of everything, please ask the shop." in seen(page)
    assert "This cannot be done at the moment." in seen(page, act="export")


def test_a_mailed_link_shows_all_as_the_address_was_confirmed() -> None:
    address = contact()
    StatedTaste.objects.create(customer_id=address.contact_id, tags=["tea"])
    page = page_of(address, LinkKind.OWN_DATA)
    assert "Interests and segments" in seen(page, act="show")
    text = seen(page)
    assert "u•••@example.com" in text
    assert ("Write the file" in text, "Erase everything" in text) == (True, True)
    seen(page, act="export")
    assert PrivacyRequest.objects.filter(kind="export").count() == 1
    assert all(each.state is RequestState.RECEIVED for each in PrivacyRequest.objects.all())


class AwayHolder(TasteHolder):
    def find(self, subject: Subject) -> int:
        raise ValkeyAwayError


def test_who_asks_while_a_place_is_away_is_told_to_come_again(
    server: ApiClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    somebody("u1")
    monkeypatch.setattr(registry, "HOLDERS", (AwayHolder(),))
    text = seen(page_from(server), act="show")
    assert "This cannot be counted at the moment." in text
    assert "Erase everything" in text


@pytest.mark.parametrize(
    ("kind", "minutes"),
    [(LinkKind.MY_DATA, 60), (LinkKind.MY_DATA, 0), (LinkKind.DISLIKE, 0), (LinkKind.OBJECT, 0)],
)
def test_a_look_at_a_page_costs_twelve_queries_at_most(
    kind: LinkKind, minutes: int, django_assert_max_num_queries: Any
) -> None:
    address, item = contact(confirmed=True), Item.objects.create(shop_id="tea", title="Tea")
    link = SignedLink(kind, address.contact_id, item=item.pk, minutes=minutes)
    pages = [path_of(link, now=timezone.now()), page_of(address, LinkKind.OWN_DATA)]
    for page in pages:
        with django_assert_max_num_queries(12):
            seen(page)


def test_who_is_held_is_told_that_the_erasure_waits(server: ApiClient) -> None:
    whose = somebody("u1")
    hold(PersonIds(user_id="u1"), reason="case 12", until=None, by=None, now=timezone.now())
    page = page_from(server)
    told = seen(page, act="erase_all", word="ERASE")
    assert "The law obliges the shop" in told
    assert "Within moments" not in told
    work()
    assert Customer.objects.get(pk=whose.pk).erased_at is None
    assert "The law obliges the shop" in seen(page)
