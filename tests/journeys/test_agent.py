"""The push agent from its practice to an earlier night: each step as its people take it."""

import re
import statistics
import time
from collections import Counter
from datetime import timedelta
from decimal import Decimal

import numpy as np
import pytest
import pytest_django
from django.db import transaction
from django.utils import timezone
from playwright.sync_api import expect

from recommendations.engine.experiments.assignment import share_of
from recommendations.engine.push.agent.terms import AgentTerm, AgentTermKind, Menu, Slot
from recommendations.models import (
    Agent,
    AgentDecision,
    AgentPractice,
    AgentVersion,
    Campaign,
    Considered,
    Contact,
    Customer,
    PressureRules,
)
from recommendations.push_terms import AgentGroup, AgentStatus, CampaignKind, Purpose, Verdict
from recommendations.services.agents import practice
from recommendations.services.agents.learning import learn_night
from recommendations.services.agents.supervision import roll_back, the_agent
from recommendations.services.campaigns.form import as_json, frozen_of
from recommendations.services.campaigns.pressure import rules_now, season_salt
from recommendations.services.push.sendings import decide_pushes
from recommendations.services.push_models.agent_facts import live_version
from recommendations.services.push_models.agent_versions import menu_of
from tests.agent_records import decisions
from tests.journeys.conftest import Visitor, committed
from tests.push_records import contact
from tests.services.agents.test_deciding import believe
from tests.services.campaigns.test_form import draft, what
from tests.trained import NOW

pytestmark = pytest.mark.django_db

expect.set_options(timeout=15_000)
PAGE = "/campaigns/agent/"
MORNING = timezone.now().replace(hour=7, minute=0, second=0, microsecond=0)
"""Seven of today, whatever the clock says: all parts of the day are to come."""
TEXTS = {"en": {"subjects": ["One", "Two"], "heading": "Hello"}}
EVENING = MORNING + timedelta(hours=12)
CHECKED = 10  # days of answers
CELLS = "(rows) => rows.map((row) => [...row.cells].map((cell) => cell.innerText))"
LOOSELY = 5.0  # seconds, on a machine that does other things as well


@pytest.fixture(autouse=True)
def _installed(site: str, settings: pytest_django.Settings) -> None:
    """Two campaigns that want everybody who may be written to, at any hour, and nothing else that is due."""
    settings.PUBLIC_URL, settings.FOUR_EYES, settings.SHOP_TIME_ZONE = site, False, "UTC"
    settings.PUSH_FROM, settings.POSTAL_ADDRESS = "hello@shop.example", "1 Market Square"
    committed(furnish)


def furnish() -> None:
    AgentPractice.objects.all().delete()
    Campaign.objects.update(ended_at=timezone.now())
    Contact.objects.update(most_a_week=None, quiet_from=None, quiet_until=None)
    for number in range(40, 58):
        contact(f"u{number}")
    PressureRules.objects.update(
        quiet_from="00:00", quiet_until="00:00", holdout=0.1, caps=[{"channel": "email", "most": 1, "hours": 12}]
    )
    begin("Tea and biscuits", "home")
    begin("New in the shop", "discover")


def begin(name: str, placement: str) -> int:
    """A campaign of every morning, with two subjects."""
    parts = {
        "what": what(texts=TEXTS, blocks=[{"placement": placement, "n": 4}]),
        "when": {"weekdays": [1, 2, 3, 4, 5, 6, 7], "hour": "07:00:00", "clock": "shop"},
    }  # fmt: skip
    form = frozen_of(draft(**parts), recurring=True, triggered=False)
    made = Campaign.objects.create(
        slug=placement, name=name, kind=CampaignKind.RECURRING, purpose=Purpose.FOR_YOU
    )  # fmt: skip
    made.versions.create(number=1, frozen=as_json(form), starts_at=MORNING - timedelta(days=2))
    return made.pk


def decide(days: int) -> list[AgentDecision]:
    """Let the campaigns of a morning decide, so many days from today; what was decided on people then."""
    at = MORNING + timedelta(days=days)
    assert decide_pushes(now=at)
    return list(AgentDecision.objects.filter(day=at.date()))


def learn() -> None:
    """A night before this one, answers enough to act, and a belief by which it pays to write to some."""
    first = AgentVersion.objects.get()
    AgentVersion.objects.update(night=first.night - timedelta(days=1))
    assert learn_night(now=timezone.now()) is not None
    believe_in_some()
    menu, people = menu_of(first.menu), Customer.objects.values_list("pk", flat=True)
    rules = rules_now(now=timezone.now())
    held = {key for key in people if share_of(season_salt(rules), key) < rules.holdout}
    assert 0 < len(held) < len(people) / 3
    for day in range(CHECKED):
        answered_on(first, menu, set(people) - held, day, answered=day % 2 == 0)
        answered_on(first, menu, held, day, held=True, answered=False)


def believe_in_some() -> None:
    """A belief in evenings, and a price of mails by which it pays to write to half of the people."""
    version = live_version(now=timezone.now())
    assert version is not None
    mean = version.belief.start.copy()
    mean[version.menu.terms.index(AgentTerm(AgentTermKind.SLOT, slot=Slot.EVENING))] = 2.0
    believe(mean, scale=0.6)
    PressureRules.objects.update(prices={"email": 0.0})
    with transaction.atomic():
        Agent.objects.update(status=AgentStatus.ACTS)
        worth = [each.value for each in decide(0) if each.group == AgentGroup.AGENT]
        transaction.set_rollback(True)
    assert len(set(worth)) > 1
    PressureRules.objects.update(prices={"email": statistics.median(worth)})


def answered_on(version: AgentVersion, menu: Menu, people: set[int], days: int, **fields: object) -> None:
    """Messages of the rule on a day that is over, all the first option of the menu."""
    chances = np.zeros(len(menu.options) + 1, "<f4")
    chances[0] = 1.0
    day = version.night - timedelta(days=12 + days)
    decisions(people, day, version, menu=menu, group=AgentGroup.RULE, chances=chances.tobytes(), **fields)


@pytest.mark.timeout(600)
def test_from_a_practice_to_an_earlier_night(ada: Visitor) -> None:
    practises(ada)
    goes_as_far_as_acting(ada)
    tells_why_somebody_got_nothing(ada)
    keeps_to_what_is_forbidden(ada)
    pauses(ada)
    goes_back_a_night(ada)


def practises(ada: Visitor) -> None:
    page = ada.page
    ada.visit(PAGE)
    page.get_by_role("button", name="Practise on made people").click()
    expect(page.get_by_role("button", name="Cancel the practice")).to_be_visible()
    assert ada.complaints() == []
    committed(lambda: practice.work(AgentPractice.objects.get().pk, now=NOW + timedelta(days=30)))
    expect(page.locator("#practice-content .lead-sentence")).to_contain_text("The agent beside the rule: net worth")
    ada.settle()
    main = page.locator("main")
    expect(main).to_contain_text("Planted morning people found: yes.")
    expect(main).to_contain_text("stands in no other figure")
    expect(main).to_contain_text("At their own hours people answer")
    expect(main).to_contain_text("none was worth what it costs")
    assert adds_up(ada)
    assert ada.complaints() == []


def goes_as_far_as_acting(ada: Visitor) -> None:
    page = ada.page
    steps_to(ada, "Watches", "to see what it would do")
    assert any(each.held for each in committed(lambda: decide(-1)))
    page.get_by_role("link", name="Acts…").click()
    expect(page.get_by_role("dialog")).to_contain_text("0 of 200 answers within 56 days: 200 are still missing.")
    committed(learn)
    steps_to(ada, "Acts", "enough has been answered")
    assert committed(lambda: the_agent().status) == AgentStatus.ACTS
    assert ada.complaints() == []


def steps_to(ada: Visitor, step: str, note: str) -> None:
    page = ada.page
    ada.visit(PAGE)
    page.get_by_role("link", name=f"{step}…").click()
    page.get_by_role("dialog").get_by_label("Why (required)").fill(note)
    page.get_by_role("dialog").get_by_role("button", name=step).click()
    expect(page.locator(".agent-ladder .is-here")).to_contain_text(step)
    ada.settle()


def tells_why_somebody_got_nothing(ada: Visitor) -> None:
    """From the sending to the sum that chose, which is made of what stands above it."""
    page = ada.page
    decided = [each for each in committed(lambda: decide(0)) if each.group == AgentGroup.AGENT]
    assert {each.option < 0 for each in decided} == {True, False}, "some are worth a message, some are not"
    waits = Considered.objects.filter(verdict=Verdict.WAITS).select_related("occurrence")
    case = committed(waits.first)
    assert case is not None
    ada.visit(f"/campaigns/{case.occurrence.campaign_id}/sendings/{case.occurrence_id}/people/?verdict=waits")
    page.locator("tbody th a").first.click()
    page.get_by_role("link", name="Why the agent chose this").click()
    main = page.locator("main")
    expect(main).to_contain_text("The agent decided: Nothing today.")
    expect(main).to_contain_text(re.compile(r"chance [\d.]+% × caused [\d.]+ × \$[\d.]+ = .* tiredness .* = −?\$"))
    expect(main).to_contain_text(re.compile(r"\d+ of 32 models chose it\."))
    expect(main).to_contain_text("the model of the night")
    ada.settle()  # the sum stands below all that
    assert adds_up(ada)
    assert ada.complaints() == []


def adds_up(ada: Visitor) -> bool:
    """Whether each column of the sum is what its lines come to, but for their rounding to a thousandth."""
    rows = ada.page.locator("section[aria-labelledby=sum-title] tbody tr")
    texts = [[cell.strip() for cell in row] for row in rows.evaluate_all(CELLS)]
    total = next(place for place, row in enumerate(texts) if row[0] == "Sum")
    lines, sums = texts[:total], texts[total]
    assert total > 1
    assert len(sums) > 2
    return all(
        abs(sum(as_number(row[place]) for row in lines) - as_number(sums[place])) <= Decimal("0.0005") * (total + 1)
        for place in range(1, len(sums))
    )


def as_number(text: str) -> Decimal:
    return Decimal(text.replace("−", "-"))


def keeps_to_what_is_forbidden(ada: Visitor) -> None:
    """The evening is closed: what that would have changed stands beside the form before it is published."""
    page = ada.page
    ada.visit(PAGE)
    page.get_by_label("Forbid", exact=True).select_option(label="Evening, 17–21")
    effect = page.locator(".pressure-side")
    expect(effect).to_contain_text(re.compile(r"With this [1-9]\d* of [1-9]\d* decisions of the last two days would"))
    expect(effect).to_contain_text("Forbidden: nothing → Evening, 17–21 for all campaigns")
    page.get_by_label("Why (required)").fill("Evenings are for family")
    page.get_by_role("button", name="Publish").click()
    expect(page.locator("main")).to_contain_text("a2 holds")
    assert ada.complaints() == []


def pauses(ada: Visitor) -> None:
    """One click, and whoever decides next is the rule."""
    page = ada.page
    ada.visit(PAGE)
    began = time.monotonic()
    page.get_by_role("button", name="Pause").click()
    expect(page.get_by_role("button", name="Resume")).to_be_visible()
    assert time.monotonic() - began < LOOSELY
    committed(lambda: PressureRules.objects.update(prices={"email": 0.0}, lost_contact=0.0))  # it pays
    assert committed(lambda: decide(1)) == []
    considered = Considered.objects.filter(occurrence__due_at__gte=EVENING)
    verdicts = Counter(committed(lambda: list(considered.values_list("verdict", flat=True))))
    assert verdicts[Verdict.NOW] + verdicts[Verdict.LATER], verdicts
    assert Verdict.WAITS not in verdicts
    page.get_by_role("button", name="Resume").click()
    expect(page.get_by_role("button", name="Pause")).to_be_visible()


def goes_back_a_night(ada: Visitor) -> None:
    page = ada.page
    ada.visit(PAGE)
    first, last = committed(lambda: list(AgentVersion.objects.order_by("night")))
    assert last.is_live
    nights = page.locator("#nights tbody tr")
    nights.last.get_by_role("link", name="Back to this night…").click()
    page.get_by_role("dialog").get_by_label("Why (required)").fill("the last one was odd")
    page.get_by_role("dialog").get_by_role("button", name="Back to this night").click()
    expect(nights.last).to_contain_text("decides")
    assert committed(lambda: AgentVersion.objects.get(is_live=True).pk) == first.pk
    assert committed(lambda: seconds_of_rolling_back(last)) < LOOSELY
    assert ada.complaints() == []


def seconds_of_rolling_back(version: AgentVersion) -> float:
    began = time.monotonic()
    roll_back(version, note="there and back", by=None)
    return time.monotonic() - began
