"""The page behind a confirmation mail: looking confirms nothing, the button does, once; “it was not me” ends it."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from recommendations.models import Address, Contact, Permission
from recommendations.push_terms import AddressState
from recommendations.services.contacts.tokens import LinkKind, SignedLink, token_of
from tests.public.pages import HEADERS, UNKNOWN, contact, page_of, rows, shown, states

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("valkey")]


def waiting() -> Address:
    return contact(confirmed=False)


def test_the_page_shows_what_waits_and_changes_nothing() -> None:
    page = page_of(waiting(), LinkKind.CONFIRM)
    before = rows()
    text = shown(Client().get(page))
    assert "u•••@example.com" in text
    assert "Recommendations for you" in text
    assert "News and offers" not in text
    assert "Yes, write to me" in text
    assert shown(Client().post(page, {"act": "sing"})) == text
    assert rows() == before


def test_the_button_confirms_and_a_second_time_says_so() -> None:
    page = page_of(waiting(), LinkKind.CONFIRM)
    text = shown(Client().post(page, {"act": "confirm"}))
    assert "Thank you, this is confirmed" in text
    assert "You get: Recommendations for you." in text
    assert Address.objects.get().state == AddressState.ACTIVE
    assert states() == {"for_you": "given", "news": "refused"}
    before = rows()
    for again in (Client().post(page, {"act": "confirm"}), Client().post(page, {"act": "deny"}), Client().get(page)):
        assert "This is confirmed already" in shown(again)
        assert {name: again[name] for name in HEADERS} == HEADERS
    assert rows() == before


def test_a_new_address_is_confirmed_for_what_was_said_before() -> None:
    contact()
    page = page_of(contact(email="new@example.com", confirmed=False, consents=[]), LinkKind.CONFIRM)
    assert "Recommendations for you" in shown(Client().get(page))
    assert "You get: Recommendations for you." in shown(Client().post(page, {"act": "confirm"}))
    assert states() == {"for_you": "given", "news": "refused"}


def test_who_denies_a_new_address_takes_nothing_back_that_its_customer_said() -> None:
    contact()
    page = page_of(contact(email="new@example.com", confirmed=False, consents=[]), LinkKind.CONFIRM)
    assert "The address is forgotten" in shown(Client().post(page, {"act": "deny"}))
    assert states() == {"for_you": "given", "news": "refused"}


def test_it_was_not_me() -> None:
    address = waiting()
    page, centre = page_of(address, LinkKind.CONFIRM), page_of(address)
    assert "The address is forgotten" in shown(Client().post(page, {"act": "deny"}))
    assert states() == {"for_you": "refused", "news": "refused"}
    assert Address.objects.get().state == AddressState.GONE
    assert Contact.objects.get().link_generation == 1
    for gone in (page, centre):
        answer = Client().get(gone)
        assert (answer.status_code, UNKNOWN in answer.content.decode()) == (404, True)
    assert Client().post(page, {"act": "confirm"}).status_code == 404
    assert not Permission.objects.filter(state="given").exists()


def test_a_link_lasts_seven_days() -> None:
    address, now = waiting(), timezone.now()
    link = SignedLink(LinkKind.CONFIRM, address.pk)
    for days, status in ((6, 200), (8, 404)):
        token = token_of(link, now=now - timedelta(days=days))
        assert Client().get(f"/m/k/{token}/").status_code == status


def test_it_speaks_chinese() -> None:
    page = page_of(contact(confirmed=False, language="zh-CN"), LinkKind.CONFIRM)
    assert "确认您的邮箱地址" in shown(Client().get(page))
    assert "Confirm your address" in shown(Client().get(f"{page}?language=en"))
    assert "谢谢" in shown(Client().post(page, {"act": "confirm"}))


def test_an_address_without_purposes_is_confirmed_too() -> None:
    page = page_of(contact(confirmed=False, consents=[]), LinkKind.CONFIRM)
    assert "Yes, this is my address" in shown(Client().get(page))
    assert "Thank you, this is confirmed" in shown(Client().post(page, {"act": "confirm"}))
