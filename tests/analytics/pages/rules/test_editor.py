"""The editor of a rule: it works as plain form fields, loses nothing, and saves nothing by halves."""

import re
from collections.abc import Callable
from html import unescape
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from analytics.pages.rules.effect import SECONDS
from recommendations.models import Customer, Rule, Segment, Staff
from recommendations.services.rules.editing import save_rule
from recommendations.terms import Role
from tests.analytics import records as general
from tests.analytics import rule_records as records
from tests.analytics.rule_records import COFFEE, TEA, form

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _shop() -> None:
    records.shop()


def sent(client: Client, fields: dict[str, Any], address: str = "/rules/new/") -> tuple[int, str]:
    answer = client.post(address, fields)
    return answer.status_code, " ".join(answer.content.decode().split())


def text(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200
    return " ".join(answer.content.decode().split())


def field(page: str, name: str) -> str:
    """What stands in an input of the form."""
    match = re.search(rf'<input[^>]* name="{re.escape(name)}"[^>]*>', page)
    assert match, name
    value = re.search(r' value="([^"]*)"', match.group())
    return value.group(1) if value else ""


def error(page: str, name: str) -> str:
    match = re.search(rf'id="{re.escape(name)}-error">([^<]*)<', page)
    return match.group(1) if match else ""


def test_plain_fields_make_a_draft(admin: Client) -> None:
    who, segment = general.customer("u1"), records.segment()
    fields = form(
        segment=segment.number, customer=who.code, starts_at="2026-12-01T08:00", ends_at="2026-12-24T18:00",
        action="minimum_share", share="12.5",
        **{"items-0-values": [TEA, COFFEE],
           "items-1-attribute": "price", "items-1-was": "price", "items-1-operator": "at_most", "items-1-typed": "5",
           "items-7-attribute": "discount", "items-7-was": "discount", "items-7-operator": "at_least",
           "items-7-typed": "20",
           "context-0-attribute": "item", "context-0-was": "item", "context-0-operator": "is",
           "context-0-typed": "sku-bean"},
    )  # fmt: skip
    answer = admin.post("/rules/new/", fields)
    rule = Rule.objects.get()
    assert answer["Location"] == f"/rules/{rule.pk}/"
    assert (rule.name, rule.action, rule.share, rule.slot, rule.strength) == (
        "Tea first",
        "minimum_share",
        0.125,
        None,
        None,
    )
    assert (rule.segment, rule.customer, rule.placement and rule.placement.name) == (segment, who, "home")
    assert rule.starts_at is not None
    assert rule.starts_at.isoformat() == "2026-12-01T08:00:00+00:00"
    assert rule.items == [
        records.condition("category", TEA, COFFEE),
        records.condition("price", 5, operator="at_most"),
        records.condition("discount", 0.2, operator="at_least"),
    ]
    assert rule.context == [records.condition("item", "sku-bean")]
    assert rule.author == Staff.objects.get()
    page = text(admin, f"/rules/{rule.pk}/")
    assert (field(page, "share"), field(page, "items-2-typed"), field(page, "starts_at")) == (
        "12.5",
        "20",
        "2026-12-01T08:00",
    )
    assert "give items with category Tea or Coffee" in page


@pytest.mark.parametrize(
    ("edit", "values", "typed"),
    [
        ("items:add", [[TEA], []], COFFEE),
        ("items:drop:0", [], ""),
        ("items:take:0", [[TEA, COFFEE]], ""),
        ("items:pick:0:Drinks", [[TEA, "Drinks"]], ""),
        ("items:out:0:0", [[]], COFFEE),
        ("items:out:0:9", [[TEA]], COFFEE),
        ("items:drop:x", [[TEA]], COFFEE),
        ("items", [[TEA]], COFFEE),
        ("restored", [[TEA]], COFFEE),
    ],
)
def test_buttons_of_the_builder_change_the_rows_and_save_nothing(
    admin: Client, edit: str, values: list[list[str]], typed: str
) -> None:
    status, page = sent(admin, form(edit=edit, customer="x", **{"items-0-typed": COFFEE}))
    assert status == 200
    assert not Rule.objects.exists()
    rows = [
        re.findall(rf'name="items-{number}-values" value="([^"]*)"', page)
        for number in range(page.count('class="condition '))
    ]
    assert [[value.replace("&gt;", ">") for value in row] for row in rows] == values
    assert (field(page, "name"), field(page, "customer"), field(page, "strength")) == ("Tea first", "x", "40")
    if values and values[0]:
        assert field(page, "items-0-typed").replace("&gt;", ">") == typed


def test_another_attribute_of_a_condition_has_other_fields(admin: Client) -> None:
    _, page = sent(admin, form(edit="items:show", **{"items-0-attribute": "price"}))
    assert "items-0-values" not in page
    assert re.search(r'<select[^>]* name="items-0-operator"[^>]*>.*?at least', page)
    assert field(page, "items-0-typed") == ""
    assert "Counted once every condition is complete." in page


def test_the_builder_counts_and_shows_the_items_that_match(admin: Client) -> None:
    answer = admin.post("/rules/conditions/items/", form(edit="items:pick:0:" + COFFEE))
    page = " ".join(answer.content.decode().split())
    assert answer["HX-Trigger"] == "rule-changed"
    assert '<div class="builder" id="items-builder"' in page[:60]
    assert "<strong>4</strong> items match" in page
    assert page.count('class="thumb"') == 4
    assert re.search(r'id="items-0-typed"[^>]*autofocus', page)
    none = admin.post("/rules/conditions/items/", form(**{"items-1-attribute": "price", "items-1-was": "price",
        "items-1-operator": "at_least", "items-1-typed": "100"})).content.decode()  # fmt: skip
    assert "No item matches all conditions." in none
    assert admin.post("/rules/conditions/other/", form()).status_code == 404


@pytest.mark.parametrize(
    ("attribute", "typed", "offered"),
    [
        ("category", "tea", ["Drinks &gt; Tea"]),
        ("category", "", ["Drinks"]),
        ("item", "bean", ["sku-bean"]),
        ("brand", "", ["Leaf"]),
        ("availability", "stock", ["in_stock", "out_of_stock"]),
        ("tag", "x", []),
        ("attributes.size", "", []),
        ("nothing", "x", []),
        ("brand", "\x00", ["Leaf"]),
    ],
)
def test_values_are_offered_while_one_is_typed(admin: Client, attribute: str, typed: str, offered: list[str]) -> None:
    answer = admin.get("/rules/values/items/2/", {"attribute": attribute, "items-2-typed": typed})
    page = answer.content.decode()
    assert re.findall(r'value="items:pick:2:([^"]*)"', page) == offered
    assert ("Nothing has this name." in page) is (not offered and bool(typed.strip("\x00")))


def test_a_segment_that_is_gone_stays_chosen_and_says_so(admin: Client) -> None:
    """It opened as "Every segment", and the next save made the rule one for everybody."""
    gone, live = records.segment(), general.version(general.run())
    Segment.objects.create(number=5, name="Wine lovers", version=live)
    rule = records.rule(segment=gone.number)
    chosen = '<option value="3" selected>Tea lovers (no longer there)</option>'
    page = text(admin, f"/rules/{rule.pk}/")
    assert chosen in page
    assert '<option value="5">Wine lovers</option>' in page
    assert sent(admin, form(name="Renamed", segment="3", revision="1"), f"/rules/{rule.pk}/")[0] == 302
    rule.refresh_from_db()
    assert (rule.name, rule.segment) == ("Renamed", gone)
    assert chosen in text(admin, "/rules/new/?segment=3")
    assert '<option value="77" selected>77 (no longer there)</option>' in text(admin, "/rules/new/?segment=77")
    assert '<option value="attic" selected>attic (no longer there)</option>' in text(
        admin, "/rules/new/?placement=attic"
    )
    for address in ("/weights/?group=segment-3", "/customers/?segment=3"):
        assert re.search(
            r'<option value="(segment-)?3" selected>[^<]*Tea lovers \(no longer there\)', text(admin, address)
        )


NO_CUSTOMER = "No customer has the code or the shop's id"
WRONG = [
    ({"name": " "}, "name", "Give the rule a name."),
    ({"customer": "12x"}, "customer", f"{NO_CUSTOMER} “12x”: type it as C-7K4F, or as your shop writes it."),
    ({"customer": "C-7K4F"}, "customer", f"{NO_CUSTOMER} “C-7K4F”: type it as C-7K4F, or as your shop writes it."),
    ({"placement": "nowhere"}, "placement", "There is no placement “nowhere”: choose one from the list."),
    ({"starts_at": "2026-12-24T10:00", "ends_at": "2026-12-24T09:00"}, "ends_at",
     "The rule ends before it begins: choose a later end."),
    ({"action": "pin", "slot": "21"}, "slot", "This slot is beyond the end of the list: choose a slot from 1 to 20."),
    ({"action": "pin", "slot": "1.5"}, "slot", "Enter a whole number."),
    ({"action": "boost", "strength": "400"}, "strength", "Choose a strength from −100 to 100."),
    ({"action": "cap", "most": "", "per": "brand"}, "most", "Say how many at most."),
    ({"action": "minimum_share", "share": "120"}, "share", "Choose a share above 0 % and up to 100 %."),
    ({"action": "explode"}, "action", "Choose what the rule does."),
    ({"items-0-attribute": "colour", "items-0-was": "colour"}, "items-0-attribute",
     "Condition 1: items have no such attribute: choose one from the list."),
    ({"items-0-operator": "at_least"}, "items-0-operator",
     "Condition 1: this attribute cannot be compared that way: choose another comparison."),
    ({"items-0-values": "Drinks > Tee"}, "items-0-values",
     "Condition 1: no item has this value: choose one from the list."),
    ({"items-0-values": []}, "items-0-values", "Condition 1: it has no value: choose at least one."),
    ({"items-0-attribute": "", "items-0-was": "", "items-0-values": []}, "items",
     "Say which items: without a condition it would be all of them."),
]  # fmt: skip


@pytest.mark.parametrize(("fields", "name", "words"), WRONG)
def test_a_fault_stands_at_its_field_and_nothing_is_lost_or_saved(
    admin: Client, fields: dict[str, Any], name: str, words: str
) -> None:
    status, page = sent(admin, form(**fields))
    assert status == 422
    assert unescape(error(page, name)) == words
    assert "Please check one field." in page
    assert not Rule.objects.exists()
    for key, value in fields.items():
        if key in {"name", "customer", "starts_at", "ends_at", "slot", "strength", "share"}:
            assert field(page, key) == value


@pytest.mark.parametrize("address", ["/rules/new/", "/rules/conditions/items/"])
def test_a_wrong_comparison_is_complained_of_once(admin: Client, address: str) -> None:
    _, page = sent(admin, form(**{"items-0-operator": "at_least"}), address)
    assert page.count('class="field-error"') == 1
    assert error(page, "items-0-values") == ""


def test_several_complaints_at_once_in_chinese(admin: Client) -> None:
    admin.cookies["django_language"] = "zh-hans"
    status, page = sent(admin, form(name="", action="pin", slot="99", **{"items-0-values": "Tee"}))
    assert status == 422
    assert "有 3 个字段需要修改" in page
    assert error(page, "name")
    assert "20" in error(page, "slot")
    assert re.search(r"[一-鿿]", error(page, "items-0-values"))


def test_somebody_elses_change_is_shown_and_can_be_taken_or_overwritten(admin: Client) -> None:
    rule = records.rule()
    other = Staff.objects.create_user("bo@example.com", "correct horse", role=Role.MERCHANDISER, name="Bo")
    save_rule(rule=rule, values={"strength": 90, "name": "Tea, loudly"}, revision=1, by=other, now=timezone.now())
    status, page = sent(admin, form(name="Tea, softly", strength="10", revision=1), f"/rules/{rule.pk}/")
    assert status == 409
    assert "Bo saved it" in page
    assert '<th scope="row">Strength</th><td>90</td><td>10</td>' in page
    assert '<th scope="row">Name</th><td>Tea, loudly</td><td>Tea, softly</td>' in page
    assert (field(page, "name"), field(page, "strength")) == ("Tea, softly", "10")
    rule.refresh_from_db()
    assert (rule.name, rule.revision) == ("Tea, loudly", 2)
    assert (
        admin.post(f"/rules/{rule.pk}/", form(name="Tea, softly", strength="10", revision=1, over=2)).status_code == 302
    )
    rule.refresh_from_db()
    assert (rule.name, rule.strength, rule.revision) == ("Tea, softly", 10, 3)


def test_an_address_begins_a_rule(admin: Client) -> None:
    who = general.customer("u1")
    page = text(admin, f"/rules/new/?action=pin&item=sku-bean&slot=3&placement=home&customer={who.pk}")
    assert re.search(r'value="pin" checked', page)
    assert (field(page, "slot"), field(page, "customer")) == ("3", str(who.pk))
    assert field(page, "name") == "Pin Bean Coffee to slot 3"
    assert 'name="items-0-values" value="sku-bean"' in page
    assert '<option value="home" selected>' in page
    assert "<strong>1</strong> item matches" in page
    page = text(admin, "/rules/new/?action=pin&item=sku-bean&placement=item&context.item=sku-leaf")
    assert 'name="context-0-values" value="sku-leaf"' in page
    page = text(admin, "/rules/new/?category=Drinks+%3E+Tea&category=Drinks&segment=3&brand=Leaf")
    assert page.count('name="items-0-values"') == 2
    assert page.count('name="items-1-values"') == 1
    assert "You know no such thing" not in text(admin, "/rules/new/?action=x&slot=%00&item=&nothing=1")


def test_save_and_publish_leads_to_the_dialog(admin: Client) -> None:
    answer = admin.post("/rules/new/", form(then="publish"))
    rule = Rule.objects.get()
    assert answer["Location"] == f"/rules/?open=publish&rule={rule.pk}&back={rule.pk}"
    page = text(admin, answer["Location"])
    assert "Publish “Tea first”?" in page
    assert f'<a class="btn" href="/rules/{rule.pk}/">Cancel</a>' in page


def test_a_merchandiser_saves_where_a_publisher_would_publish(client_of: Callable[[Role], Client]) -> None:
    merchandiser = client_of(Role.MERCHANDISER)
    answer = merchandiser.post("/rules/new/", form(then="publish"))
    rule = Rule.objects.get()
    assert answer["Location"] == f"/rules/{rule.pk}/"


@pytest.mark.parametrize("role", [Role.VIEWER, Role.CATALOGUE_ADMIN])
def test_roles_that_may_not_draft_save_no_rule(client_of: Callable[[Role], Client], role: Role) -> None:
    client, rule = client_of(role), records.rule()
    assert client.post(f"/rules/{rule.pk}/", form(revision=1, name="x")).status_code == 403
    assert client.get("/rules/new/").status_code == 403
    assert client.get(f"/rules/{rule.pk}/effect/").status_code == 200
    rule.refresh_from_db()
    assert rule.name == "Tea first"


def test_an_unknown_rule_is_not_found(admin: Client) -> None:
    for address in ("/rules/99/", "/rules/99/effect/"):
        assert admin.get(address).status_code == 404
    for address in ("/rules/99/", "/rules/99/archive/", "/rules/99/restore/", "/rules/99/duplicate/"):
        assert admin.post(address).status_code == 404


def test_the_effect_waits_until_the_rule_is_complete(admin: Client) -> None:
    _, page = sent(admin, form(**{"items-0-values": []}), "/rules/effect/")
    assert "The price tag appears as soon as the rule is complete:" in page
    _, page = sent(admin, form(name=""), "/rules/effect/")
    assert "No run has finished yet" in page
    assert "On “For you”: boost items with category Tea by +40" in page
    assert "No rule contradicts, hides or empties another." in page


def test_an_effect_is_told_once_and_names_the_remedy(admin: Client) -> None:
    cache.delete(SECONDS)
    _, page = sent(admin, form(), "/rules/effect/")
    assert page.count('id="effect-told"') == page.count('id="effect-line"') == 1
    assert 'aria-live="polite"' not in page
    assert "Cannot be measured" in page
    assert 'href="/runs/"' in page
    assert "about" not in page[page.index('id="effect-expected"') :]
    cache.set(SECONDS, 4.2)
    assert "Measuring on the panel's customers, about 4 s" in text(admin, "/rules/new/")
    cache.delete(SECONDS)
    _, page = sent(admin, form(**{"items-0-values": []}), "/rules/effect/")
    assert "Not complete yet" in page


def test_the_effect_is_measured_without_javascript_too(admin: Client) -> None:
    status, page = sent(admin, form(edit="measure", strength="-30"))
    assert status == 200
    assert "No run has finished yet" in page
    assert "On “For you”: bury items with category Tea by −30" in page
    assert field(page, "strength") == "-30"
    assert not Rule.objects.exists()


def test_findings_of_the_edited_rule_stand_first(admin: Client) -> None:
    records.rule("Pinned", action="pin", slot=1)
    records.rule("Long over", ends_at="2020-01-01T00:00:00+00:00")
    _, page = sent(admin, form(name="Mine", action="pin", slot="1", **{"items-0-values": [COFFEE]}), "/rules/effect/")
    assert "fills already" not in page  # the other pin is a draft, and no part of the book
    records.published(Rule.objects.get(name="Pinned"))
    _, page = sent(admin, form(name="Mine", action="pin", slot="1", **{"items-0-values": [COFFEE]}), "/rules/effect/")
    assert "“Mine” pins to slot 1, which “Pinned” fills already" in page


def test_the_history_says_who_changed_what(admin: Client) -> None:
    rule = records.rule(by=Staff.objects.get())
    admin.post(f"/rules/{rule.pk}/", form(revision=1, strength="-20"))
    assert f'hx-get="/rules/{rule.pk}/history/"' in text(admin, f"/rules/{rule.pk}/")
    history = text(admin, f"/rules/{rule.pk}/history/")
    assert f'href="/activity/?type=rule&amp;id={rule.pk}"' in history
    assert "Strength:</span> <del>40</del> → <ins>−20</ins>" in history
    assert history.count("The admin") == 2
    assert Customer.objects.count() == 0
