"""Pressure: what holds in a sentence, what a draft would have done, publishing with a note, and the way back."""

import re
from collections.abc import Callable
from datetime import time, timedelta
from urllib.parse import parse_qsl

import pytest
from django.test import Client
from django.utils import timezone

from recommendations.models import AuditEntry, Message, PressureRules, Staff
from recommendations.services.campaigns.pressure import rules_now
from recommendations.terms import Role
from tests.push_records import contact
from tests.store.push.test_people import message

pytestmark = pytest.mark.django_db
PAGE = "/campaigns/pressure/"
RULES = {
    "most_email_24": "1", "most_email_168": "2", "most_web_push_24": "", "most_web_push_168": "", "most_all_24": "",
    "most_all_168": "5", "quiet_from": "22:00", "quiet_until": "07:30", "holdout": "5", "per_day": "",
    "price_email": "", "price_web_push": "", "price_webhook": "", "lost_contact": "",
}  # fmt: skip


@pytest.fixture
def publisher(client_of: Callable[[Role], Client]) -> Client:
    return client_of(Role.PUBLISHER)


@pytest.fixture
def sent() -> list[Message]:
    """Three mails to one person, two days apart."""
    rules_now(now=timezone.now() - timedelta(days=40))
    ann = contact("ann")
    every = []
    for days in (6, 4, 2):
        at = (timezone.now() - timedelta(days=days)).replace(hour=12)
        every.append(message(ann, handed_at=at, due_at=at, expires_at=at + timedelta(days=3)))
        Message.objects.filter(pk=every[-1].pk).update(created_at=at)
    return every


def text_of(client: Client, address: str, **more: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", client.get(address, **more).content.decode()).split())


def test_what_holds_is_one_sentence(client_of: Callable[[Role], Client]) -> None:
    sentence = (
        "At most 1 mail a day, 2 notifications a day, 3 mails a week, 5 notifications a week and 5 messages a week "
        "altogether; none between 21:00 and 08:00 where the customer lives; 10% of the customers are never "
        "written to, so that the effect can be seen."
    )
    page = client_of(Role.VIEWER).get(PAGE)
    assert page.context["sentence"] == sentence
    assert "A publisher publishes them" in page.content.decode()


def test_a_draft_in_the_address_says_what_it_would_have_done(publisher: Client, sent: list[Message]) -> None:
    tried = {**RULES, "holdout": "10"}
    for address in (PAGE, f"{PAGE}effect/"):
        page = publisher.get(address, tried)
        assert (page.context["effect"].sent, page.context["effect"].change) == (3, -1)
        assert "1 message fewer would have been sent (−33%)." in page.content.decode()
    assert (
        "Check the marked fields first" in publisher.get(f"{PAGE}effect/", {**tried, "holdout": "90"}).content.decode()
    )
    assert PressureRules.objects.count() == 1
    limits = {"most_email_168": "3", "most_web_push_24": "2", "most_web_push_168": "5"}
    same = {**tried, **limits, "quiet_from": "21:00", "quiet_until": "08:00"}
    assert publisher.get(f"{PAGE}effect/", same).context["nothing_changed"]


def test_the_address_of_a_draft_holds_its_rules_and_nothing_else(client_of: Callable[[Role], Client]) -> None:
    viewer = client_of(Role.VIEWER)
    answer = viewer.post(PAGE, {**RULES, "based_on": "1", "note": "x", "csrfmiddlewaretoken": "s3cret", "look": "yes"})
    path, _mark, query = answer["Location"].partition("?")
    assert (path, dict(parse_qsl(query, keep_blank_values=True))) == (PAGE, RULES)
    assert viewer.get(answer["Location"]).context["form"]["holdout"].value() == "5"


@pytest.mark.parametrize(
    ("limits", "texts"),
    [
        ({"most_email_24": "3", "most_email_168": "2"}, ["“3 mails a day” never counts: “2 mails a week” is used up"]),
        ({"most_email_24": "2", "most_email_168": "2"}, []),
        ({"most_email_168": "6"}, ["“6 mails a week” never counts: “5 messages a week altogether” is used up"]),
        ({"most_all_24": "1", "most_email_168": "4"}, []),
    ],
)  # fmt: skip
def test_a_limit_that_never_counts_is_said(publisher: Client, limits: dict[str, str], texts: list[str]) -> None:
    tried = {**RULES, **limits}
    publisher.get(PAGE)
    for page in (publisher.get(PAGE, tried), publisher.get(f"{PAGE}effect/", tried)):
        assert [text in page.content.decode() for text in texts] == [True] * len(texts)
        assert page.content.decode().count("never counts") == len(texts)
    publisher.post(PAGE, {**tried, "based_on": "1", "note": "Try"})
    assert publisher.get(PAGE).content.decode().count("never counts") == len(texts)


def test_a_price_and_the_worth_of_a_contact_keep_back_what_does_not_bring_them(
    publisher: Client, sent: list[Message]
) -> None:
    Message.objects.update(value=0.02)
    free = {**RULES, "most_email_168": "3", "holdout": "10", "quiet_from": "21:00", "quiet_until": "08:00"}
    for more, change in (({"price_email": "0.01"}, 0), ({"price_email": "0.03"}, -3), ({"lost_contact": "20"}, -3)):
        assert publisher.get(f"{PAGE}effect/", {**free, **more}).context["effect"].change == change
    publisher.post(PAGE, {**free, "price_email": "0.015", "lost_contact": "12.5", "based_on": "1", "note": "It costs"})
    live = rules_now(now=timezone.now())
    assert (live.prices, live.lost_contact) == ({"email": 0.015}, 12.5)
    page = text_of(publisher, PAGE)
    assert "a message costs: E-mail $0.0150; a contact that leaves costs $12.50." in page
    for name, value in (("price_email", "101"), ("lost_contact", "-1")):
        answer = publisher.post(PAGE, {**free, name: value, "based_on": "2", "note": "x"})
        assert (answer.status_code, list(answer.context["form"].errors)) == (422, [name])


def test_rules_are_published_with_a_note_and_taken_back(publisher: Client) -> None:
    publisher.get(PAGE)
    answer = publisher.post(PAGE, {**RULES, "based_on": "1", "note": "Fewer is more"}, follow=True)
    assert answer.redirect_chain == [(PAGE, 302)]
    live = rules_now(now=timezone.now())
    assert (live.number, live.note, live.holdout, live.quiet_until) == (2, "Fewer is more", 0.05, time(7, 30))
    assert live.caps == [
        {"channel": "email", "most": 1, "hours": 24}, {"channel": "email", "most": 2, "hours": 168},
        {"channel": None, "most": 5, "hours": 168},
    ]  # fmt: skip
    assert ("Never written to", "10%", "5%") in answer.context["versions"][0].changes
    [token] = re.findall(r'name="token" value="([^"]+)"', answer.content.decode())
    publisher.post("/undo/", {"token": token, "back": PAGE})
    assert (rules_now(now=timezone.now()).number, rules_now(now=timezone.now()).holdout) == (3, 0.1)
    assert [entry.verb for entry in AuditEntry.objects.filter(object_type="pressurerules")] == ["publish"] * 2
    again = publisher.post("/undo/", {"token": token, "back": PAGE}, follow=True)
    assert "so nothing was undone" in again.content.decode()
    assert "Rules of pressure" in publisher.get("/activity/?type=pressurerules").content.decode()


def test_an_earlier_version_can_be_published_again(publisher: Client) -> None:
    publisher.get(PAGE)
    publisher.post(PAGE, {**RULES, "based_on": "1", "note": "Fewer"})
    assert f"{PAGE}?like=1" in publisher.get(PAGE).content.decode()
    form = publisher.get(PAGE, {"like": "1"}).context["form"]
    assert (form["most_email_168"].value(), form["holdout"].value()) == (3, "10")
    assert publisher.get(PAGE, {"like": "99"}).context["form"]["holdout"].value() == "5"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("most_email_24", "0"), ("most_all_168", "51"), ("most_email_168", "x"), ("quiet_from", ""),
        ("quiet_until", "25:00"), ("holdout", "51"), ("holdout", "nan"), ("per_day", "0"), ("per_day", "9" * 12),
    ],
)  # fmt: skip
def test_what_cannot_be_says_so_at_its_field_and_nothing_is_lost(publisher: Client, field: str, value: str) -> None:
    sent = {**RULES, field: value, "based_on": "1", "note": "Try <this>"}
    answer = publisher.post(PAGE, sent)
    assert answer.status_code == 422
    assert list(answer.context["form"].errors) == [field]
    assert "Try &lt;this&gt;" in answer.content.decode()
    assert answer.context["form"]["most_all_24"].value() == ""
    assert PressureRules.objects.filter(number__gt=1).count() == 0


def test_a_note_is_needed_and_a_publication_meanwhile_is_seen(publisher: Client) -> None:
    publisher.get(PAGE)
    assert publisher.post(PAGE, {**RULES, "based_on": "1", "note": " "}).status_code == 422
    publisher.post(PAGE, {**RULES, "based_on": "1", "note": "First"})
    mine = {**RULES, "holdout": "20", "based_on": "1", "note": "Second"}
    answer = publisher.post(PAGE, mine)
    assert answer.status_code == 409
    assert answer.context["differences"] == [("Never written to", "5%", "20%")]
    assert publisher.post(PAGE, {**mine, "based_on": "2"}).status_code == 302
    assert rules_now(now=timezone.now()).number == 3


def test_only_publishers_publish(client_of: Callable[[Role], Client]) -> None:
    for role in Role:
        answer = client_of(role).post(PAGE, {**RULES, "based_on": "1", "note": "x"})
        assert (answer.status_code == 403) is (role not in {Role.PUBLISHER, Role.ADMIN}), role
    assert Staff.objects.count() == len(Role)


def test_the_proof_stands_on_a_page_with_its_query(publisher: Client, sent: list[Message]) -> None:
    text = text_of(publisher, f"{PAGE}proof/")
    assert "0 of 3 messages broke a rule." in text
    assert "FROM recommendations_message message" in text
    part = publisher.get(f"{PAGE}proof/", headers={"HX-Request": "true"}).content.decode()
    assert "<html" not in part
