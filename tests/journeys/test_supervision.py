"""People supervise what the loop learns: a draft tried before anybody sees it, a bandit in practice, a past answer."""

import re
from collections.abc import Iterator
from decimal import Decimal

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from recommendations.models import BlendWeights, DraftEstimate, Experiment, Item, PracticeRun, RuleBook, Slate
from recommendations.services.catalogue.editing import update_item
from recommendations.services.experiments import practice, starting
from recommendations.services.weights import draft_estimates
from recommendations.serving.serve import serve
from recommendations.serving.types import Request
from recommendations.store.live import fetch, writes
from recommendations.store.serving.slates import write_slates
from recommendations.terms import WeightsStatus
from tests.analytics.pages.experiments.drafting import version
from tests.journeys.conftest import Visitor, committed

pytestmark = pytest.mark.django_db

expect.set_options(timeout=15_000)


def served(count: int) -> Slate:
    """Answers for the shop's front page, as a shop asks for them; the last of them."""
    writes.rebuild()
    answers = [serve(Request(placement="home", user_id=f"u{each}", n=8), now=timezone.now()) for each in range(count)]
    while write_slates():
        pass
    return Slate.objects.get(recommendation_id=answers[-1].recommendation_id)


def live() -> BlendWeights:
    return BlendWeights.objects.defaults().get(blend__name="home", segment=None)


def heaviest() -> str:
    weights = live().weights
    return str(max(weights, key=lambda name: float(weights[name])))


@pytest.fixture(autouse=True)
def _as_it_was(site: str) -> Iterator[None]:
    """Drafts, answers and experiments of a journey are its own."""
    before = committed(live)
    experiments = committed(lambda: list(Experiment.objects.values_list("pk", flat=True)))
    committed(lambda: BlendWeights.objects.filter(status=WeightsStatus.DRAFT).delete())
    yield

    def back() -> None:
        Experiment.objects.exclude(pk__in=experiments).delete()
        Slate.objects.filter(placement="home").delete()
        BlendWeights.objects.filter(is_default=True, blend=before.blend_id, segment=None).update(is_default=False)
        BlendWeights.objects.filter(pk=before.pk).update(is_default=True)
        fetch.announce(*fetch.Changed)

    committed(back)


def drafted(name: str) -> Experiment:
    return Experiment.objects.get(name=name, simulated=False)


def another_version(name: str, *, number: int, times: float) -> BlendWeights:
    """A published version with another weight for one recommender."""
    weights = live().weights
    return version(number, weights={**weights, name: weights[name] * times})


def change_all(name: str, item: int) -> None:
    """Other weights, a rule more, and another price of an item."""
    other, old = another_version(name, number=902, times=0), live()
    BlendWeights.objects.filter(pk=old.pk).update(is_default=False)
    BlendWeights.objects.filter(pk=other.pk).update(is_default=True)
    pin = {
        "id": 1, "name": "Soap", "placement": "home", "segment": None, "customer": None, "context": [],
        "starts_at": None, "ends_at": None, "items": [{"attribute": "item", "operator": "is", "values": ["soap-3"]}],
        "action": "pin", "slot": 1, "strength": None, "most": None, "per": "", "share": None,
    }  # fmt: skip
    RuleBook.objects.filter(is_default=True).update(is_default=False)
    RuleBook.objects.create(number=71, is_default=True, rules=[pin])
    one = Item.objects.get(pk=item)
    update_item(item=one, changes={"price": Decimal("99.5")}, by=None, now=timezone.now())
    fetch.announce(*fetch.Changed)


def draft_weights(visitor: Visitor, moves: dict[str, str]) -> None:
    visitor.visit("/weights/?blend=home")
    page = visitor.page
    for setting, value in moves.items():  # exploration is folded away
        box = page.locator(f'[data-setting="{setting}"] [type=number]')
        if not box.is_visible():
            page.locator("#exploring summary").click()
        box.fill(value)
        box.press("Tab")
    page.get_by_role("button", name="Save draft").click()
    expect(page.get_by_text("is saved. What is live stays live.")).to_be_visible()


def to_an_experiment(visitor: Visitor) -> None:
    """From the draft of the weights to the draft of an experiment with it."""
    page = visitor.page
    page.locator("#earned").scroll_into_view_if_needed()
    page.get_by_role("link", name="Test it live…").first.click()
    page.get_by_label("Why (required)").fill("A journey")  # the page has come: now the box can be counted
    anyway = page.get_by_label("Test it anyway (give a reason)")
    if anyway.count():
        anyway.check()
    page.get_by_role("button", name="Go on to the experiment").click()


def save_draft(page: Page) -> None:
    """Save the draft of an experiment by the keyboard: what comes meanwhile moves the button away from a pointer."""
    for part in page.locator("#plan, #preview").all():
        expect(part.locator("> *").first).to_be_visible()
    page.get_by_role("button", name="Save draft").last.press("Enter")


def practised(visitor: Visitor, *, truth: str) -> None:
    """Let simulated visitors through the draft that is open, as a worker does it, until its verdict stands there."""
    page = visitor.page
    page.get_by_role("link", name="Practise with simulated visitors…").click()
    page.get_by_role("dialog").get_by_text(truth, exact=False).first.click()
    page.get_by_role("button", name="Practise", exact=True).click()
    expect(page.get_by_role("heading", name=re.compile("Simulated visitors"))).to_be_visible()
    key = committed(lambda: PracticeRun.objects.latest("created_at").pk)
    committed(lambda: practice.work(key))
    expect(page.locator(".verdict-sentence")).not_to_contain_text("on their way")


def test_from_a_draft_to_what_it_would_have_earned_to_practice_to_everybody(ada: Visitor) -> None:
    page, first, before = ada.page, committed(heaviest), committed(live)
    committed(lambda: BlendWeights.objects.filter(pk=before.pk).update(exploration=0, cards=0))
    committed(lambda: fetch.announce(*fetch.Changed))
    committed(lambda: served(30))
    draft_weights(ada, {f"w.{first}": "5"})
    page.locator("#earned").scroll_into_view_if_needed()
    page.get_by_role("button", name="Ask past answers").click()
    expect(page.get_by_role("button", name="Cancel the estimate")).to_be_visible()
    key = committed(lambda: DraftEstimate.objects.latest("created_at").pk)
    committed(lambda: draft_estimates.estimate(key))
    earned = page.locator("#earned .lead-sentence")
    expect(earned).to_contain_text("Every answer was shown as ranked")
    expect(earned).to_contain_text("would be too few to judge this draft")  # the remedy
    assert ada.complaints() == []

    shuffled = page.get_by_role("spinbutton", name="Shuffled answers")
    page.locator("#exploring summary").click()
    shuffled.fill("10")
    page.get_by_role("button", name="Save draft").click()
    expect(page.locator("[data-setting=exploration] .field-error")).to_have_text("Enter a number from 0 to 1.")
    expect(shuffled).to_be_focused()
    expect(shuffled).to_be_in_viewport()
    ada.problems.clear()  # the console names the answer's status
    draft_weights(ada, {"exploration": "0.1"})
    price = page.locator("#exploring [role=status]")
    price.scroll_into_view_if_needed()
    expect(price).to_contain_text(re.compile(r"\d"))  # what it costs
    to_an_experiment(ada)
    page.get_by_label("Name", exact=True).fill("Less of the first")
    save_draft(page)
    practised(ada, truth="30% more clicks")
    expect(page.locator(".verdict-sentence")).to_contain_text("Ship B")
    assert ada.complaints() == []

    page.goto(f"{ada.site}/experiments/{committed(lambda: drafted('Less of the first').pk)}/")
    page.get_by_role("link", name="Start…").click()
    with page.expect_navigation():  # else nothing may be there to begin
        page.get_by_role("dialog").get_by_role("button", name="Start").click()
    committed(lambda: starting.begin_experiments(timezone.now()))
    page.reload()
    page.get_by_role("link", name="Publish B…").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Why (required)").fill("Better in practice")
    expect(dialog.get_by_text("Measuring on the test window…")).to_have_count(0)
    anyway = dialog.get_by_role("checkbox")
    if anyway.count():
        anyway.check()
    dialog.get_by_role("button", name="Publish").click()
    expect(page.locator(".tag-good").first).to_be_visible()
    assert committed(live).weights[first] < before.weights[first]
    page.get_by_role("link", name="History of this experiment").click()
    expect(page.locator("main")).to_contain_text("Better in practice")
    assert ada.complaints() == []


def test_a_bandit_of_three_versions_finds_the_best_in_practice(ada: Visitor) -> None:
    page, first = ada.page, committed(heaviest)
    third = committed(lambda: another_version(first, number=901, times=1.5))
    draft_weights(ada, {f"w.{first}": "5"})
    to_an_experiment(ada)
    page.get_by_label("Name", exact=True).fill("Which is best")
    page.get_by_role("button", name="Bandit").click()
    page.get_by_role("button", name="Add another version").click()
    page.locator("#arms select").nth(1).select_option(f"home:{third.pk}")
    page.get_by_label("Placement").select_option("home")
    save_draft(page)
    practised(ada, truth="30% more clicks")
    rows = page.locator("[aria-labelledby=bandit-arms-title] tbody tr")
    expect(rows).to_have_count(3)
    shares = [float(text.rstrip("%")) for text in rows.locator("td:nth-child(2)").all_inner_texts()]
    page.get_by_text("What is true").click()
    lifts = page.locator(".practice-banner tbody tr").filter(has_text="decides").locator("td").all_inner_texts()
    best = 1 + max(range(2), key=lambda arm: float(lifts[arm].replace("−", "-").rstrip("%")))
    assert shares[best] == max(shares)
    assert ada.complaints() == []


def test_yesterdays_answer_is_made_again_after_weights_rules_and_a_price_changed(ada: Visitor) -> None:
    page, first = ada.page, committed(heaviest)
    slate = committed(lambda: served(3))
    committed(lambda: change_all(first, slate.items[0]))
    ada.visit(f"/answers/{slate.recommendation_id}/")
    page.get_by_role("link", name="Make it again").click()
    expect(page.locator(".lead-sentence")).to_contain_text("exactly")
    causes = page.locator("[aria-labelledby=causes-title] th")
    expect(page.locator("[aria-labelledby=causes-title]")).to_be_visible()
    named = " ".join(causes.all_inner_texts())
    assert "weights" in named.lower()
    assert "rules" in named.lower()
    assert ada.complaints() == []
