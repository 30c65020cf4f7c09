"""The panel Reach: what it says in both languages, who may act, what an act leaves, and what it says without keys."""

import re
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from django.conf import LazySettings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from recommendations.models import Address, AuditEntry, Contact, Customer, CustomerAlias, Suppression
from recommendations.push_terms import AddressState, Channel, SuppressionReason
from recommendations.services.contacts import staff_acts
from recommendations.store.contacts import silence
from recommendations.terms import CustomerKind, Role
from tests.analytics.pages.customer.conftest import text
from tests.services.contacts.addresses import address_of, said

pytestmark = pytest.mark.django_db

HTMX = {"HX-Request": "true"}
CONSENTS = [said("for_you"), said("news", "refused")]
WHY = {"note": "They rang us up."}
MAIL = {
    "PUSH_MAIL_SERVER": {"host": "localhost"}, "PUSH_FROM": "shop@shop.example", "POSTAL_ADDRESS": "1 Street",
}  # fmt: skip


def panel(client: Client, key: int | str) -> str:
    answer = client.get(address_of_panel(key), headers=HTMX)
    assert answer.status_code == 200
    return re.sub(r"\s+", " ", answer.content.decode())


def address_of_panel(key: int | str) -> str:
    return f"/customers/{Customer.objects.get(pk=key).code}/reach/"


def contact(**fields: object) -> Address:
    return address_of(**{"confirmed": True, "consents": CONSENTS, "now": timezone.now(), **fields})


def act(client: Client, address: Address, name: str, **form: str) -> str:
    """What the customer's page says after an act; the act leads back to the panel there."""
    part = "" if name == "erase" else f"{address.pk}/"
    answer = client.post(f"{address_of_panel(address.contact_id)}{part}{name}/", form)
    assert answer.status_code == 302
    assert re.fullmatch(r"/customers/C-\w+/#reach", answer["Location"])
    return text(client, answer["Location"])


@pytest.mark.parametrize("role", list(Role))
def test_everybody_sees_addresses_with_stars_and_admins_alone_may_act(
    client_of: Callable[[Role], Client], role: Role
) -> None:
    address = contact()
    shown = panel(client_of(role), address.contact_id)
    assert "u•••@example.com" in shown
    assert "u1@example.com" not in shown
    for words in ("Recommendations for you", "Given", "Reminders", "Never said", "Refused", "The shop&#x27;s server"):
        assert words in shown
    assert "<span>form: checkout</span><span>text_version: 3</span>" in shown
    for words in ("Block this address…", "Erase contact…", 'method="post"'):
        assert (words in shown) == (role == Role.ADMIN)


@pytest.mark.parametrize("role", [each for each in Role if each != Role.ADMIN])
def test_who_is_no_admin_may_not_act(client_of: Callable[[Role], Client], role: Role) -> None:
    client, address = client_of(role), contact()
    for name in (f"{address.pk}/silence", f"{address.pk}/speak", "erase"):
        assert client.post(f"{address_of_panel(address.contact_id)}{name}/", WHY).status_code == 403
    assert not Suppression.objects.exists()
    assert Contact.objects.exists()


def test_an_address_is_silenced_and_let_speak_again(admin: Client) -> None:
    address = contact()
    assert "Nothing more is sent to this address" in act(admin, address, "silence", **WHY)
    shown = panel(admin, address.contact_id)
    assert "Set by staff, since " in shown
    assert "Unblock…" in shown
    assert "Block this address…" not in shown
    assert "It was blocked already" in act(admin, address, "silence", **WHY)
    assert "may be written to again" in act(admin, address, "speak", **WHY)
    assert "Nothing was changed: it is not blocked" in act(admin, address, "speak", **WHY)
    assert list(AuditEntry.objects.order_by("pk").values_list("verb", "note")) == [
        ("silence", WHY["note"]), ("let speak", WHY["note"]),
    ]  # fmt: skip
    trail = text(admin, f"/activity/?type=contact&id={address.contact_id}")
    assert "blocked an address of" in trail
    assert f'href="/customers/{address.contact.customer.code}/"' in trail
    assert "Set by staff" in trail
    assert "example.com" not in trail


def test_it_says_what_keeps_mail_from_who_said_yes(admin: Client) -> None:
    contact()
    moved = contact(email="new@example.com", confirmed=False, consents=[])
    assert "Nothing is sent until the owner has confirmed the address." in panel(admin, moved.contact_id)
    Address.objects.filter(pk=moved.pk).update(confirmations=2)
    shown = panel(admin, moved.contact_id)
    assert "Its owner was asked twice" in shown
    act(admin, moved, "silence", **WHY)
    shown = panel(admin, moved.contact_id)
    assert "Blocked</span>" in shown
    assert "Not confirmed" not in shown


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        (SuppressionReason.COMPLAINT, "Nothing ends that."),
        (SuppressionReason.ERASED, "Nothing ends that."),
        (SuppressionReason.UNSUBSCRIBED_ALL, "Only a yes of its owner ends that."),
    ],
)
def test_staff_cannot_lift_a_complaint_an_erasure_or_a_no(admin: Client, reason: SuppressionReason, words: str) -> None:
    address = contact()
    silence.silence(Channel.EMAIL, bytes(address.digest), reason=reason, now=timezone.now())
    shown = panel(admin, address.contact_id)
    assert words in shown
    assert "Unblock…" not in shown
    assert "staff cannot lift" in act(admin, address, "speak", **WHY)
    assert Suppression.objects.get().reason == reason


def test_a_contact_is_erased_with_a_receipt(admin: Client) -> None:
    address = contact()
    page = act(admin, address, "erase", **WHY)
    assert "The contact is erased: 1 address and 2 statements." in page
    shown = panel(admin, address.contact_id)
    assert "The contact was erased on" in shown
    assert ".m.." not in shown
    assert "By whom and why" in shown
    assert not Contact.objects.exists()
    [entry] = AuditEntry.objects.all()
    assert (entry.verb, entry.after) == ("erase", {"addresses": 1, "statements": 2})
    assert admin.post(f"{address_of_panel(address.contact_id)}erase/", WHY).status_code == 404
    activity = text(admin, f"/activity/?type=contact&id={address.contact_id}")
    assert "<li>erased: 1 address and 2 statements</li>" in activity
    assert "addresses" not in activity


def test_who_erased_it_themselves_is_said_and_that_the_address_stays_silent(admin: Client) -> None:
    address = contact()
    never = Customer.objects.create(pseudonym=b"never")
    staff_acts.erase_for(address.contact, by=None, now=timezone.now())
    shown = panel(admin, address.contact_id)
    assert "They had their contact erased themselves, on " in shown
    assert "The address they had stays silent for good, whoever sends it again." in shown
    assert "No address" not in shown
    visitor = Customer.objects.create(pseudonym=b"visitor", kind=CustomerKind.ANONYMOUS)
    CustomerAlias.objects.create(anonymous=visitor, customer=never, source="api")
    assert "No address" in panel(admin, never.pk)
    AuditEntry.objects.update(object_id=str(visitor.pk))  # who turned out to be a customer
    assert "They had their contact erased themselves" in panel(admin, never.pk)


@pytest.mark.parametrize(
    ("note", "words"), [("", "Say why."), ("u1@example.com rang us up", "write it without the address")]
)
@pytest.mark.parametrize("name", ["silence", "speak", "erase"])
def test_an_act_needs_a_note_without_an_address_and_keeps_what_was_typed(
    admin: Client, name: str, note: str, words: str
) -> None:
    address = contact()
    if name == "speak":
        act(admin, address, "silence", **WHY)
    silent = Suppression.objects.count()
    part = "" if name == "erase" else f"{address.pk}/"
    answer = admin.post(f"{address_of_panel(address.contact_id)}{part}{name}/", {"note": note})
    page = re.sub(r"\s+", " ", answer.content.decode())
    assert answer.status_code == 422
    key = address.contact_id if name == "erase" else address.pk
    assert f'id="{name}-{key}" aria-labelledby="{name}-{key}-title" open data-modal' in page
    assert f'aria-describedby="{name}-{key}-error" autofocus>{note}</textarea>' in page
    assert re.search(f'id="{name}-{key}-error">[^<]*{words}', page)
    assert page.count("open data-modal") == page.count("data-modal") == 1
    assert page.count(note or "no note") <= 1
    assert Suppression.objects.count() == silent
    assert Contact.objects.exists()
    assert not AuditEntry.objects.filter(note=note).exists()


def test_an_address_of_somebody_else_or_one_that_is_gone_is_not_there(admin: Client) -> None:
    gone, other = contact(email="first@example.com"), contact(user_id="u2")
    own = contact(email="second@example.com")
    for address in (gone, other):
        path = f"{address_of_panel(own.contact_id)}{address.pk}/silence/"
        assert admin.post(path, WHY).status_code == 404
    assert not Suppression.objects.exists()
    assert "1 former address, of which only a hash is left." in panel(admin, own.contact_id)


def test_the_person_has_the_contacts_of_all_their_keys(admin: Client) -> None:
    """The customer's own comes first; a merged key leads to the customer, also after an act on its contact."""
    visitor, owner = contact(user_id="v1"), contact(user_id="u1", email="own@example.com")
    Customer.objects.filter(pk=visitor.contact_id).update(kind=CustomerKind.ANONYMOUS)
    CustomerAlias.objects.create(anonymous_id=visitor.contact_id, customer_id=owner.contact_id)
    shown = panel(admin, owner.contact_id)
    assert re.findall(r"(\w•••@example.com)</?", shown)[:2] == ["o•••@example.com", "v•••@example.com"]
    assert shown.index(owner.contact.customer.code) < shown.index(visitor.contact.customer.code)
    assert admin.get(address_of_panel(visitor.contact_id))["Location"] == address_of_panel(owner.contact_id)
    page = act(admin, visitor, "erase", **WHY)
    assert owner.contact.customer.code in page
    assert "was merged into" not in page
    assert list(Contact.objects.values_list("pk", flat=True)) == [owner.contact_id]


def test_without_a_contact_the_panel_says_how_one_comes(admin: Client, settings: LazySettings) -> None:
    for name, value in MAIL.items():
        setattr(settings, name, value)
    address = contact()
    Contact.objects.all().delete()
    shown = panel(admin, address.contact_id)
    assert "Your server sends one with PUT /api/v1/contacts/…, or import a file." in shown
    assert 'href="/api/docs/#about-customers"' in shown
    assert "must be set first" not in shown


def test_missing_settings_are_named_and_what_no_key_opens_is_said(admin: Client, settings: LazySettings) -> None:
    address = contact()
    for name, value in MAIL.items():
        setattr(settings, name, value)
    settings.CONTACT_KEYS, settings.POSTAL_ADDRESS = [], ""
    shown = panel(admin, address.contact_id)
    assert "CONTACT_KEYS, POSTAL_ADDRESS must be set first." in shown
    assert "no key opens it" in shown
    assert "Given" in shown  # what they said is there all the same


def test_settings_of_the_customer_are_in_words(admin: Client) -> None:
    address = contact(time_zone="Asia/Tokyo", language="zh-hans")
    shown = panel(admin, address.contact_id)
    for words in ("No limit of their own", "Asia/Tokyo", "Simplified Chinese"):
        assert words in shown
    fields = {"most_a_week": 2, "quiet_from": "22:00", "quiet_until": "07:00", "time_zone": ""}
    Contact.objects.update(paused_until=timezone.now() + timezone.timedelta(days=9), **fields)
    Customer.objects.update(personalise=False)
    shown = panel(admin, address.contact_id)
    for words in ("At most 2 messages a week", "22:00–07:00", "that of the shop", "until ", "They object to"):
        assert words in shown


def test_the_panel_is_there_in_chinese_and_as_a_page(admin: Client) -> None:
    admin.cookies["django_language"] = "zh-hans"
    address = contact()
    silence.silence(Channel.EMAIL, bytes(address.digest), reason=SuppressionReason.HARD_BOUNCE, now=timezone.now())
    page = text(admin, address_of_panel(address.contact_id))
    for words in ("<h1", "触达", "为您推荐", "已同意", "从未表态", "恢复发送…", "删除联系方式…"):
        assert words in page
    assert "触达" in text(admin, f"/customers/{address.contact.customer.code}/")


def test_an_unknown_customer_has_no_panel(admin: Client) -> None:
    assert admin.get("/customers/C-7K4F/reach/").status_code == 404


def test_the_panel_takes_no_more_queries_with_more_contacts(admin: Client) -> None:
    """Twelve are what a page may take."""
    owner = contact()
    with CaptureQueriesContext(connection) as few:
        panel(admin, owner.contact_id)
    for number in range(2, 5):
        visitor = contact(user_id=f"u{number}")
        CustomerAlias.objects.create(anonymous_id=visitor.contact_id, customer_id=owner.contact_id)
    with CaptureQueriesContext(connection) as many:
        shown = panel(admin, owner.contact_id)
    assert shown.count("@example.com</th>") == 4
    assert len(many) == len(few)
    assert len(many) - 1 <= 12  # the test itself asks for the code


def test_who_waits_to_be_asked_and_who_was_asked_look_different(admin: Client) -> None:
    address = contact()
    assert "not asked yet" not in panel(admin, address.contact_id)
    Address.objects.update(state=AddressState.UNCONFIRMED)
    assert "<small>not asked yet</small>" in panel(admin, address.contact_id)
    Address.objects.update(asked_at=datetime(2026, 9, 3, 12, tzinfo=UTC))
    assert "<small>asked on Sept. 3, 2026</small>" in panel(admin, address.contact_id)
