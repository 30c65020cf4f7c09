"""Verdicts of staff, and rules made from a card, on a shop that was really learned."""

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone, translation

from recommendations.models import AuditEntry, BlendWeights, Customer, Item, ModelVersion, Placement, Rule, Staff
from recommendations.services.review.judgements import judge, judged, judged_of_newest, judgements_of, wrong_items
from recommendations.services.rules.card_rules import STRENGTH, CardAction, card_rule
from recommendations.services.rules.editing import archive_rule, status_of
from recommendations.store.events.pseudonyms import pseudonym
from recommendations.store.live import fetch
from recommendations.store.rules.conditions import default_book, matching
from recommendations.terms import JudgementKind, Role, RuleStatus
from tests.review import review
from tests.trained import NOW

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("shop")]


@pytest.fixture
def merchandiser() -> Staff:
    return Staff.objects.create_user("merchandiser@example.com", role=Role.MERCHANDISER)


@pytest.fixture
def customer() -> Customer:
    return Customer.objects.get(pseudonym=pseudonym("u0"))


def shown(customer: Customer, placement: str = "home") -> list[Item]:
    return [card.item for card in review(customer=customer.pk, placement=placement).cards]


def say(customer: Customer, item: Item, judgement: JudgementKind, by: Staff, note: str = "") -> object:
    return judge(
        customer=customer, item=item, placement="home", judgement=judgement, note=note, rank=1, by=by, now=NOW
    )  # fmt: skip


def renumbered() -> None:
    """Weights whose number is not by chance their key, as in every shop that has published some."""
    BlendWeights.objects.defaults().filter(blend__name="home").update(number=4_000)
    fetch.announce(fetch.Changed.WEIGHTS)


def test_another_judgement_replaces_the_first_and_the_same_again_removes_it(
    customer: Customer, merchandiser: Staff
) -> None:
    bread = shown(customer)[0]
    say(customer, bread, JudgementKind.GOOD, merchandiser)
    assert say(customer, bread, JudgementKind.WRONG, merchandiser, " Never buys it ") is not None
    verdict = judgements_of(customer=customer.pk, placement="home", by=merchandiser)[bread.pk]
    assert (verdict.kind, verdict.note, verdict.rank) == (JudgementKind.WRONG, "Never buys it", 1)
    assert say(customer, bread, JudgementKind.WRONG, merchandiser, "Never buys it") is None
    assert judgements_of(customer=customer.pk, placement="home", by=merchandiser) == {}


def test_each_member_of_staff_has_a_judgement_of_their_own(customer: Customer, merchandiser: Staff) -> None:
    other = Staff.objects.create_user("other@example.com", role=Role.PUBLISHER)
    bread = shown(customer)[0]
    say(customer, bread, JudgementKind.GOOD, merchandiser)
    say(customer, bread, JudgementKind.ODD, other)
    own = [judgements_of(customer=customer.pk, placement="home", by=by)[bread.pk] for by in (merchandiser, other)]
    assert [verdict.kind for verdict in own] == ["good", "odd"]


def test_shares_of_judgements_are_counted_by_version(customer: Customer, merchandiser: Staff) -> None:
    renumbered()
    for item, judgement in zip(shown(customer)[:4], ["good", "good", "odd", "wrong"], strict=True):
        say(customer, item, JudgementKind(judgement), merchandiser)
    (version,) = judged()
    discovered = shown(customer, "discover")[0]
    judge(
        customer=customer,
        item=discovered,
        placement="discover",
        judgement=JudgementKind.ODD,
        rank=1,
        by=merchandiser,
        now=NOW,
    )
    newest = judged_of_newest(judged())
    assert newest is not None
    assert (newest.model, newest.counts) == (version.model, {"good": 2, "odd": 2, "wrong": 1})
    assert version.model == ModelVersion.objects.live().get().pk
    assert version.weights == BlendWeights.objects.defaults().get(blend__name="home")
    assert (version.total, version.counts[JudgementKind.GOOD]) == (4, 2)
    assert version.share(JudgementKind.GOOD) == pytest.approx((0.5, 0.1500, 0.8500), abs=1e-4)


def test_wrong_items_that_are_still_shown_come_first(customer: Customer, merchandiser: Staff) -> None:
    first, soap = shown(customer)[0], Item.objects.get(shop_id="soap-0")
    say(customer, soap, JudgementKind.WRONG, merchandiser)
    say(customer, first, JudgementKind.WRONG, merchandiser)
    say(customer, shown(customer)[1], JudgementKind.ODD, merchandiser)
    items = wrong_items()
    ranks = {wrong.judgement.item: wrong.rank for wrong in items}
    assert ranks[first] == 1
    assert items[0].judgement.item == first
    assert (ranks[soap] is None) == (soap not in shown(customer))


@pytest.mark.parametrize(
    ("action", "name", "does"),
    [
        (CardAction.PIN, "Pin Bread 4 to slot 3 on “For you”", {"action": "pin", "slot": 3, "customer": None}),
        (CardAction.BOOST, "Boost Bread 4 on “For you”", {"action": "boost", "strength": STRENGTH, "customer": None}),
        (CardAction.BURY, "Bury Bread 4 on “For you”", {"action": "boost", "strength": -STRENGTH, "customer": None}),
        (CardAction.NEVER, "Never Bread 4 for customer {customer}", {"action": "exclude", "placement": None}),
    ],
)
def test_a_card_becomes_a_draft_rule(
    action: CardAction, name: str, does: dict[str, object], customer: Customer, merchandiser: Staff
) -> None:
    bread, home = Item.objects.get(shop_id="bread-4"), Placement.objects.get(name="home")
    rule = card_rule(
        action=action, item=bread, placement=home, customer=customer, by=merchandiser, now=NOW, slot=3
    )  # fmt: skip
    assert rule.name == name.format(customer=customer.code)
    assert {field: getattr(rule, field) for field in does} == does
    assert list(matching(rule.items)) == [bread]
    if action is CardAction.NEVER:
        assert rule.customer == customer
    else:
        assert rule.placement == home
    assert status_of(rule, default_book(), NOW) is RuleStatus.DRAFT
    assert AuditEntry.objects.get(object_type="rule", object_id=str(rule.pk), verb="create").staff == merchandiser
    archive_rule(rule=rule, by=merchandiser, now=timezone.now())
    assert status_of(Rule.objects.get(pk=rule.pk), default_book(), NOW) is RuleStatus.ARCHIVED


def test_names_of_card_rules_are_in_the_language_of_staff(customer: Customer, merchandiser: Staff) -> None:
    bread, home = Item.objects.get(shop_id="bread-4"), Placement.objects.get(name="home")
    with translation.override("zh-hans"):
        rule = card_rule(
            action=CardAction.PIN, item=bread, placement=home, customer=customer, by=merchandiser, now=NOW, slot=1
        )
    assert rule.name == "在 “猜你喜欢” 把 Bread 4 固定在第 1 位"


def test_a_pin_beyond_the_slate_is_refused_at_its_field(customer: Customer, merchandiser: Staff) -> None:
    bread, home = Item.objects.get(shop_id="bread-4"), Placement.objects.get(name="home")
    with pytest.raises(ValidationError) as refused:
        card_rule(
            action=CardAction.PIN, item=bread, placement=home, customer=customer, by=merchandiser, now=NOW, slot=500
        )
    assert set(refused.value.message_dict) == {"slot"}
    assert not Rule.objects.exists()
