"""The linter on a seeded suite: sixty books with a known fault, all found, and sixty clean ones without a finding."""

import time
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
import pytest_django
from django.utils import translation

from recommendations.engine.ranking.linting.book import FaultKind, Linted, LintedShop
from recommendations.engine.ranking.linting.lint import lint as lint_sets
from recommendations.engine.ranking.linting.when import When
from recommendations.models import (
    Audience,
    AudienceMember,
    Customer,
    Item,
    LiveProfile,
    PageSlot,
    Placement,
    Segment,
)
from recommendations.services.rules.linter import Finding, FindingCode, Severity, lint
from recommendations.terms import RuleAction
from tests.rule_sets import BOOST, EXCLUDE, FAULTY, NOW, ONLY, PIN, SLOTS, Draw, clean, faulty, item
from tests.trained import trained_shop

pytestmark = pytest.mark.django_db

BOOKS = 60
FAULTS = [(code, number) for code in FindingCode for number in range(max(6, len(FAULTY[code])))]
FAULTS.append((FindingCode.CAP, 6))
"""Every way to go wrong at least once, and at least six of each kind."""


@pytest.fixture(scope="module", autouse=True)
def shop(django_db_setup: None, django_db_blocker: pytest_django.DjangoDbBlocker) -> Iterator[None]:
    with trained_shop(django_db_blocker):
        Placement.objects.update(n=SLOTS)
        PageSlot.objects.update(n=None)
        Placement.objects.filter(name="trending").update(enabled=False)
        Item.objects.filter(shop_id="soap-11").update(availability="out_of_stock")
        yield


@pytest.fixture
def known() -> dict[str, list[int]]:
    segments = LiveProfile.objects.order_by("segment__number").values_list("segment__number", flat=True)
    return {
        "segments": list(dict.fromkeys(segments)),
        "customers": list(Customer.objects.order_by("pk").values_list("pk", flat=True)),
    }


def test_every_fault_of_sixty_books_is_found(known: dict[str, list[int]]) -> None:
    missed = []
    for seed, (code, number) in enumerate(FAULTS):
        book, wrong = faulty(code, number, Draw(seed, **known))
        findings = lint(book, now=NOW)
        if not any(finding.code is code and set(finding.rules) == wrong for finding in findings):
            missed.append((seed, code, wrong, findings))
    assert missed == []
    assert len(FAULTS) == BOOKS


def test_sixty_clean_books_raise_no_alarm(known: dict[str, list[int]]) -> None:
    alarms = {seed: findings for seed in range(BOOKS) if (findings := lint(clean(Draw(1000 + seed, **known)), now=NOW))}
    assert alarms == {}


def only(findings: list[Finding]) -> Finding:
    assert len(findings) == 1, findings
    return findings[0]


def test_a_pin_beyond_what_the_shop_shows_is_warned_of(known: dict[str, list[int]]) -> None:
    """The placement has eight slots, and the page asks for five of them."""
    PageSlot.objects.filter(placement__name="home").update(n=5)
    draw = Draw(0, **known)
    assert lint([draw.pin(item("tea-1"), slot=5, placement="home")], now=NOW) == []
    finding = only(lint([draw.pin(item("tea-1"), slot=6, name="Tea", placement="home")], now=NOW))
    assert (finding.code, finding.severity) == (FindingCode.NEVER_FIRES, Severity.WARNING)
    assert finding.text == (
        "“Tea” pins to slot 6, beyond the 5 items that the shop shows at “For you”: choose a slot from 1 to 5."
    )


def test_a_finding_names_the_rules_and_the_remedy(known: dict[str, list[int]]) -> None:
    draw = Draw(0, **known)
    book = [
        draw.pin(item("tea-1"), slot=2, name="Tea first", placement="home"),
        draw.pin(item("wine-1"), slot=2, name="Wine first", placement="home"),
    ]
    finding = only(lint(book, now=NOW))
    assert (finding.code, finding.severity, finding.rules) == (FindingCode.TWO_PINS, Severity.ERROR, (1, 2))
    assert finding.text == "“Wine first” pins to slot 2, which “Tea first” fills already: choose another slot."
    with translation.override("zh-hans"):
        assert "“Wine first”置顶到第 2 位" in only(lint(book, now=NOW)).text


def test_only_a_pin_that_can_never_work_is_an_error(known: dict[str, list[int]]) -> None:
    draw = Draw(0, **known)
    partly = [draw.pin(item("tea-1"), slot=2, segment=draw.segments[0]), draw.pin(item("wine-1"), slot=2)]
    assert only(lint(partly, now=NOW)).severity is Severity.WARNING  # the special one first: it wins where it applies
    assert only(lint(partly[::-1], now=NOW)).severity is Severity.ERROR


def test_a_rule_for_a_customer_knows_the_segment_of_the_customer(known: dict[str, list[int]]) -> None:
    member = LiveProfile.objects.select_related("segment").order_by("pk").first()
    assert member is not None
    own = member.segment.number
    other = next(number for number in known["segments"] if number != own)
    draw = Draw(0, **known)
    pin = draw.pin(item("tea-1"), customer=member.customer_id)
    barred = only(lint([pin, draw.rule(EXCLUDE, item("tea-1"), segment=own)], now=NOW))
    assert (barred.code, barred.severity) == (FindingCode.CONTRADICTION, Severity.ERROR)
    assert lint([pin, draw.rule(EXCLUDE, item("tea-1"), segment=other)], now=NOW) == []
    assert only(lint([{**pin, "segment": other}], now=NOW)).code is FindingCode.NEVER_FIRES


def test_a_segment_that_is_gone_is_nobody(known: dict[str, list[int]]) -> None:
    gone = Segment.objects.create(number=77, name="Wine lovers")
    finding = only(lint([Draw(0, **known).pin(item("tea-1"), segment=gone.number)], now=NOW))
    assert (finding.code, finding.severity) == (FindingCode.NEVER_FIRES, Severity.WARNING)
    assert "is for nobody: choose a segment" in finding.text


def test_audiences_may_overlap_and_an_empty_one_is_nobody(known: dict[str, list[int]]) -> None:
    audiences = [Audience.objects.create(name=name) for name in ("Fans", "Newcomers", "Empty")]
    fan, newcomer = known["customers"][:2]
    for audience, customer in zip(audiences, (fan, newcomer), strict=False):
        AudienceMember.objects.create(audience=audience, customer_id=customer)
    fans, newcomers, empty = (audience.pk for audience in audiences)
    draw = Draw(0, **known)
    pin = draw.pin(item("tea-1"), slot=2, audience=fans)
    barred = only(lint([pin, draw.rule(EXCLUDE, item("tea-1"), audience=newcomers)], now=NOW))
    assert (barred.code, barred.severity) == (FindingCode.CONTRADICTION, Severity.WARNING)  # for whoever is in both
    assert only(lint([pin, draw.rule(EXCLUDE, item("tea-1"))], now=NOW)).severity is Severity.ERROR
    assert only(lint([draw.pin(item("tea-1"), audience=empty)], now=NOW)).code is FindingCode.NEVER_FIRES
    assert only(lint([{**pin, "customer": newcomer}], now=NOW)).code is FindingCode.NEVER_FIRES
    of_fan = draw.pin(item("wine-1"), customer=fan)
    assert only(lint([of_fan, draw.rule(EXCLUDE, item("wine-1"), audience=fans)], now=NOW)).severity is Severity.ERROR
    assert lint([of_fan, draw.rule(EXCLUDE, item("wine-1"), audience=newcomers)], now=NOW) == []


# On sets alone, without a shop


def linted(action: RuleAction, items: str, **fields: object) -> Linted:
    """``items``: one letter for each item, ``x`` where the rule means it."""
    when = {name: fields.pop(name) for name in ("placement", "segment", "starts", "ends") if name in fields}
    return Linted(action=action, when=When(**when), items=np.array([one == "x" for one in items]), **fields)  # type: ignore[arg-type]


def small_shop(n: int, *, slots: int) -> LintedShop:
    return LintedShop(
        now=0.0,
        sellable=np.ones(n, np.bool_),
        slots={"home": slots},
        segments={1: 5, 2: 5},
        audiences={},
        customers={},
    )


def faults(*rules: Linted, slots: int = 2) -> list[tuple[FaultKind, tuple[int, ...]]]:
    return [(fault.fault, fault.rules) for fault in lint_sets(rules, small_shop(len(rules[0].items), slots=slots))]


def test_small_books_have_the_faults_known_by_hand() -> None:
    assert faults(linted(ONLY, "xx...."), linted(ONLY, ".xxx..")) == [(FaultKind.TOO_FEW_LEFT, (0, 1))]  # one for two
    assert faults(linted(ONLY, "xxx..."), linted(ONLY, ".xxx..")) == []
    assert faults(linted(EXCLUDE, "x....."), linted(EXCLUDE, "xx....")) == [(FaultKind.SHADOWED, (0, 1))]
    assert faults(linted(EXCLUDE, "xx...."), linted(EXCLUDE, "..xx..")) == []
    assert faults(linted(EXCLUDE, "xxxx.."), linted(EXCLUDE, "....x.", segment=1)) == [(FaultKind.TOO_FEW_LEFT, (0, 1))]
    assert faults(linted(EXCLUDE, "xxx...", segment=2), linted(EXCLUDE, "...xxx", segment=1)) == []
    assert faults(linted(PIN, "xx....", slot=1), linted(EXCLUDE, "x.....")) == []
    assert faults(linted(PIN, "xx....", slot=1), linted(PIN, "x.....", slot=2)) == []  # the first may show the other
    assert faults(linted(PIN, "x.....", slot=1), linted(PIN, "xx....", slot=2)) == []
    assert faults(linted(BOOST, "xx....", strength=5), linted(BOOST, "x.....", strength=-5)) == []


def test_an_item_that_is_pinned_twice_on_a_page_is_shown_once() -> None:
    shop = replace(
        small_shop(6, slots=3), slots={"home": 3, "buy_again": 3, "cart": 3}, pages=[frozenset({"home", "buy_again"})]
    )

    def found(*rules: Linted) -> list[FaultKind]:
        return [fault.fault for fault in lint_sets(rules, shop)]

    home = linted(PIN, "x.....", slot=1, placement="home")
    assert found(home, linted(PIN, "x.....", slot=1, placement="buy_again")) == [FaultKind.PINNED_TWICE]
    assert found(home, linted(PIN, ".x....", slot=1, placement="buy_again")) == []
    assert found(home, linted(PIN, "xx....", slot=1, placement="buy_again")) == []  # it may show the other
    assert found(home, linted(PIN, "x.....", slot=1, placement="cart")) == []  # of no page with it
    assert found(home, linted(PIN, "x.....", slot=2, placement="home")) == [FaultKind.SHADOWED]
    for_one = linted(PIN, "x.....", slot=1, placement="home", segment=1)
    assert found(for_one, linted(PIN, "x.....", slot=2, placement="home")) == [FaultKind.PINNED_TWICE]
    assert found(for_one, linted(PIN, "x.....", slot=2, placement="buy_again", segment=2)) == []


def test_pages_of_the_shop_are_asked(known: dict[str, list[int]]) -> None:
    draw = Draw(0, **known)
    book = [
        draw.pin(item("tea-1"), name="Tea first", placement="home"),
        draw.pin(item("tea-1"), name="Tea again", placement="buy_again"),
    ]
    finding = only(lint(book, now=NOW))
    assert (finding.code, finding.severity) == (FindingCode.SHADOWED, Severity.WARNING)
    assert finding.text == (
        "“Tea again” pins an item that “Tea first” pins on the same page, where it is shown once: choose another item."
    )


def test_a_rule_that_never_acts_conflicts_with_no_other() -> None:
    off = linted(PIN, "x.....", slot=1, placement="nowhere")
    assert faults(off, linted(PIN, ".x....", slot=1)) == [(FaultKind.PLACEMENT_OFF, (0,))]
    gone = linted(EXCLUDE, "xxxxxx", ends=-1.0)
    assert faults(gone, linted(PIN, ".x....", slot=1)) == [(FaultKind.EXPIRED, (0,))]


def test_fifty_rules_on_65_000_items_take_less_than_two_seconds() -> None:
    draw = np.random.default_rng(3)
    actions = list(RuleAction)
    groups = draw.integers(0, 2000, 65_000).astype(np.int32)
    rules = [
        Linted(
            action=actions[number % 6],
            when=When(placement=["home", None][number % 2], segment=[None, 1, 2][number % 3]),
            items=draw.random(65_000) < draw.uniform(0.001, 0.2),
            slot=number % 20 + 1,
            strength=30 if number % 4 else -30,
            most=2,
            groups=groups,
            share=0.1,
        )
        for number in range(50)
    ]
    shop = LintedShop(
        now=0.0,
        sellable=draw.random(65_000) < 0.9,
        slots={"home": 20},
        segments={1: 5, 2: 5},
        audiences={},
        customers={},
    )
    started = time.process_time()
    assert lint_sets(rules, shop)
    assert time.process_time() - started < 2
