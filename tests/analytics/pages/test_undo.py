"""What was just done is taken back, exactly, by the one who did it; an old token, or somebody else's, does nothing."""

import re
import time
from collections.abc import Callable

import pytest
from django.core import signing
from django.test import Client
from django.utils import timezone

from analytics.pages.undo import MOST_AGE, SALT, WAYS
from recommendations.models import Audience, BlendWeights, Rule, RuleBook, Segment, Staff
from recommendations.services.access.policy import Action
from recommendations.services.audiences.editing import save_audience
from recommendations.services.rules.attributes import frozen
from recommendations.services.rules.books import present_order
from recommendations.services.weights import drafts
from recommendations.services.weights.values import Values
from recommendations.terms import BlendName, Role, RuleStatus, WeightsStatus
from tests.analytics import records, rule_records
from tests.analytics.rule_records import COFFEE

pytestmark = pytest.mark.django_db

HTMX = {"HX-Request": "true"}
SPENT = {"all": [{"kind": "spent", "operator": "at_least", "amount": 10, "days": 90}], "none": []}


@pytest.fixture(autouse=True)
def _shop() -> None:
    rule_records.shop()


def token(client: Client, address: str = "/rules/") -> str:
    """The token of the toast on the next page."""
    [found] = re.findall(r'name="token" value="([^"]+)"', client.get(address).content.decode())
    return str(found)


def take_back(client: Client, address: str = "/rules/") -> str:
    answer = client.post("/undo/", {"token": token(client, address), "back": address}, follow=True)
    assert answer.redirect_chain == [(address, 302)]
    return answer.content.decode()


def test_an_archived_rule_comes_back_to_its_place(admin: Client) -> None:
    first, second = rule_records.rule("First"), rule_records.rule("Second")
    admin.post(f"/rules/{first.pk}/archive/")
    assert present_order() == [second.pk]
    assert "Undone: it is as it was before." in take_back(admin)
    assert present_order() == [first.pk, second.pk]


def test_a_changed_rule_is_as_it_was(admin: Client) -> None:
    rule = rule_records.rule(segment=rule_records.segment().number, starts_at="2026-12-01T08:00")
    before = frozen(rule)
    admin.post(
        f"/rules/{rule.pk}/",
        rule_records.form(name="Coffee", revision=1, strength="-20", **{"items-0-values": [COFFEE]}),
    )
    assert frozen(Rule.objects.get()) != before
    take_back(admin, f"/rules/{rule.pk}/")
    assert frozen(Rule.objects.get()) == before


def test_a_rule_that_was_changed_again_is_left_alone(admin: Client) -> None:
    rule = rule_records.rule()
    admin.post(f"/rules/{rule.pk}/", rule_records.form(revision=1, strength="10"))
    early = token(admin, f"/rules/{rule.pk}/")
    admin.post(f"/rules/{rule.pk}/", rule_records.form(revision=2, strength="20"))
    answer = admin.post("/undo/", {"token": early, "back": "/rules/"}, follow=True)
    assert "It was changed or published in the meantime, so nothing was undone." in answer.content.decode()
    assert Rule.objects.get().strength == 20


def test_the_order_of_rules_goes_back(admin: Client) -> None:
    rows = [rule_records.rule(name) for name in ("a", "b", "c")]
    before = [row.pk for row in rows]
    admin.post("/rules/order/", {"key": [before[2], before[0], before[1]]})
    assert present_order() == [before[2], before[0], before[1]]
    take_back(admin)
    assert present_order() == before
    admin.post("/rules/order/", {"rule": before[0], "to": "up"})
    assert 'name="token"' not in admin.get("/rules/").content.decode()  # it is the first: nothing moved


def test_withdrawn_rules_are_served_again_and_drafts_keep_their_changes(admin: Client) -> None:
    served, other = rule_records.rule("Served"), rule_records.rule("Other")
    book = rule_records.published(served, other)
    admin.post(f"/rules/{other.pk}/", rule_records.form(name="Other", revision=1, strength="5"))
    admin.get("/rules/")
    admin.post("/rules/withdraw/", {"rule": served.pk, "based_on": book.number, "note": "too early"})
    assert [rule["name"] for rule in RuleBook.objects.get(is_default=True).rules] == ["Other"]
    take_back(admin)
    live = RuleBook.objects.get(is_default=True)
    assert (live.number, live.rules) == (book.number + 2, book.rules)
    assert Rule.objects.get(pk=other.pk).strength == 5
    page = admin.get(f"/rules/?status={RuleStatus.CHANGED}").content.decode()
    assert "1 of 2 rules" in " ".join(page.split())


def test_withdrawing_is_not_undone_over_a_later_book(admin: Client) -> None:
    first, second = rule_records.rule("First"), rule_records.rule("Second")
    book = rule_records.published(first)
    admin.post("/rules/withdraw/", {"rule": first.pk, "based_on": book.number, "note": "too early"})
    early = token(admin)
    rule_records.published(second)
    answer = admin.post("/undo/", {"token": early}, headers=HTMX).content.decode()
    assert "nothing was undone" in answer
    assert [rule["name"] for rule in RuleBook.objects.get(is_default=True).rules] == ["Second"]


def test_audiences_come_back_in_name_in_conditions_and_in_order(admin: Client) -> None:
    first, second = (
        save_audience(audience=None, name=name, conditions=SPENT, revision=None, by=None, now=timezone.now())
        for name in ("First", "Second")
    )
    admin.post("/audiences/order/", {"audience": second.pk, "to": "up"})
    assert list(Audience.objects.unarchived()) == [second, first]
    take_back(admin, "/audiences/")
    assert list(Audience.objects.unarchived()) == [first, second]
    admin.post(f"/audiences/{first.pk}/archive/")
    take_back(admin, "/audiences/")
    assert list(Audience.objects.unarchived()) == [first, second]
    sent = {
        "name": "Big spenders", "revision": str(Audience.objects.get(pk=first.pk).revision), "row-0-side": "all",
        "row-0-kind": "viewed", "row-0-days": "30", "row-0-times": "1",
    }  # fmt: skip
    admin.post(f"/audiences/{first.pk}/", sent)
    assert Audience.objects.get(pk=first.pk).name == "Big spenders"
    take_back(admin, f"/audiences/{first.pk}/")
    stored = Audience.objects.get(pk=first.pk)
    assert (stored.name, stored.conditions) == ("First", first.conditions)


def test_the_former_name_of_a_segment_comes_back(admin: Client) -> None:
    segment = rule_records.segment()
    admin.post(f"/segments/{segment.number}/rename/", {"name": "Coffee & people"})
    assert Segment.objects.get().name == "Coffee & people"
    take_back(admin, "/segments/")
    assert Segment.objects.get().name == "Tea lovers"


def test_discarded_weights_come_back_to_the_last_digit(admin: Client) -> None:
    records.published(BlendName.HOME)
    weights = {"buy_again": 3, "repurchase": 5, "interests": 7}
    draft = drafts.save_draft(
        blend=BlendName.HOME, values={"weights": weights, "diversity": 0.3}, revision=None, by=None, now=timezone.now()
    )
    values = Values.of(draft)
    admin.post("/weights/discard/", {"blend": BlendName.HOME, "revision": "1"})
    assert not BlendWeights.objects.filter(status=WeightsStatus.DRAFT).exists()
    take_back(admin, "/weights/")
    assert Values.of(BlendWeights.objects.get(status=WeightsStatus.DRAFT)) == values


def test_a_token_is_for_its_doer_who_still_may(admin: Client, client_of: Callable[[Role], Client]) -> None:
    rule = rule_records.rule()
    admin.post(f"/rules/{rule.pk}/archive/")
    mine = token(admin)
    assert client_of(Role.PUBLISHER).post("/undo/", {"token": mine}).status_code == 403
    Staff.objects.filter(role=Role.ADMIN).update(role=Role.VIEWER)
    assert admin.post("/undo/", {"token": mine}).status_code == 403
    assert Rule.objects.get().archived_at is not None


ELSEWHERE = signing.dumps(["rule archived", 1, {"rule": 1}], salt="another")


@pytest.mark.parametrize("forged", ["", "x", "é", ELSEWHERE], ids=["empty", "word", "letter", "for something else"])
def test_what_was_not_signed_for_this_takes_nothing_back(admin: Client, forged: str) -> None:
    answer = admin.post("/undo/", {"token": forged, "back": "https://elsewhere.example/"}, follow=True)
    assert answer.redirect_chain == [("/", 302)]
    assert "It is too late to undo this here." in answer.content.decode()


def test_a_token_is_good_for_an_hour(admin: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    rule = rule_records.rule()
    with monkeypatch.context() as earlier:
        then = time.time() - MOST_AGE - 5
        earlier.setattr(time, "time", lambda: then)
        old = signing.dumps(["rule made", Staff.objects.get().pk, {"rule": rule.pk}], salt=SALT)
    assert "too late" in admin.post("/undo/", {"token": old}, headers=HTMX).content.decode()
    assert Rule.objects.unarchived().get() == rule


def test_every_way_back_asks_the_policy() -> None:
    assert {way.action for way in WAYS.values()} == {Action.DRAFT, Action.PUBLISH}
    assert WAYS["rules withdrawn"].action is Action.PUBLISH
