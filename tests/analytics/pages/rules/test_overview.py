"""The list of rules: what it shows, who may do what with it, and the books that come of it."""

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from recommendations.models import AuditEntry, ModelVersion, Rule, RuleBook, Staff
from recommendations.terms import Role
from tests.analytics import rule_records as records
from tests.analytics.rule_records import TEA

pytestmark = pytest.mark.django_db

MOST_QUERIES = 12
DRAFTERS = {Role.MERCHANDISER, Role.PUBLISHER, Role.ADMIN}
PUBLISHERS = {Role.PUBLISHER, Role.ADMIN}


@pytest.fixture(autouse=True)
def _shop() -> None:
    records.shop()


def text(client: Client, address: str = "/rules/", *, status: int = 200) -> str:
    answer = client.get(address)
    assert answer.status_code == status
    return " ".join(answer.content.decode().split())


def names(page: str) -> list[str]:
    """Names of the rules of the table, as they stand."""
    return re.findall(r'<a href="/rules/\d+/">([^<]+)</a><span class="rule-line">', page)


def statuses(page: str) -> list[str]:
    return re.findall(r'data-label="Status"><span class="tag [^"]*">.*?</svg>([^<]+)</span>', page)


def test_before_the_first_rule(admin: Client) -> None:
    page = text(admin)
    assert "No rules yet" in page
    assert 'href="/rules/new/"' in page
    assert "No rules are live" in page
    assert "No version yet" in text(admin, "/rules/versions/")


def test_rules_stand_in_their_order_with_words_and_status(admin: Client) -> None:
    now = timezone.now()
    first, later = records.rule(), records.rule("Coffee soon", starts_at=(now + timedelta(days=2)).isoformat())
    records.rule("No instant", action="exclude", placement="", items=[records.condition("item", "sku-instant")])
    records.published(first, later)
    page = text(admin)
    assert names(page) == ["Tea first", "Coffee soon", "No instant"]
    assert statuses(page) == ["Live", "Scheduled", "Draft"]
    assert "Boost items with category Tea by +40" in page
    assert "Exclude Instant Coffee" in page
    assert "3 of 3 rules" in page
    assert "<strong>r1</strong> serves 2 rules" in page


def test_filters_are_in_the_address_and_can_be_taken_off(admin: Client) -> None:
    records.published(records.rule())
    records.rule("Everywhere", placement="")
    records.rule("To discover", placement="discover")
    assert names(text(admin, "/rules/?status=draft")) == ["Everywhere", "To discover"]
    assert names(text(admin, "/rules/?placement=discover")) == ["Everywhere", "To discover"]
    assert names(text(admin, "/rules/?text=TEA+FIRST")) == ["Tea first"]
    page = text(admin, "/rules/?status=live&text=tea")
    assert names(page) == ["Tea first"]
    assert '<a class="chip" href="/rules/?text=tea&amp;">Live' in page
    assert "Clear the filters to change the order" in page
    assert 'name="to"' not in page
    nothing = text(admin, "/rules/?text=zzz&status=live")
    assert "Nothing matches" in nothing
    assert '<a class="btn" href="/rules/">' in nothing


@pytest.mark.parametrize("query", ["status=x", "status=&placement=", "open=x&rule=y", "rule=99", "text=%00"])
def test_odd_parameters_are_as_if_absent(admin: Client, query: str) -> None:
    records.rule()
    assert names(text(admin, f"/rules/?{query}")) == ["Tea first"]


@pytest.mark.parametrize("role", list(Role))
def test_every_role_is_offered_what_it_may_do(client_of: Callable[[Role], Client], role: Role) -> None:
    rule, client = records.rule(), client_of(role)
    records.published(records.rule("Live one"))
    page, editor = text(client), text(client, f"/rules/{rule.pk}/")
    assert names(page) == ["Tea first", "Live one"]
    assert ("New rule" in page) is (role in DRAFTERS)
    assert ("Publish…" in page) is (role in PUBLISHERS)
    assert ('name="then" value="stay"' in editor) is (role in DRAFTERS)
    assert ('name="then" value="publish"' in editor) is (role in PUBLISHERS)
    assert ('class="rule-fields" disabled' in editor) is (role not in DRAFTERS)
    assert ("Roll back…" in text(client, "/rules/versions/")) is (role in PUBLISHERS)  # to the empty r0
    assert ("<dialog class" in text(client, f"/rules/?open=publish&rule={rule.pk}")) is (role in PUBLISHERS)


def test_rules_move_one_place_or_in_a_whole_order(admin: Client) -> None:
    keys = [records.rule(name).pk for name in "abc"]
    assert admin.post("/rules/order/", {"rule": keys[2], "to": "up"})["Location"] == f"/rules/#up-{keys[2]}"
    assert names(text(admin)) == ["a", "c", "b"]
    admin.post("/rules/order/", {"rule": keys[0], "to": "down"})
    assert names(text(admin)) == ["c", "a", "b"]
    admin.post("/rules/order/", {"rule": keys[1], "to": "down"})  # it is the last already
    assert names(text(admin)) == ["c", "a", "b"]
    admin.post("/rules/order/", {"key": keys})
    assert names(text(admin)) == ["a", "b", "c"]


def test_an_order_acts_when_it_is_published(admin: Client) -> None:
    first, second = records.rule("a"), records.rule("b")
    records.published(first, second)
    admin.post("/rules/order/", {"rule": second.pk, "to": "up"})
    assert "the new order is not published yet" in text(admin)
    page = text(admin, "/rules/?open=publish")
    assert "Publish the new order?" in page
    assert page.count("moved</span>") == 1
    admin.post("/rules/publish/", {"based_on": 1, "note": "b matters more", "unmeasured": 1})
    assert [rule["name"] for rule in RuleBook.objects.get(number=2).rules] == ["b", "a"]


def test_archive_can_be_undone(admin: Client) -> None:
    rule = records.rule()
    assert admin.post(f"/rules/{rule.pk}/archive/")["Location"] == "/rules/"
    page = text(admin)
    assert "“Tea first” is archived." in page
    assert names(page) == []
    assert names(text(admin, "/rules/?status=archived")) == ["Tea first"]
    assert 'action="/undo/"' in page
    admin.post(f"/rules/{rule.pk}/restore/")
    assert names(text(admin)) == ["Tea first"]


def test_a_live_rule_is_not_archived_before_it_is_withdrawn(admin: Client) -> None:
    rule = records.rule()
    records.published(rule)
    admin.post(f"/rules/{rule.pk}/archive/")
    assert "take it offline first" in text(admin)
    assert Rule.objects.unarchived().filter(pk=rule.pk).exists()


def test_a_copy_is_a_draft_at_the_end(admin: Client) -> None:
    rule = records.rule()
    records.rule("Between")
    there = admin.post(f"/rules/{rule.pk}/duplicate/")["Location"]
    assert "Tea first (copy)" in text(admin, there)
    assert names(text(admin)) == ["Tea first", "Between", "Tea first (copy)"]


def test_several_drafts_are_published_with_a_note(admin: Client) -> None:
    rules = [records.rule(), records.rule("No instant", action="exclude", items=[records.condition("item", "x")][:0]
             or [records.condition("item", "sku-instant")])]  # fmt: skip
    keys = [rule.pk for rule in rules]
    page = text(admin, f"/rules/?open=publish&rule={keys[0]}&rule={keys[1]}")
    assert "Publish 2 rules?" in page
    assert page.count("added</span>") == 2
    assert "required" in page[page.index('id="book-note"') :][:200]
    fields = {"rule": keys, "based_on": 0, "note": "The tea week begins", "unmeasured": 1}
    assert admin.post("/rules/publish/", fields)["Location"] == "/rules/"
    page = text(admin)
    assert "Published as r1: the shop serves 2 rules from the next request on." in page
    assert statuses(page) == ["Live", "Live"]
    assert "“The tea week begins”" in page
    third = records.rule("Third")
    admin.post("/rules/publish/", {"rule": third.pk, "based_on": 1, "note": "One more", "unmeasured": 1})
    assert "Published as r2: the shop serves 3 rules" in text(admin)  # as the dialog said, not the one that is new
    entry = AuditEntry.objects.get(object_type="rulebook", verb="publish", note="The tea week begins")
    assert (entry.note, entry.staff) == ("The tea week begins", Staff.objects.get())


def test_without_a_note_nothing_is_published_and_the_dialog_says_why(admin: Client) -> None:
    rule = records.rule()
    answer = admin.post("/rules/publish/", {"rule": rule.pk, "based_on": 0, "note": "  ", "unmeasured": 1})
    assert answer.status_code == 422
    assert "Say why in a few words" in answer.content.decode()
    assert "<dialog" in answer.content.decode()
    assert not RuleBook.objects.exists()


def test_a_draft_that_was_changed_meanwhile_is_not_published_unseen(admin: Client) -> None:
    rule = records.rule()
    page = text(admin, f"/rules/?open=publish&rule={rule.pk}")
    seen = f"{rule.pk}:{rule.revision}"
    assert f'name="revision" value="{seen}"' in page
    Rule.objects.update(slot=3, revision=rule.revision + 1)
    fields = {"rule": rule.pk, "based_on": 0, "note": "my note", "revision": seen, "unmeasured": 1}
    answer = admin.post("/rules/publish/", fields)
    assert answer.status_code == 422
    assert "“Tea first” has changed in the meantime." in answer.content.decode()
    assert not RuleBook.objects.exists()
    answer = admin.post("/rules/publish/", fields | {"revision": f"{rule.pk}:{rule.revision + 1}"})
    assert answer["Location"] == "/rules/"


def test_a_book_published_meanwhile_is_not_overwritten(admin: Client) -> None:
    mine, theirs = records.rule(), records.rule("Theirs")
    records.published(theirs)
    answer = admin.post("/rules/publish/", {"rule": mine.pk, "based_on": 0, "note": "my note"})
    page = answer.content.decode()
    assert answer.status_code == 422
    assert "Someone published r1 in the meantime" in page
    assert ">my note</textarea>" in page
    assert 'name="based_on" value="1"' in page
    assert RuleBook.objects.exclude(number=0).count() == 1
    fields = {"rule": mine.pk, "based_on": 1, "note": "my note", "unmeasured": 1}
    assert admin.post("/rules/publish/", fields).status_code == 302


def test_publishing_a_rule_twice_says_that_nothing_changed(admin: Client) -> None:
    rule = records.rule()
    records.published(rule)
    admin.post("/rules/publish/", {"rule": rule.pk, "based_on": 1, "note": "again"})
    assert "Nothing was changed" in text(admin)
    assert RuleBook.objects.exclude(number=0).count() == 1
    assert "Nothing to publish" in text(admin, f"/rules/?open=publish&rule={rule.pk}")
    assert "Tick the rules first" in text(admin, "/rules/?open=withdraw")


def test_withdraw_and_roll_back(admin: Client) -> None:
    rule = records.rule()
    records.published(rule, note="begin")
    page = text(admin, f"/rules/?open=withdraw&rule={rule.pk}")
    assert "Take “Tea first” offline?" in page
    admin.post("/rules/withdraw/", {"rule": rule.pk, "based_on": 1, "note": "sold out"})
    assert statuses(text(admin)) == ["Draft"]
    books = text(admin, "/rules/versions/")
    assert [int(number) for number in re.findall(r'<tr id="r(\d+)">', books)] == [2, 1, 0]
    assert "sold out" in books
    assert books.count("Roll back…") == 2
    page = text(admin, "/rules/versions/?roll_back=1")
    assert "Roll back to r1?" in page
    assert "“begin”" in page
    refused = admin.post("/rules/roll-back/", {"book": 1, "note": ""})
    assert refused.status_code == 422
    assert "<dialog" in refused.content.decode()
    admin.post("/rules/roll-back/", {"book": 1, "note": "there is tea again"})
    assert "Rolled back: r3 serves what r1 had, from the next request on." in text(admin, "/rules/versions/")
    assert RuleBook.objects.exclude(number=0).count() == 3
    assert statuses(text(admin)) == ["Live"]
    assert admin.post("/rules/roll-back/", {"book": 99, "note": "x"}).status_code == 404


def test_the_first_book_can_be_rolled_back(admin: Client) -> None:
    records.published(records.rule())
    assert "Roll back to r0?" in text(admin, "/rules/versions/?roll_back=0")
    admin.post("/rules/roll-back/", {"book": 0, "note": "too early"})
    assert "Rolled back: r2 serves what r0 had, from the next request on." in text(admin, "/rules/versions/")
    assert statuses(text(admin)) == ["Draft"]


def test_a_book_of_which_nothing_is_in_force_says_so(admin: Client) -> None:
    rule = records.rule()
    records.published(rule)
    assert "in force now" not in text(admin)
    assert 'class="dot dot-good"' in text(admin)
    book = RuleBook.objects.get(number=1)
    over = (timezone.now() - timedelta(days=1)).isoformat()
    RuleBook.objects.filter(pk=book.pk).update(rules=[{**book.rules[0], "ends_at": over}])
    Rule.objects.filter(pk=rule.pk).update(ends_at=over)
    page = text(admin)
    assert "none of them in force now" in page
    assert 'class="dot dot-good"' not in page[page.index("book-line") : page.index("none of them")]


def test_measured_effects_stand_beside_the_rules(admin: Client) -> None:
    tag = {
        "placement": "home", "slots": 1000, "slots_touched": 180,
        "effects": {
            "ndcg@10": {"was": 0.4, "value": -0.0052, "low": -0.006, "high": -0.0044},
            "revenue_ndcg@10": {"was": 0.2, "value": -0.0003, "low": -0.001, "high": 0.0004},
        },
    }  # fmt: skip
    rule = records.rule()
    records.published(rule, expected={"rules": [rule.pk], "tags": [tag]})
    page = text(admin)
    assert "18.0% of slots" in page
    assert "Revenue −0.15% · Accuracy −1.3%" in " ".join(page.split())
    assert "For you: 18.0% of slots<br><small>Revenue −0.15% · Accuracy −1.3%" in text(admin, "/rules/versions/")


def test_a_price_tag_from_outside_is_not_believed(admin: Client) -> None:
    rule = records.rule()
    fields = {"rule": rule.pk, "based_on": 0, "note": "x", "expected": "e30:forged"}
    assert admin.post("/rules/publish/", fields).status_code == 422
    admin.post("/rules/publish/", fields | {"unmeasured": 1})
    assert RuleBook.objects.get(number=1).expected == {"rules": [rule.pk], "tags": []}


def test_what_was_not_measured_is_published_only_by_who_knows_it(admin: Client) -> None:
    rule = records.rule()
    fields = {"rule": rule.pk, "based_on": 0, "note": "in a hurry", "revision": f"{rule.pk}:{rule.revision}"}
    answer = admin.post("/rules/publish/", fields)
    page = answer.content.decode()
    assert answer.status_code == 422
    assert "The effect has not been measured yet, so nothing was published." in page
    assert ">in a hurry</textarea>" in page
    assert not RuleBook.objects.exists()
    waiting = page[page.index('<div class="dialog-effect"') : page.index('<div class="field"><label for="book-note"')]
    assert 'name="unmeasured" value="1">Publish without figures</button>' in waiting  # goes when the figures come
    assert "not been measured" not in text(admin, f"/rules/?open=publish&rule={rule.pk}")
    assert 'name="unmeasured"' in text(admin, f"/rules/proposal/?open=publish&rule={rule.pk}")  # cannot be measured
    assert admin.post("/rules/publish/", fields | {"unmeasured": 1})["Location"] == "/rules/"


def test_an_unseen_change_is_said_before_a_missing_measurement(admin: Client) -> None:
    rule = records.rule()
    fields = {"rule": rule.pk, "based_on": 0, "note": "x", "revision": f"{rule.pk}:{rule.revision}"}
    Rule.objects.update(slot=3, revision=rule.revision + 1)
    page = admin.post("/rules/publish/", fields).content.decode()
    assert "“Tea first” has changed in the meantime." in page
    assert "has not been measured" not in page


def test_a_rule_published_without_figures_has_none_of_an_earlier_publication(admin: Client) -> None:
    tag = {"placement": "home", "slots": 100, "slots_touched": 18, "effects": {}}
    rule = records.rule()
    assert "not measured" not in text(admin)  # a draft was never to be
    records.published(rule, expected={"rules": [rule.pk], "tags": [tag]})
    assert "18.0% of slots" in text(admin)
    Rule.objects.update(slot=3, revision=rule.revision + 1)
    admin.post("/rules/publish/", {"rule": rule.pk, "based_on": 1, "note": "x", "unmeasured": 1})
    page = text(admin)
    assert "18.0% of slots" not in page
    assert '<span class="quiet-text">not measured</span>' in page


def test_the_dialog_says_what_cannot_be_measured(admin: Client) -> None:
    rule = records.rule()
    assert "No run has finished yet" in text(admin, f"/rules/proposal/?open=publish&rule={rule.pk}")
    assert admin.get("/rules/proposal/?open=publish&rule=99").status_code == 404
    assert admin.get("/rules/proposal/?open=x").status_code == 404


def test_findings_name_and_link_their_rules(admin: Client) -> None:
    over = records.rule("Over", ends_at="2020-01-01T00:00:00+00:00")
    page = text(admin, "/rules/findings/")
    assert "1 thing to check" in page
    assert f'<a href="/rules/{over.pk}/">Over</a>' in page


def test_the_list_of_rules_in_chinese(admin: Client) -> None:
    records.published(records.rule())
    admin.cookies["django_language"] = "zh-hans"
    page = text(admin)
    assert "新建规则" in page
    assert "类目为 Tea 的商品" in page
    assert "已上线" in page


@pytest.mark.parametrize("address", ["/rules/", "/rules/?open=publish&rule={}", "/rules/{}/", "/rules/versions/"])
def test_pages_of_rules_take_few_queries(admin: Client, address: str) -> None:
    segment = records.segment()
    items = [records.condition("category", TEA), records.condition("item", "sku-bean", operator="is_not")]
    rules = [records.rule(f"Rule {number}", segment=segment.number, items=items) for number in range(8)]
    records.published(*rules[:6])
    ModelVersion.objects.update(is_live=True)
    with CaptureQueriesContext(connection) as queries:
        text(admin, address.format(rules[7].pk))
    assert len(queries) <= MOST_QUERIES, "\n".join(query["sql"][:230] for query in queries)


def test_changes_of_a_live_rule_are_discarded_and_had_again(admin: Client) -> None:
    rule = records.rule()
    records.published(rule)
    discard = f'action="/rules/{rule.pk}/discard/"'
    for address in ("/rules/", f"/rules/{rule.pk}/"):
        assert discard not in text(admin, address)
    admin.post(f"/rules/{rule.pk}/", records.form(strength="20", revision=1))
    for address in ("/rules/", f"/rules/{rule.pk}/"):
        assert discard in text(admin, address)
    page = admin.post(f"/rules/{rule.pk}/discard/", follow=True).content.decode()
    assert "The changes to “Tea first” are discarded" in page
    rule.refresh_from_db()
    assert (rule.strength, discard in page) == (40, False)
    token = re.search(r'name="token" value="([^"]+)"', page)
    assert token
    admin.post("/undo/", {"token": token.group(1), "back": "/rules/"})
    rule.refresh_from_db()
    assert rule.strength == 20
