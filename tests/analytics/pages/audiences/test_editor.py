"""The pages of audiences: the list, the editor with its live count, and what is done with one."""

from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from recommendations.models import Audience, Campaign, Customer, Item, Rule, Segment
from recommendations.services.audiences.editing import save_audience
from recommendations.terms import Role
from tests.analytics import records, rule_records
from tests.analytics.rule_records import TEA

pytestmark = pytest.mark.django_db


@pytest.fixture
def ann() -> Customer:
    """Ann bought green tea three times in the last weeks."""
    items = rule_records.shop()
    who = records.customer("ann")
    for days in (20, 10, 2):
        _bought(who, items["green"], days=days)
    records.customer("bob")
    return who


def _bought(who: Customer, what: Item, *, days: int) -> None:
    ago = (timezone.now() - records.NOW).total_seconds() / 86_400
    row = records.event(who, what, days_ago=days - ago)
    type(row).objects.filter(event_id=row.event_id).update(transaction_id=f"t{days}")


def typed(row: int = 0, side: str = "all", kind: str = "bought", **fields: Any) -> dict[str, Any]:
    texts = {"days": "30", "times": "1"} if kind == "bought" else {}
    return {f"row-{row}-{name}": value for name, value in {"side": side, "kind": kind, **texts, **fields}.items()}


def of_tea(row: int = 0) -> dict[str, Any]:
    builder = f"row-{row}-items-0"
    return {f"{builder}-attribute": "category", f"{builder}-operator": "is", f"{builder}-values": [TEA]}


def saved(name: str = "Tea drinkers", **conditions: Any) -> Audience:
    tea = [{"attribute": "category", "operator": "is", "values": [TEA]}]
    usual = {"all": [{"kind": "bought", "items": tea, "days": 30, "times": 1}], "none": []}
    return save_audience(
        audience=None, name=name, conditions=usual | conditions, revision=None, by=None, now=timezone.now()
    )


def test_the_count_follows_what_is_typed_with_three_customers_and_why(admin: Client, ann: Customer) -> None:
    page = admin.post("/audiences/count/", typed(times="2") | of_tea()).content.decode()
    assert "<strong>1</strong> customer" in page
    assert ann.code in page
    assert "bought 3 times" in page
    assert "Bought items with category" in page
    assert "50.0%" in page
    page = admin.post("/audiences/count/", typed(days="")).content.decode()
    assert "Counted once every condition is complete." in page
    assert "<li>Say within how many days.</li>" in page
    assert "Nobody meets all of this." in admin.post("/audiences/count/", typed(times="9")).content.decode()


def test_a_row_is_added_changed_and_dropped_and_nothing_is_lost(admin: Client, ann: Customer) -> None:
    form = {"name": "Mine"} | typed(days="12") | of_tea()
    page = admin.post("/audiences/new/", form | {"edit": "add:none"})
    assert page["HX-Trigger"] == "rule-changed"
    text = page.content.decode()
    assert 'name="row-1-side" value="none"' in text
    assert 'value="12"' in text
    assert 'value="Mine"' in text
    assert f'name="row-0-items-0-values" value="{TEA.replace(">", "&gt;")}"' in text
    text = admin.post("/audiences/new/", typed(kind="property") | {"edit": "show"}).content.decode()
    assert 'id="row-0-values"' in text
    assert "dict_values" not in text
    assert "aria-invalid" not in text
    text = admin.post("/audiences/new/", typed() | typed(3, "none", "spent") | {"edit": "drop:0"}).content.decode()
    assert "row-0-side" not in text
    assert "row-3-amount" in text
    text = admin.post("/audiences/new/", typed() | {"edit": "row-0-items:add"}).content.decode()
    assert 'name="row-0-items-0-attribute"' in text
    part = admin.post("/rules/conditions/row-0-items/", of_tea()).content.decode()
    assert "Green Tea" in part


def test_an_audience_is_saved_listed_and_used_in_a_rule(admin: Client, ann: Customer) -> None:
    answer = admin.post("/audiences/new/", {"name": "Tea drinkers"} | typed() | of_tea(), follow=True)
    made = Audience.objects.get()
    assert answer.redirect_chain == [(f"/audiences/{made.pk}/", 302)]
    assert made.size == 1
    page = admin.get("/audiences/").content.decode()
    assert "Bought items with category" in page
    assert f"/rules/new/?audience={made.pk}" in page
    assert (
        f'<option value="{made.pk}" selected>Tea drinkers</option>'
        in admin.get(f"/rules/new/?audience={made.pk}").content.decode()
    )
    rule = rule_records.rule("For them", audience=made.pk)
    assert "For them" in admin.get("/audiences/").content.decode()
    assert "audience “Tea drinkers”" in admin.get("/rules/").content.decode()
    assert "for audience “Tea drinkers”" in admin.get(f"/rules/{rule.pk}/").content.decode()


def test_every_complaint_stands_at_its_field(admin: Client, ann: Customer) -> None:
    wrong = {"name": ""} | typed(days="x") | typed(1, "none", "spent", amount="", days="3", operator="at_least")
    builder = "row-0-items-0"
    nobody = {f"{builder}-attribute": "brand", f"{builder}-operator": "is", f"{builder}-values": "Nobody"}
    page = admin.post("/audiences/new/", wrong | nobody)
    text = page.content.decode()
    assert page.status_code == 422
    for place, words in {
        "name": "Give the audience a name.",
        "row-0-days": "Enter the days as a whole number.",
        "row-1-amount": "Say how much.",
    }.items():
        assert f'id="{place}-error">{words}' in text, place
    assert "no item has this value" in text
    assert "Please check 4 fields" in text
    assert not Audience.objects.exists()


def test_a_stale_save_shows_the_difference_and_can_be_said_again(admin: Client, ann: Customer) -> None:
    made = saved()
    address, mine = f"/audiences/{made.pk}/", {"name": "Mine"} | typed() | of_tea()
    theirs = {"name": "Theirs", "revision": "1"} | typed(days="7") | of_tea()
    assert admin.post(address, theirs).status_code == 302
    answer = admin.post(address, mine | {"revision": "1"})
    text = answer.content.decode()
    assert answer.status_code == 409
    assert "<td>Theirs</td><td>Mine</td>" in text
    assert "in the last 7 days</td>" in text
    assert 'name="over" value="2"' in text
    assert admin.post(address, mine | {"revision": "1", "over": "2"}).status_code == 302
    made.refresh_from_db()
    assert (made.name, made.revision) == ("Mine", 3)


def test_what_is_gone_stays_chosen_and_says_so(admin: Client, ann: Customer) -> None:
    live = records.version(records.run())
    Segment.objects.create(number=3, name="Tea lovers", version=live)
    made = saved(none=[{"kind": "segment", "segments": [3]}])
    rule_records.rule("For them", audience=made.pk)
    Segment.objects.update(version=records.version(records.run(), live=False))
    text = admin.get(f"/audiences/{made.pk}/").content.decode()
    assert "This audience is for nobody at the moment." in text
    assert '<option value="3" selected>Tea lovers (no longer there)</option>' in text
    assert "applies to nobody" in admin.get("/audiences/").content.decode()
    page = admin.post(
        f"/audiences/{made.pk}/", {"name": "x", "revision": "1"} | typed() | typed(1, "none", "segment", segments="3")
    )
    assert "Segment “Tea lovers” is no longer there" in page.content.decode()


def test_an_audience_in_use_stays_and_another_is_archived_with_undo(admin: Client, ann: Customer) -> None:
    made = saved()
    rule = rule_records.rule("For them", audience=made.pk)
    page = admin.post(f"/audiences/{made.pk}/archive/", follow=True).content.decode()
    assert "is used by For them: change or archive that first." in page
    Rule.objects.filter(pk=rule.pk).update(archived_at=timezone.now())
    page = admin.post(f"/audiences/{made.pk}/archive/", follow=True).content.decode()
    assert "“Tea drinkers” is archived." in page
    assert 'action="/undo/"' in page
    assert "(no longer there)" in admin.get(f"/rules/{rule.pk}/").content.decode()
    admin.post(f"/audiences/{made.pk}/restore/")
    assert Audience.objects.unarchived().get() == made


def test_the_order_is_moved_one_by_one(admin: Client, ann: Customer) -> None:
    first, second = saved("First"), saved("Second")
    admin.post("/audiences/order/", {"audience": second.pk, "to": "up"})
    assert list(Audience.objects.all()) == [second, first]
    admin.post("/audiences/order/", {"audience": second.pk, "to": "up"})
    assert list(Audience.objects.all()) == [second, first]


def test_categories_are_offered_while_one_is_typed(admin: Client, ann: Customer) -> None:
    page = admin.get("/audiences/categories/", {"row-0-category": "tea"}).content.decode()
    assert page.strip() == '<option value="Drinks &gt; Tea"></option>'


def test_a_viewer_sees_it_and_changes_nothing(client_of: Any, ann: Customer) -> None:
    made, viewer = saved(), client_of(Role.VIEWER)
    text = viewer.get(f"/audiences/{made.pk}/").content.decode()
    assert "1 customer" in text
    assert 'class="rule-bar"' not in text
    assert "Use in a rule" not in text
    assert viewer.post(f"/audiences/{made.pk}/", {"name": "x"}).status_code == 403


def test_activity_tells_of_an_audience_in_words(admin: Client, ann: Customer) -> None:
    saved(none=[{"kind": "spent", "operator": "at_most", "amount": 5, "days": 7}])
    page = admin.get("/activity/?type=audience").content.decode()
    assert "but not: spent at most $5 in the last 7 days" in page


def test_a_form_can_be_filled_in_by_its_address(admin: Client) -> None:
    segment = {"name": "Tea", "row-0-side": "all", "row-0-kind": "segment", "row-0-segments": "7"}
    others = {"row-1-side": "none", "row-1-kind": "bought", **of_tea(row=1)}
    form = admin.get("/audiences/new/", segment | others).context["form"]
    assert form.name == "Tea"
    assert form.conditions["all"] == [{"kind": "segment", "segments": ["7"]}]
    [bought] = form.conditions["none"]
    assert (bought["days"], bought["items"]) == ("30", [{"attribute": "category", "operator": "is", "values": [TEA]}])
    assert Audience.objects.count() == 0
    assert admin.get("/audiences/new/?row-0-side=x&row-0-kind=zzz").status_code == 200


def test_an_audience_leads_to_a_campaign_for_it(admin: Client, ann: Customer) -> None:
    stored = saved()
    assert f"/campaigns/new/?audience={stored.pk}" in admin.get(f"/audiences/{stored.pk}/").content.decode()


def test_the_list_and_the_page_name_the_same_campaigns_and_which_of_them_are_finished(
    admin: Client, ann: Customer
) -> None:
    stored = saved()
    for name in ("Wave", "Weekly"):
        kind = "once" if name == "Wave" else "recurring"
        campaign = Campaign.objects.create(slug=name.lower(), name=name, kind=kind, purpose="news")
        campaign.audiences.set([stored])
    pages = ("/audiences/", f"/audiences/{stored.pk}/")
    for address in pages:
        text = admin.get(address).content.decode()
        assert "Wave</a>" in text
        assert "Weekly</a>" in text
        assert "(finished)" not in text
    Campaign.objects.get(name="Wave").occurrences.create(key="1", due_at=timezone.now(), state="finished")
    for address in pages:
        text = admin.get(address).content.decode()
        assert "Wave</a> (finished)" in text
        assert text.count("(finished)") == 1
