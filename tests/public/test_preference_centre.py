"""The preference centre: every act by its form, what is said of it, and its undoing; who may come in, and how often."""

import random
import re
import time as time_of_day
from collections.abc import Callable
from datetime import time, timedelta
from hashlib import sha256

import pytest
from django.conf import settings as site
from django.test import Client
from django.utils import timezone, translation
from django.utils.html import escape
from pytest_django import DjangoAssertNumQueries

from recommendations.models import ConsentStatement, Contact, Customer, Suppression
from recommendations.public import door
from recommendations.push_terms import Channel, SuppressionReason
from recommendations.services.access.rates import RateLimiter
from recommendations.services.contacts.tokens import LASTS, MINUTE, LinkKind, SignedLink, token_of
from recommendations.store.contacts import silence
from recommendations.wording import push_labels
from tests.public.pages import HEADERS, UNKNOWN, contact, do, page_of, rows, shown, states, undone

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("valkey")]

ACTS: dict[str, tuple[dict[str, str], str, Callable[[], bool]]] = {
    "off": (
        {"act": "purpose", "purpose": "for_you", "on": "no"},
        "You are unsubscribed from “Recommendations for you”. No more of it will be sent.",
        lambda: states() == {"for_you": "withdrawn", "news": "refused"},
    ),
    "on": (
        {"act": "purpose", "purpose": "news", "on": "yes"},
        "You said yes to “News and offers for everybody”.",
        lambda: states() == {"for_you": "given", "news": "given"},
    ),
    "limit": (
        {"act": "limit", "most": "1"},
        "You get at most 1 mail a week.",
        lambda: Contact.objects.get().most_a_week == 1,
    ),
    "pause": (
        {"act": "pause"},
        "Paused: nothing is sent until ",
        lambda: Contact.objects.filter(paused_until__gt=timezone.now() + timedelta(days=27)).exists(),
    ),
    "quiet": (
        {"act": "quiet", "quiet_from": "22:00", "quiet_until": "07:00", "time_zone": "Asia/Tokyo"},
        "Nothing is sent between 22:00 and 07:00 (Asia/Tokyo).",
        lambda: Contact.objects.filter(quiet_from=time(22), quiet_until=time(7), time_zone="Asia/Tokyo").exists(),
    ),
    "zone": (
        {"act": "quiet", "time_zone": "Europe/Paris"},
        "There are no quiet hours. Your time zone is Europe/Paris.",
        lambda: Contact.objects.get().time_zone == "Europe/Paris",
    ),
    "traits": (
        {"act": "traits", "on": "no"},
        "What you bought and looked at is no longer used. Recommendations and reminders are not sent any more.",
        lambda: not Customer.objects.get().personalise,
    ),
    "stop": (
        {"act": "stop"},
        "Everything is stopped. Nothing more will be sent to you.",
        lambda: states() == {"for_you": "withdrawn", "news": "refused"} and Suppression.objects.exists(),
    ),
}


@pytest.mark.parametrize("name", ACTS)
def test_every_act_says_what_is_so_now_and_is_undone(name: str) -> None:
    form, words, is_so = ACTS[name]
    page = page_of(contact())
    assert not is_so()
    text = do(page, **form)
    assert escape(words) in text
    assert is_so()
    text = undone(page, text)
    assert "Undone: everything is as it was before." in text
    assert ">Redo</button>" in text
    assert not is_so()
    text = undone(page, text)  # and that, too
    assert escape(words) in text
    assert ">Undo</button>" in text
    assert is_so()


def test_a_pause_ends_and_a_limit_goes() -> None:
    address = contact()
    Contact.objects.update(paused_until=timezone.now() + timedelta(days=3), most_a_week=3)
    page = page_of(address)
    assert 'value="3" checked' in shown(Client().get(page))
    assert "You get at most 3 mails a week." in do(page, act="limit", most="3")
    assert "End the pause" in shown(Client().get(page))
    assert "The pause is over." in do(page, act="go_on")
    assert "You have set no limit." in do(page, act="limit", most="none")
    assert Contact.objects.values_list("paused_until", "most_a_week").get() == (None, None)


def test_what_an_act_has_led_to_is_said_only_while_it_is_so() -> None:
    page = page_of(contact())
    after = Client().post(page, {"act": "limit", "most": "1"})["Location"]
    assert "You get at most 1 mail a week." in shown(Client().get(after))
    do(page, act="limit", most="none")
    text = shown(Client().get(after))
    assert "at most 1 mail" not in text
    assert 'value="undo"' not in text


@pytest.mark.parametrize(
    "form",
    [
        {},
        {"act": "sing"},
        {"act": "purpose", "purpose": "war", "on": "no"},
        {"act": "purpose", "purpose": "news", "on": "perhaps"},
        {"act": "traits"},
        {"act": "limit", "most": "0"},
        {"act": "limit", "most": "8"},
        {"act": "limit"},
        {"act": "quiet", "quiet_from": "22:00"},
        {"act": "quiet", "quiet_from": "22:00", "quiet_until": "22:00"},
        {"act": "quiet", "quiet_from": "late", "quiet_until": "07:00"},
        {"act": "quiet", "time_zone": "Mars/Olympus"},
        {"act": "quiet", "time_zone": "../../etc/passwd"},
        {"act": "undo"},
        {"act": "undo", "was": "x" * 500},
        {"act": "undo", "was": "\x00"},
    ],
)
def test_a_form_that_makes_no_sense_changes_nothing_and_says_so(form: dict[str, str]) -> None:
    page = page_of(contact())
    before = rows()
    answer = Client().post(page, form)
    assert answer.status_code == 400
    assert 'role="alert"' in answer.content.decode()
    assert rows() == before


def test_an_act_of_somebody_else_is_not_undone_here() -> None:
    page, other = page_of(contact()), page_of(contact(user_id="u2"))
    [was] = re.findall(r'name="was" value="([^"]+)"', do(page, act="stop"))
    before = rows()
    assert Client().post(other, {"act": "undo", "was": was}).status_code == 400
    assert rows() == before


def test_the_page_tells_neither_the_whole_address_nor_what_was_bought(
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    page = page_of(contact())
    with django_assert_max_num_queries(12):
        text = shown(Client().get(page))
    assert "u•••@example.com" in text
    assert "u1@example.com" not in text
    assert "<script" not in text
    assert len(text) < 60_000


def test_a_yes_is_proved_by_the_text_that_stood_there_in_the_language_that_was_read() -> None:
    page = page_of(contact(language="en"))
    do(page, act="purpose", purpose="reminders", on="yes")
    do(f"{page}?language=zh-hans", act="purpose", purpose="news", on="yes")
    proofs = dict(ConsentStatement.objects.filter(source="preferences").values_list("purpose", "proof"))
    expected = {"form": "preferences", "text_version": push_labels.TEXT_VERSION}
    assert proofs == {"reminders": {**expected, "language": "en"}, "news": {**expected, "language": "zh-hans"}}


def test_other_texts_of_purposes_are_another_version() -> None:
    texts = []
    for code, _name in site.LANGUAGES:
        with translation.override(code):
            texts += [str(text) for _code, text in [*push_labels.PURPOSES, *push_labels.PURPOSE_SENTENCES]]
    assert (push_labels.TEXT_VERSION, sha256("\n".join(texts).encode()).hexdigest()[:16]) == ("1", "2c36afdd54d18172")


def test_it_says_why_nothing_is_sent() -> None:
    waiting = contact(confirmed=False)
    text = shown(Client().get(page_of(waiting)))
    assert "This address waits to be confirmed" in text
    assert "Waits for you to confirm your address." in text
    stopped = contact(user_id="u2")
    assert "Switch something on to hear from us again." in do(page_of(stopped), act="stop")
    reported = contact(user_id="u3")
    silence.silence(Channel.EMAIL, bytes(reported.digest), reason=SuppressionReason.COMPLAINT, now=timezone.now())
    assert "Nothing is sent to this address any more" in shown(Client().get(page_of(reported)))
    objects = contact(user_id="u4")
    text = do(page_of(objects), act="traits", on="no")
    assert "Not sent, as what you did is not to be used (below)." in text
    assert "You get no mails from us at the moment." in text


def test_both_languages_without_a_cookie() -> None:
    page = page_of(contact(language="zh-CN"))
    answer = Client().get(page, headers={"Accept-Language": "en"})
    assert (answer["Content-Language"], '<html lang="zh-hans">' in shown(answer)) == ("zh-hans", True)
    assert "邮件设置" in shown(answer)
    english = Client().get(f"{page}?language=en")
    assert "Your mails" in shown(english)
    assert not english.cookies
    after = Client().post(f"{page}?language=en", {"act": "stop"})
    assert "language=en" in after["Location"]
    said_now = shown(Client().get(after["Location"]))
    assert "Everything is stopped. Nothing more will be sent to you." in said_now
    [other] = re.findall(r'<a href="([^"]+)" lang="zh-hans"', said_now)
    assert "不会再向您发送任何消息。" in shown(Client().get(other.replace("&amp;", "&")))
    assert "Your mails" not in shown(Client().get(f"{page}?language=fr"))
    assert Contact.objects.get().language == "zh-hans"


@pytest.mark.parametrize("kind", [LinkKind.PREFERENCES, LinkKind.CONFIRM, LinkKind.OWN_DATA])
def test_looking_changes_nothing_sets_no_cookie_and_leaves_no_trace(kind: LinkKind) -> None:
    page = page_of(contact(confirmed=kind is not LinkKind.CONFIRM), kind)
    before = rows()
    for answer in (Client().get(page), Client().head(page), Client().get(f"{page}?act=stop&on=no&was=x&sent=data")):
        assert answer.status_code == 200
        assert {name: answer[name] for name in HEADERS} == HEADERS
        assert answer["Content-Security-Policy"] == (
            "default-src 'none'; style-src 'self'; img-src data:; form-action 'self'; base-uri 'none'; "
            "frame-ancestors 'none'"
        )
        assert not answer.cookies
    for method in ("put", "patch", "delete", "options"):
        answer = getattr(Client(), method)(page)
        assert answer.status_code == 405
        assert {name: answer[name] for name in HEADERS} == HEADERS
    assert rows() == before


def test_no_csrf_token_and_no_login_are_asked_for() -> None:
    page = page_of(contact())
    answer = Client(enforce_csrf_checks=True).post(page, {"act": "stop"}, headers={"Origin": "null"})
    assert answer.status_code == 302
    assert not answer.cookies


def test_a_link_that_is_not_ours_is_like_one_that_was_never_there() -> None:
    """Forged, cut, swapped, aged, void, of another kind, of nobody: one answer, and nothing is changed."""
    now, rng = timezone.now(), random.Random(4)
    address = contact()
    token = token_of(SignedLink(LinkKind.PREFERENCES, address.pk), now=now)
    other = token_of(SignedLink(LinkKind.PREFERENCES, address.pk + 1), now=now)
    tokens = {
        other,  # rightly signed, of nobody
        f"{other.partition('.')[0]}.{token.partition('.')[2]}",
        token_of(SignedLink(LinkKind.PREFERENCES, address.pk, generation=1), now=now),
        token_of(SignedLink(LinkKind.PREFERENCES, address.pk), now=now - LASTS[LinkKind.PREFERENCES] - 2 * MINUTE),
        *(token_of(SignedLink(kind, address.pk), now=now) for kind in LinkKind if kind is not LinkKind.PREFERENCES),
        token[:-1], token + "A", "x", ".", "ü", "%00", "a b",
    }  # fmt: skip
    while len(tokens) < 1_000:
        text = list(token)
        for _ in range(rng.randrange(1, 4)):
            text[rng.randrange(len(text))] = rng.choice("ABCDEFabcdef0123456789-_.=")
        tokens.add("".join(text[: rng.choice((len(text), rng.randrange(1, len(text))))]))
    tokens.discard(token)
    before, client, answers = rows(), Client(), set()
    for forged in tokens:
        answer = client.get(f"/m/p/{forged}/")
        answers.add((answer.status_code, re.sub(r'href="[^"]*"', "", answer.content.decode())))
    [(status, text)] = answers
    assert (status, UNKNOWN in text) == (404, True)
    for number, forged in enumerate(sorted(tokens)[:50]):
        answer = client.post(f"/m/p/{forged}/", {"act": "stop"}, REMOTE_ADDR=f"10.0.0.{number}")
        assert answer.status_code == 404
        assert {name: answer[name] for name in HEADERS} == HEADERS
        assert UNKNOWN in answer.content.decode()
    assert rows() == before
    assert client.get(f"/m/p/{token}/").status_code == 200


def test_other_addresses_of_these_pages_are_unknown_links() -> None:
    for path in ("/m/", "/m/p/", "/m/x/y/", "/m/u/token/", "/m/p/a/b/"):
        answer = Client().get(path)
        assert (answer.status_code, UNKNOWN in answer.content.decode()) == (404, True), path
        assert {name: answer[name] for name in HEADERS} == HEADERS


def test_a_link_that_lost_its_last_slash_still_works() -> None:
    page = page_of(contact())
    answer = Client().get(page.rstrip("/"))
    assert (answer.status_code, answer["Location"]) == (301, page)


def test_ten_forms_a_minute_of_a_link_and_sixty_of_a_network(monkeypatch: pytest.MonkeyPatch) -> None:
    moment = time_of_day.time()
    limiter = RateLimiter(clock=lambda: moment)  # no minute ends meanwhile
    monkeypatch.setattr(door, "rates", lambda: limiter)
    page = page_of(contact())
    statuses = [Client().post(page, {"act": "limit", "most": "1"}).status_code for _ in range(11)]
    assert statuses == [302] * 10 + [429]
    also_no = {"act": "limit", "most": "1", "purpose": "for_you", "on": "no"}  # a no beside another deed is none
    assert Client().post(page, also_no).status_code == 429
    before = rows()
    answer = Client().post(page, {"act": "limit", "most": "none"})
    assert 0 < int(answer["Retry-After"]) <= 60
    assert "too much within one minute" in answer.content.decode()
    assert {name: answer[name] for name in HEADERS} == HEADERS
    assert rows() == before
    assert Client().get(page).status_code == 200
    for number in range(47):  # beside those above
        assert Client().post(f"/m/p/{number}/", {"act": "stop"}).status_code == 404
    assert Client().post("/m/p/x/", {"act": "stop"}).status_code == 429
    assert Client().post("/m/p/x/", {"act": "stop"}, REMOTE_ADDR="10.1.1.1").status_code == 404
    for no in ({"act": "purpose", "purpose": "for_you", "on": "no"}, {"act": "pause"}, {"act": "stop"}):
        assert Client().post(page, no).status_code == 302  # a no is never too much
    assert set(states().values()) <= {"withdrawn", "refused"}
