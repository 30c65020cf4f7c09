"""A run is started, watched, cancelled and resumed, while somebody else works with a segment: nothing disappears."""

import threading
from collections.abc import Callable, Iterator, Mapping
from functools import partial

import pytest
from django.db import connections
from django.utils import timezone
from playwright.sync_api import Page, expect

from recommendations.engine.feedback.tuning import SearchConfig, tuned
from recommendations.loop import adjust, run, train
from recommendations.loop.context import RunContext
from recommendations.models import ModelVersion, Rule, Run, Segment, Staff
from recommendations.services.operations.runs import start_run
from recommendations.services.rules.books import publish_rules
from recommendations.services.rules.editing import save_rule
from recommendations.terms import RunStatus, Stage
from tests.journeys.conftest import Visitor, committed
from tests.journeys.furnishing import EMAIL
from tests.trained import NOW

pytestmark = pytest.mark.django_db

TEA = [{"attribute": "category", "operator": "is", "values": ["FOOD > TEA"]}]


class Held:
    """The loop in a thread, which stands still before it trains until it may go on."""

    def __init__(self, key: Run) -> None:
        self._key = key
        self.may_train = threading.Event()
        self._thread = threading.Thread(target=self._go)

    def train(self, context: RunContext) -> Mapping[str, object]:
        assert self.may_train.wait(120)
        return train.fit_recommenders(context)

    def _go(self) -> None:
        try:
            run.run_loop(self._key.pk, clock=timezone.now)
        finally:
            connections.close_all()

    def begin(self) -> None:
        self._thread.start()

    def end(self) -> None:
        self.may_train.set()
        self._thread.join(180)
        assert not self._thread.is_alive()


@pytest.fixture
def held(site: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Run], Held]]:
    made: list[Held] = []
    monkeypatch.setattr(adjust, "tuned", partial(tuned, search=SearchConfig(draws=4, climbs=1, rounds=1)))

    def make(key: Run) -> Held:
        one = Held(key)
        stages = [(stage, cuts, one.train if stage is Stage.TRAIN else step) for stage, cuts, step in run.STAGES]
        monkeypatch.setattr(run, "STAGES", tuple(stages))
        made.append(one)
        one.begin()
        return one

    yield make
    for one in made:
        one.may_train.set()


def tea() -> tuple[Segment, Rule]:
    """The segment of those who drink tea with a name of its own, and a live rule for it."""
    segment = next(each for each in Segment.objects.all() if each.top_categories[0]["name"] == "Tea")
    Segment.objects.filter(pk=segment.pk).update(name="Tea drinkers")
    ada = Staff.objects.get(email=EMAIL)
    values = {"name": "Tea first", "segment": segment.number, "action": "boost", "strength": 40, "items": TEA}
    rule = save_rule(rule=None, values=values, revision=None, by=ada, now=NOW)
    publish_rules(rules=[rule.pk], based_on=None, note="a test", by=ada, now=NOW)
    return segment, rule


def waits_for(stage: Stage, key: Run, page: Page) -> None:
    """Wait until the stage of the run is over, and the browser says so by itself."""
    for _ in range(600):
        if committed(lambda: key.stages.filter(stage=stage, status=RunStatus.SUCCEEDED).exists()):
            break
        page.wait_for_timeout(100)
    expect(page.get_by_text("5 segments, the largest of 12")).to_be_visible(timeout=10_000)


def nothing_is_gone(other: Visitor, segment: Segment, rule: Rule, name: str) -> None:
    """The second browser sees all segments, and saves the segment's rule under another name."""
    page = other.page
    other.visit("/segments/")
    expect(page.locator(".segment-card")).to_have_count(5)
    expect(page.get_by_role("link", name="Tea drinkers")).to_be_visible()
    other.visit("/customers/")
    expect(page.get_by_role("cell", name="Tea drinkers").first).to_be_visible()
    other.visit(f"/rules/{rule.pk}/")
    expect(page.get_by_label("Segment", exact=True)).to_have_value(str(segment.number))
    page.get_by_label("Name", exact=True).fill(name)
    page.get_by_role("button", name="Save draft").click()
    expect(page.get_by_text(f"Draft “{name}” saved.")).to_be_visible()
    expect(page.get_by_label("Segment", exact=True)).to_have_value(str(segment.number))
    stored = committed(lambda: Rule.objects.get(pk=rule.pk))
    assert (stored.name, stored.segment_id) == (name, segment.pk)


def test_segments_and_what_hangs_on_them_hold_through_a_run(
    ada: Visitor, window: Callable[..., Visitor], held: Callable[[Run], Held]
) -> None:
    segment, rule = committed(tea)
    before = committed(lambda: list(Segment.objects.order_by("number").values()))
    other = window()
    other.log_in()

    key = committed(lambda: start_run(by=None, now=timezone.now(), in_worker=False))
    first = held(key)
    ada.visit(f"/runs/{key.pk}/")
    waits_for(Stage.INTERESTS, key, ada.page)
    nothing_is_gone(other, segment, rule, "Tea first, while it runs")

    ada.page.get_by_role("button", name="Cancel…").click()
    ada.page.get_by_role("button", name="Cancel the run").click()
    first.end()
    expect(ada.page.get_by_role("button", name="Resume")).to_be_visible(timeout=10_000)
    nothing_is_gone(other, segment, rule, "Tea first, after it was cancelled")
    assert committed(lambda: list(Segment.objects.order_by("number").values())) == before

    ada.page.get_by_role("button", name="Resume").click()
    committed(lambda: Run.objects.filter(pk=key.pk).update(status=RunStatus.QUEUED))
    second = held(key)
    second.end()
    assert committed(lambda: Run.objects.get(pk=key.pk)).status == RunStatus.SUCCEEDED
    assert committed(lambda: ModelVersion.objects.live().get()).run_id == key.pk
    nothing_is_gone(other, segment, rule, "Tea first, on the new model")
    ada.visit(f"/runs/{key.pk}/")
    expect(ada.page.get_by_text("All 5 segments stay, and each keeps at least 100% of its customers.")).to_be_visible()
    assert ada.complaints() == []
    assert other.problems == []
