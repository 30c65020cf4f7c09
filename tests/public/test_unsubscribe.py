"""One-click unsubscribe as RFC 8058 has it: one POST is enough, opening changes nothing, and it can be undone."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from recommendations.models import ConsentStatement, Contact, Message, MessageEvent, Permission
from recommendations.push_terms import Channel, MessageState, Purpose
from recommendations.services.contacts.links import path_of
from recommendations.services.contacts.tokens import LinkKind, SignedLink
from tests.push_records import campaign, contact

pytestmark = pytest.mark.django_db


def sent(name: str = "ann", *, purpose: Purpose = Purpose.FOR_YOU, **fields: Any) -> Message:
    occurrence, address, now = campaign(f"{purpose} {name}", purpose=purpose), contact(name), timezone.now()
    values = {
        "campaign": occurrence.campaign, "version": occurrence.version, "occurrence": occurrence, "key": "1",
        "customer_id": address.contact_id, "contact": address.contact_id, "channel": Channel.EMAIL, "address": address,
        "state": MessageState.TAKEN, "due_at": now, "expires_at": now + timedelta(days=1),
    }  # fmt: skip
    return Message.objects.create(**values | fields)


def page_of(message: Message, **fields: Any) -> str:
    return path_of(SignedLink(LinkKind.UNSUBSCRIBE, message.pk, **fields), now=timezone.now())


def permissions() -> dict[str, str]:
    return dict(Permission.objects.values_list("purpose", "state"))


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        ("List-Unsubscribe=One-Click", "application/x-www-form-urlencoded"),  # section 8.1 of the RFC
        (
            '--B\r\nContent-Disposition: form-data; name="List-Unsubscribe"\r\n\r\nOne-Click\r\n--B--\r\n',
            "multipart/form-data; boundary=B",
        ),  # section 8.3
    ],
)
def test_one_post_without_a_cookie_withdraws(body: str, content_type: str) -> None:
    message = sent()
    browser = Client(enforce_csrf_checks=True)
    answer = browser.post(page_of(message), body, content_type=content_type)
    assert (answer.status_code, answer.cookies) == (200, {})
    assert permissions() == {"for_you": "withdrawn", "reminders": "given", "news": "given"}
    said = ConsentStatement.objects.order_by("-pk").first()
    assert said is not None
    assert said.source == "one_click"
    assert list(MessageEvent.objects.values_list("message", "kind")) == [(message.pk, "unsubscribed")]


def test_a_press_on_the_button_of_the_page_is_no_click_in_a_mail_program() -> None:
    page = page_of(sent())
    [(name, value)] = re.findall(
        r'<button class="main" name="(\w+)" value="(\w+)"', Client().get(page).content.decode()
    )
    Client().post(page, {name: value})
    said = ConsentStatement.objects.order_by("-pk").first()
    assert said is not None
    assert (said.source, said.state) == ("preferences", "withdrawn")


def test_what_waits_is_withdrawn_with_it() -> None:
    message = sent()
    waits = Message.objects.create(
        **{
            field.attname: getattr(message, field.attname)
            for field in Message._meta.concrete_fields if field.attname not in {"id", "key", "state", "created_at"}
        },
        key="2", state=MessageState.DUE,
    )  # fmt: skip
    Client().post(page_of(message))
    waits.refresh_from_db()
    assert waits.state == MessageState.WITHDRAWN


@pytest.mark.parametrize("method", ["get", "head"])
def test_opening_the_link_changes_nothing_and_shows_a_button(method: str) -> None:
    message = sent()
    answer = getattr(Client(), method)(page_of(message))
    assert answer.status_code == 200
    assert set(permissions().values()) == {"given"}
    assert not MessageEvent.objects.exists()
    if method == "get":
        assert "Unsubscribe from “Recommendations for you”?" in answer.content.decode()


def test_the_second_time_is_as_good_as_the_first() -> None:
    page = page_of(sent())
    assert [Client().post(page).status_code for _ in range(2)] == [200, 200]
    assert MessageEvent.objects.count() == 1


def test_it_can_be_undone() -> None:
    page = page_of(sent())
    text = Client().post(page).content.decode()
    [was] = re.findall(r'name="was" value="([^"]+)"', text)
    assert "as before" in Client().post(page, {"was": was}).content.decode()
    assert permissions()["for_you"] == "given"
    assert list(MessageEvent.objects.order_by("pk").values_list("kind", flat=True)) == ["unsubscribed", "resubscribed"]


def test_links_that_are_not_ours_too_old_or_void_are_known_no_longer() -> None:
    message, now = sent(), timezone.now()
    Contact.objects.update(link_generation=1)
    pages = [
        page_of(message),  # its contact's links were voided
        page_of(message, generation=1)[:-3] + "AA/",
        path_of(SignedLink(LinkKind.UNSUBSCRIBE, message.pk, generation=1), now=now - timedelta(days=401)),
        path_of(SignedLink(LinkKind.UNSUBSCRIBE, message.pk + 1, generation=1), now=now),
        path_of(SignedLink(LinkKind.PREFERENCES, message.pk, generation=1), now=now).replace("/p/", "/u/"),
    ]
    answers = [Client().post(page) for page in pages]
    assert [answer.status_code for answer in answers] == [404] * 5
    assert len({re.sub(rb"/m/u/[^/]+/", b"", answer.content) for answer in answers}) == 1
    assert set(permissions().values()) == {"given"}
    assert Client().post(page_of(message, generation=1)).status_code == 200


def test_in_chinese() -> None:
    message = sent()
    Contact.objects.update(language="zh-hans")
    assert "退订" in Client().get(page_of(message)).content.decode()
