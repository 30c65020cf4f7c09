"""What waits for staff, and where it is done."""

from datetime import timedelta

import pytest
from django.core.cache import cache

from analytics.queries.overview.waiting import waiting
from recommendations.models import BlendWeights, Campaign, Item, Slate, Staff
from recommendations.push_terms import CampaignKind, Purpose
from recommendations.services import approvals
from recommendations.services.campaigns.lifecycle import ask_for_review, create_campaign, save_draft, send_back
from recommendations.store.events.partitions import prepare_partitions
from recommendations.terms import Role
from tests.analytics import records, rule_records
from tests.analytics.records import NOW
from tests.services.campaigns.test_form import draft

pytestmark = pytest.mark.django_db


def told() -> list[tuple[str, str, str]]:
    cache.clear()
    found = waiting(NOW, staff=Staff(role=Role.VIEWER))
    assert all(each.level == "info" for each in found)
    return [(each.text, each.address, each.link) for each in found]


def test_nothing_waits_in_a_quiet_shop() -> None:
    records.published("home")
    assert told() == []


def test_a_draft_and_a_proposal_of_weights() -> None:
    live = records.published("home", number=2)
    proposed = BlendWeights.objects.create(blend=live.blend, number=1, weights={}, status="proposed", reason="a run")
    assert told() == []  # something newer was published since
    BlendWeights.objects.filter(pk=proposed.pk).update(number=3)
    BlendWeights.objects.create(blend=live.blend, number=4, weights={}, status="draft", reason="a test")
    assert told() == [
        ("The weights of “For you” have a draft that is not live.", "/weights/?blend=home", "Open the draft"),
        ("A run proposes other weights for “For you”.", "/weights/?blend=home", "See the proposal"),
    ]


def test_rules_that_are_drafts_and_rules_that_end_within_a_week() -> None:
    rule_records.shop()
    Item.objects.update(listed_at=NOW - timedelta(days=60))
    ends = [NOW + timedelta(days=days) for days in (-1, 2, 8)]
    rules = [rule_records.rule(f"Until {end:%d}", ends_at=end.isoformat()) for end in ends]
    assert told() == [("3 rules are drafts, or have changes that are not live.", "/rules/", "See the rules")]
    rule_records.published(*rules)
    [(text, address, link)] = told()
    assert (text, address) == (
        "The rule “Until 17” ends on 17 Sep 06:00.", f"/rules/{rules[1].pk}/"
    )  # fmt: skip
    assert link == "Extend it, or let it end"


def test_of_many_rules_that_end_only_the_number_is_said() -> None:
    rule_records.shop()
    Item.objects.update(listed_at=NOW - timedelta(days=60))
    rule_records.published(
        *(rule_records.rule(f"No. {n}", ends_at=(NOW + timedelta(days=n)).isoformat()) for n in range(1, 5))
    )
    [(text, address, _link)] = told()
    assert text.startswith("4 rules end within 7 days, the first on 16 Sep 06:00.")
    assert address == "/rules/?status=live"


def test_new_items_that_stood_in_none_of_the_newest_lists() -> None:
    seen, _unseen = records.item("a"), records.item("b")
    old = [records.item(f"old{number}").pk for number in range(2)]
    Item.objects.filter(pk__in=old).update(listed_at=NOW - timedelta(days=29))
    assert told() == [], "half of the catalogue is new: a shop in its first weeks"
    Item.objects.filter(pk=records.item("old2").pk).update(listed_at=NOW - timedelta(days=29))
    prepare_partitions(NOW, NOW)
    Slate.objects.create(
        served_at=NOW, recommendation_id="r", placement="home", source="model", personalised=True, items=[seen.pk],
        scores=[1], propensities=[1],
    )  # fmt: skip
    [(text, address, _link)] = told()
    assert text == "1 of 2 items new in the last 28 days appeared in none of the latest lists."
    assert address == "/catalogue/items/?days=28&sort=-listed"


def test_approvals_need_who_may_publish_and_what_was_sent_back_its_author() -> None:
    rule_records.shop()
    Item.objects.update(listed_at=NOW - timedelta(days=60))
    ann, cem, bob = (
        Staff.objects.create_user(f"{name}@example.com", role=role)
        for name, role in (("ann", Role.MERCHANDISER), ("cem", Role.MERCHANDISER), ("bob", Role.PUBLISHER))
    )
    rule = rule_records.rule("Tea first")
    weights = records.published("home")
    draft = BlendWeights.objects.create(blend=weights.blend, number=4, weights={}, status="draft", reason="a test")
    [of_rule, of_weights] = approvals.ask(drafts=[rule, draft], note="Tea week", by=ann, now=NOW)

    def needs(staff: Staff) -> list[tuple[str, str]]:
        cache.clear()
        lines = waiting(NOW, staff=staff, approvals=2)
        return [(line.text, line.address) for line in lines if line.level == "warning"]

    assert needs(bob) == [("2 drafts wait for approval.", "/approvals/")]
    assert needs(ann) == needs(cem) == []
    approvals.send_back(request=of_rule, note="Green tea only", by=bob, now=NOW)
    approvals.send_back(request=of_weights, note="Less", by=bob, now=NOW)
    assert needs(ann) == [
        ("“Tea first” was sent back: “Green tea only”", f"/rules/{rule.pk}/"),
        (f"“{draft}” was sent back: “Less”", "/weights/?blend=home"),
    ]
    assert needs(cem) == []
    approvals.ask(drafts=[rule], note="Green, then", by=ann, now=NOW + timedelta(hours=1))
    assert [text for text, _ in needs(ann)] == [f"“{draft}” was sent back: “Less”"]


def test_a_campaign_that_was_sent_back_waits_for_who_asked() -> None:
    ann, bob = (Staff.objects.create_user(f"{name}@example.com", role=Role.PUBLISHER) for name in ("ann", "bob"))
    fields = {"kind": CampaignKind.ONCE, "trigger": None, "purpose": Purpose.NEWS, "draft": draft()}
    spring, _other = (
        create_campaign(name=name, **fields, by=bob, now=NOW)  # type: ignore[arg-type]
        for name in ("Spring", "Summer")
    )

    def needs(staff: Staff) -> list[tuple[str, str]]:
        cache.clear()
        return [(line.text, line.address) for line in waiting(NOW, staff=staff) if line.level == "warning"]

    ask_for_review(campaign=spring, note="look", by=ann, now=NOW)
    assert needs(ann) == []
    send_back(campaign=spring, note="Shorter", by=bob)
    assert needs(ann) == [("“Spring” was sent back: “Shorter”", f"/campaigns/{spring.pk}/edit/")]
    assert needs(bob) == []
    Campaign.objects.update(archived_at=NOW)
    assert needs(ann) == []


def test_who_asked_hears_that_somebody_else_changed_the_draft_meanwhile() -> None:
    ann, bob = (Staff.objects.create_user(f"{name}@example.com", role=Role.PUBLISHER) for name in ("ann", "bob"))
    spring = create_campaign(
        name="Spring", kind=CampaignKind.ONCE, trigger=None, purpose=Purpose.NEWS, draft=draft(), by=ann, now=NOW
    )

    def needs(staff: Staff) -> list[str]:
        cache.clear()
        return [line.text for line in waiting(NOW, staff=staff) if line.level == "warning"]

    def change(by: Staff, hours: int) -> None:
        spring.refresh_from_db()
        mine = draft(when={"expires_hours": hours})
        save_draft(campaign=spring, name="Spring", draft=mine, revision=spring.revision, by=by, now=NOW)

    ask_for_review(campaign=spring, note="look", by=ann, now=NOW)
    change(bob, 48)
    assert needs(ann) == ["“Spring” no longer waits for approval: bob changed it. Ask again."]
    assert needs(bob) == []
    ask_for_review(campaign=spring, note="look again", by=ann, now=NOW)
    assert needs(ann) == []
    change(ann, 72)
    assert needs(ann) == []  # it was said as they saved
