"""Every page of the admin: it opens, asks the database few questions, and opens for those whom the policy names."""

import re
from collections.abc import Callable

import pytest
from django.apps import apps
from django.contrib import admin as django_admin
from django.contrib.admin.utils import label_for_field
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone, translation

from recommendations.models import (
    ApiKey,
    AuditEntry,
    Blend,
    BlendWeights,
    Category,
    Customer,
    Event,
    Import,
    Item,
    ItemPrice,
    Placement,
    Promotion,
    RejectedRow,
    Rule,
    RuleBook,
    Segment,
    Staff,
)
from recommendations.models.events import EventListing
from recommendations.services.access import keys
from recommendations.store.events.pseudonyms import pseudonym
from recommendations.store.rules.conditions import frozen
from recommendations.terms import Role, Scope

pytestmark = pytest.mark.django_db
CALLED_IN_CHINESE = {"eventlisting": "事件", "item": "商品", "customer": "顾客"}
MOST_QUERIES = 12
ROWS = 12
OURS = {
    "item": {Role.CATALOGUE_ADMIN, Role.ADMIN},
    "promotion": {Role.CATALOGUE_ADMIN, Role.ADMIN},
    "category": {Role.CATALOGUE_ADMIN, Role.ADMIN},
    "customer": {Role.CATALOGUE_ADMIN, Role.ADMIN},
    "eventlisting": {Role.CATALOGUE_ADMIN, Role.ADMIN},
    "import": {Role.CATALOGUE_ADMIN, Role.ADMIN},
    "rejectedrow": {Role.CATALOGUE_ADMIN, Role.ADMIN},
    "auditentry": {Role.CATALOGUE_ADMIN, Role.ADMIN},
    "placement": {Role.CATALOGUE_ADMIN, Role.ADMIN},
    "blend": {Role.CATALOGUE_ADMIN, Role.ADMIN},
    "blendweights": {Role.CATALOGUE_ADMIN, Role.ADMIN},
    "rule": {Role.CATALOGUE_ADMIN, Role.ADMIN},
    "rulebook": {Role.CATALOGUE_ADMIN, Role.ADMIN},
    "apikey": {Role.ADMIN},
    "staff": {Role.ADMIN},
}


@pytest.fixture(autouse=True)
def _record() -> None:
    """A dozen of everything, each with its own relations, so that a question per row shows."""
    now = timezone.now()
    blend, home = Blend.objects.get(name="home"), Placement.objects.get(name="home")
    for number in range(ROWS):
        staff = Staff.objects.create_user(f"staff{number}@example.com")
        parent = Category.objects.create(path=f"D{number}", name=f"Department {number}")
        item = Item.objects.create(shop_id=f"A{number}", title=f"Shoe {number}", price=number)
        item.categories.add(Category.objects.create(path=f"D{number} > X", name="X", parent=parent))
        ItemPrice.objects.create(item=item, valid_from=now, price=number)
        Promotion.objects.create(item=item, week=now.date(), mailer=1)
        customer = Customer.objects.create(pseudonym=pseudonym(f"u{number}"))
        Event.objects.create(
            occurred_at=now, event_id=f"00000000-0000-4000-8000-{number:012}", name="view_item", customer=customer,
            item=item,
        )  # fmt: skip
        imported = Import.objects.create(kind="items", file=f"{number}.csv", rejected=1, reasons={"missing": 1})
        RejectedRow.objects.create(source=imported, line=2, field="title", reason="Empty.", content="x")
        AuditEntry.objects.create(staff=staff, verb="change", object_type="item", object_id=str(item.pk))
        ApiKey.objects.create(name="x", prefix=f"p{number}", digest="0" * 64, scopes=["events:write"], created_by=staff)
        BlendWeights.objects.create(
            blend=blend, number=number + 100, weights={"ease_home": 0.6, "buy_again": 0.4}, status="proposed",
            reason="try", author=staff,
        )  # fmt: skip
        segment = Segment.objects.create(number=number)
        shoe = [{"attribute": "item", "operator": "is", "values": [item.shop_id]}]
        rule = Rule.objects.create(
            name=f"Rule {number}", placement=home, segment=segment, customer=customer, action="pin", slot=1, items=shoe,
            author=staff,
        )  # fmt: skip
        RuleBook.objects.create(number=number, rules=[frozen(rule)], note="try", author=staff)


def pages(name: str) -> list[str]:
    addresses = [reverse(f"admin:recommendations_{name}_changelist")]
    if name not in {"eventlisting", "rejectedrow"}:
        model = next(model for model in django_admin.site._registry if model._meta.model_name == name)
        addresses.append(reverse(f"admin:recommendations_{name}_change", args=[model._default_manager.first().pk]))
    if name in {"apikey", "promotion"}:
        addresses.append(reverse(f"admin:recommendations_{name}_add"))
    return addresses


def test_the_admin_has_these_models_and_no_other() -> None:
    ours = {
        model._meta.model_name for model in django_admin.site._registry if model._meta.app_label == "recommendations"
    }
    assert ours == OURS.keys()


@pytest.mark.parametrize("name", OURS)
def test_pages_ask_few_questions(admin: Client, name: str) -> None:
    for address in pages(name):
        with CaptureQueriesContext(connection) as queries:
            answer = admin.get(address)
        assert answer.status_code == 200, address
        assert len(queries) <= MOST_QUERIES, [query["sql"][:200] for query in queries]


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("name", OURS)
def test_pages_open_for_those_whom_the_policy_names(signed_in: Callable[[Role], Client], name: str, role: Role) -> None:
    client = signed_in(role)
    for address in pages(name):
        assert (client.get(address).status_code == 200) == (role in OURS[name]), address


@pytest.mark.parametrize("role", [Role.VIEWER, Role.MERCHANDISER, Role.PUBLISHER])
def test_roles_outside_the_catalogue_may_not_open_the_admin(signed_in: Callable[[Role], Client], role: Role) -> None:
    client = signed_in(role)
    assert client.get(reverse("admin:index"), follow=True).status_code == 403


def test_without_a_session_the_admin_leads_to_the_one_login_page() -> None:
    answer = Client().get(reverse("admin:recommendations_item_changelist"), follow=True)
    assert answer.request["PATH_INFO"] == reverse("login")
    assert "next=" in answer.request["QUERY_STRING"]


def test_no_item_is_deleted_in_the_admin(admin: Client) -> None:
    item = Item.objects.first()
    assert item is not None
    assert admin.post(reverse("admin:recommendations_item_delete", args=[item.pk]), {"post": "yes"}).status_code == 403
    answer = admin.post(
        reverse("admin:recommendations_item_changelist"),
        {"action": "delete_selected", "_selected_action": [item.pk], "post": "yes"},
    )
    assert answer.status_code in {200, 302}
    assert Item.objects.filter(pk=item.pk).exists()


@pytest.mark.parametrize("name", ["customer", "import", "auditentry", "blendweights", "staff"])
def test_read_only_models_cannot_be_written(admin: Client, name: str) -> None:
    change = pages(name)[1]
    assert admin.post(change, {"personalise": "", "file": "x"}).status_code == 403
    assert admin.post(reverse(f"admin:recommendations_{name}_add"), {}).status_code == 403


def test_the_front_page_shows_our_record_only(admin: Client) -> None:
    page = admin.get(reverse("admin:index")).content.decode()
    assert "Items" in page
    assert "/admin/auth/" not in page
    assert "/admin/axes/" not in page


def test_events_can_be_listed_though_their_key_is_composite(admin: Client) -> None:
    assert EventListing.objects.count() == ROWS
    page = admin.get(reverse("admin:recommendations_eventlisting_changelist")).content.decode()
    assert page.count("00000000-0000-4000-8000-") == ROWS


def test_lists_are_named_without_the_counting_word_of_their_rows(admin: Client) -> None:
    admin.cookies["django_language"] = "zh-hans"
    page = admin.get(reverse("admin:index")).content.decode()
    for kind, words in CALLED_IN_CHINESE.items():
        assert f'href="/admin/recommendations/{kind}/">{words}</a>' in page


def test_no_name_of_a_model_a_field_or_a_column_has_a_counting_word() -> None:
    with translation.override("zh-hans"):
        models = [model for app in ("recommendations", "demo") for model in apps.get_app_config(app).get_models()]
        nouns = [str(model._meta.verbose_name) for model in models]
        names = [str(model._meta.verbose_name_plural) for model in models]
        names += [str(field.verbose_name) for model in models for field in model._meta.fields]
        for model, page in django_admin.site._registry.items():
            if model in models:
                columns = [*page.list_display, *page.readonly_fields]
                names += [str(label_for_field(column, model, page)) for column in columns]
    counted = re.compile(rf"[个件位份条次名]({'|'.join(map(re.escape, nouns))})数?")
    assert len(names) > 100
    assert [name for name in names if counted.fullmatch(name)] == []


def test_the_empty_choice_of_a_list_is_in_the_readers_language(admin: Client) -> None:
    keys.create_key(name="Shop", scopes=[Scope.EVENTS_WRITE], by=None)
    address = reverse("admin:recommendations_apikey_changelist")
    assert '<option value="" selected>Choose…</option>' in admin.get(address).content.decode()
    admin.cookies["django_language"] = "zh-hans"
    assert '<option value="" selected>请选择…</option>' in admin.get(address).content.decode()
