"""The public page and the open address of the API: what is stated, in both languages, kept by caches, for everybody."""

from datetime import timedelta
from html import unescape

import pytest
from django.test import Client
from pytest_django.fixtures import Settings

from recommendations.models import RecommendationStatement
from recommendations.services.access import readers
from recommendations.services.access.rates import RateLimiter
from recommendations.services.access.readers import READS
from recommendations.services.statements import state_at_start, statement_now
from recommendations.store.models import weight_versions
from recommendations.store.models.weight_versions import Made
from recommendations.terms import BlendName, ExperimentKind
from tests.experiment_records import NOW, experiment

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("valkey", "two_versions")]

PAGE, API = "/how-we-recommend/", "/api/v1/main-parameters/"
ENGLISH = "We weigh most: what you buy again and again (70%), what goes with what you bought (30%)."
CHINESE = "主要依据：您经常回购的商品（70%）、与您所购商品相配的商品（30%）。"  # noqa: RUF001


@pytest.fixture
def two_versions() -> None:
    RecommendationStatement.objects.all().delete()
    state_at_start()
    made = Made(weights={"buy_again": 0.7, "ease_home": 0.3}, reason="test")
    weight_versions.append_weights(blend=BlendName.HOME, made=made, author=None, now=NOW, publish=True)


def page(query: str = "", **headers: str) -> str:
    answer = Client().get(f"{PAGE}{query}", headers=headers)
    assert answer.status_code == 200
    return unescape(answer.content.decode())


def test_the_text_stands_there_in_the_language_that_is_asked_for(settings: Settings) -> None:
    settings.SHOP_NAME = "Tea & Bread"
    assert ENGLISH in page()
    assert CHINESE in page("?lang=zh-hans")
    assert CHINESE in page(**{"Accept-Language": "zh-CN, en;q=0.5"})
    assert ENGLISH in page("?lang=en", **{"Accept-Language": "zh-CN"})
    assert "Tea & Bread" in page()
    for said in (
        "No addresses, no texts of e-mails",
        "You can object",
        "The shop has set no rules",
        "No test that changes what you see is running",
    ):
        assert said in page()


def test_a_test_in_which_everybody_sees_the_same_is_not_denied() -> None:
    """An A/A test runs, and changes nothing that is said here."""
    experiment(kind=ExperimentKind.AA)
    state_at_start()
    assert "No test that changes what you see is running" in page()
    assert "会改变您所见内容的测试" in page("?lang=zh-hans")


def test_versions_are_listed_and_what_differs_is_said_in_words() -> None:
    text = page()
    assert "What differs from version 1" in text
    assert f"New: {ENGLISH}" in text
    assert "No longer: We do not know enough yet to weigh anything: you see what is popular." in text
    assert "Version 1 of" in text
    former = page("?version=1")
    assert "It no longer holds." in former
    assert ENGLISH not in former
    assert "What differs from version 2" in page("?version=1&against=2")
    for wrong in ("7", "0", "-1", "x", "9" * 40, "²", "１"):  # noqa: RUF001
        assert Client().get(PAGE, {"version": wrong}).status_code == 404
        assert "What differs" not in page(f"?against={wrong}")


@pytest.mark.parametrize("address", [PAGE, API])
def test_caches_keep_it_for_five_minutes_and_ask_whether_it_is_the_same(address: str) -> None:
    answer = Client().get(address)
    assert answer["Cache-Control"] == "public, max-age=300"
    assert "Accept-Language" in answer["Vary"]
    assert "Cookie" not in answer["Vary"]
    assert not answer.cookies
    same = Client().get(address, headers={"If-None-Match": answer["ETag"]})
    assert (same.status_code, same.content) == (304, b"")
    assert Client().get(address, {"lang": "zh-hans"})["ETag"] != answer["ETag"]
    made = Made(weights={"buy_again": 0.6, "ease_home": 0.4}, reason="test")
    weight_versions.append_weights(blend=BlendName.HOME, made=made, author=None, now=NOW, publish=True)
    assert Client().get(address, headers={"If-None-Match": answer["ETag"]}).status_code == 200


@pytest.mark.parametrize("address", [PAGE, API])
def test_a_network_may_ask_sixty_times_a_minute(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    limiter = RateLimiter(clock=lambda: 1_800_000_000.0)  # no minute ends meanwhile
    monkeypatch.setattr(readers, "rates", lambda: limiter)
    client = Client(REMOTE_ADDR="192.0.2.7")
    assert {client.get(address).status_code for _ in range(READS)} == {200}
    refused = client.get(address)
    assert (refused.status_code, refused["Retry-After"]) == (429, "60")
    assert Client(REMOTE_ADDR="192.0.2.8").get(address).status_code == 200


def test_the_page_runs_nothing_and_takes_nothing() -> None:
    answer = Client().get(PAGE)
    policy = answer["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "form-action 'none'" in policy
    assert "script-src" not in policy
    assert b"<script" not in answer.content
    assert b"<form" not in answer.content
    assert Client().post(PAGE).status_code == 405
    assert Client().head(PAGE).status_code == 200


def test_the_api_gives_sentences_and_the_numbers_behind_them() -> None:
    body = Client().get(API, {"lang": "zh-hans"}).json()
    assert (body["number"], body["lang"]) == (2, "zh-hans")
    assert CHINESE in [sentence for section in body["sections"] for sentence in section["sentences"]]
    assert body["page"].endswith(PAGE)
    home = next(each for each in body["parameters"]["orders"] if "home" in each["placements"])
    assert home["mix"]["parts"] == [["again", 70], ["fitting", 30]]


@pytest.mark.parametrize("address", [PAGE, API])
def test_an_answer_names_the_language_that_it_is_in(address: str) -> None:
    for language in ("zh-hans", "en"):
        answer = Client().get(address, {"lang": language})
        assert answer["Content-Language"] == language
        same = Client().get(address, {"lang": language}, headers={"If-None-Match": answer["ETag"]})
        assert (same.status_code, same["Content-Language"]) == (304, language)
    chosen = Client().get(address, headers={"Accept-Language": "zh-CN"})
    assert chosen["Content-Language"] == "zh-hans"


def test_a_moment_has_the_statement_that_held_then() -> None:
    now = statement_now()
    assert now is not None
    later = now.at + timedelta(seconds=1)
    assert Client().get(API, {"at": later.isoformat()}).json()["number"] == 2
    assert Client().get(API, {"at": "2001-01-01T00:00:00Z"}).status_code == 404
    for name, wrong in (("at", "yesterday"), ("at", "2026-01-01T00:00:00"), ("lang", "de"), ("version", "1")):
        answer = Client().get(API, {name: wrong})
        assert answer.status_code == 400
        assert [flaw["pointer"] for flaw in answer.json()["errors"]] == [name]


def test_without_a_statement_the_page_says_so() -> None:
    RecommendationStatement.objects.all().delete()
    assert Client().get(PAGE).status_code == 404
    assert Client().get(API).status_code == 404
