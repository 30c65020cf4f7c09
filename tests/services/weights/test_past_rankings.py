"""Past answers ranked again: by the function that serves, whatever has changed since."""

import numpy as np
import pytest
from django.utils import timezone

from recommendations.models import BlendWeights, Item, PageSlot, Placement, Segment, ShopPage, Slate
from recommendations.services.weights.draft_estimates import compared_weights
from recommendations.serving.past.again import Instead, Reconstruction, again
from recommendations.serving.serve import serve, serve_page
from recommendations.serving.types import PageRequest, Request
from recommendations.simulation.past_rankings import PastSample, past_sample
from recommendations.store.experiments.logged_answers import answer_log
from recommendations.store.live import fetch, writes
from recommendations.store.serving.slates import write_slates
from recommendations.store.serving.snapshot_holder import current_snapshot, snapshot_holder
from tests import answer_logs as logs

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("shop")]


@pytest.fixture(autouse=True)
def _explores(_empty_valkey: None) -> None:
    writes.rebuild()
    logs.explore()


def sample_of(draft: BlendWeights, *, placement: str = "home") -> PastSample:
    live = BlendWeights.objects.get(blend=draft.blend, is_default=True, segment=None, audience=None)
    now = timezone.now()
    return past_sample(
        answer_log(placement, now=now), compared_weights(draft, live), live=current_snapshot(), now=now,
        progress=lambda _share: None,
    )  # fmt: skip


def shown_instead(slate: Slate, draft: BlendWeights) -> list[int]:
    """What the time machine says that the draft would have shown."""
    made_of = Reconstruction.of(slate, live=current_snapshot(), now=timezone.now())
    return [shown.item for shown in again(made_of, instead=Instead(weights=draft.pk)).answer.shown]


def test_a_draft_ranks_what_the_time_machine_would_have_shown() -> None:
    slates = logs.answer(40)
    draft = logs.draft(weights=logs.mixed(0.4))  # explores nothing: its answer is its ranking
    sample = sample_of(draft)
    assert (len(sample.choices), sample.unmakeable, sample.others) == (40, 0, 0)
    keys = current_snapshot().stock.ids.ids
    wanted = sorted(shown_instead(slate, draft) for slate in slates)
    assert sorted(keys[choice.draft[: logs.SLOTS]].tolist() for choice in sample.choices) == wanted
    assert all(np.array_equal(choice.live, choice.ranking) for choice in sample.choices)
    assert any(not np.array_equal(choice.draft, choice.ranking) for choice in sample.choices)


def test_the_same_weights_rank_the_same() -> None:
    logs.answer(20)
    sample = sample_of(logs.draft())
    assert all(np.array_equal(choice.draft, choice.ranking) for choice in sample.choices)


def test_answers_of_before_a_change_of_the_shop_are_ranked_as_then() -> None:
    logs.answer(20)
    Item.objects.filter(shop_id="tea-1").update(price=77)  # behind the trail: nobody knows what it was
    fetch.announce(*fetch.Changed)
    snapshot_holder.drop()
    sample = sample_of(logs.draft())
    assert sample.unmakeable == 0  # and it changed no ranking


def test_answers_that_do_not_come_out_as_shown_are_not_counted_as_made() -> None:
    logs.answer(20)
    slate = Slate.objects.all()[0]
    Slate.objects.filter(recommendation_id=slate.recommendation_id).update(items=slate.items[::-1])
    sample = sample_of(logs.draft())
    assert (len(sample.choices), sample.answers) == (19, 20)


def test_nameless_answers_count_for_nothing() -> None:
    logs.answer(5)
    serve(Request(placement="home", user_id="u1", n=6, personalise=False), now=timezone.now())
    write_slates()
    sample = sample_of(logs.draft())
    assert (sample.answers, sample.nameless) == (5, 1)


def test_a_draft_of_a_segment_is_for_its_customers_alone() -> None:
    slates = logs.answer(60)
    segment = Segment.objects.filter(size__gt=0).earliest("number")
    model = current_snapshot().model
    assert model is not None
    inside = [slate for slate in slates if model.segments[model.users.row(slate.customer_id)] == segment.number]
    sample = sample_of(logs.draft(weights=logs.mixed(0.4), segment=segment))
    assert (len(sample.choices), sample.others) == (len(inside), 60 - len(inside))
    assert 0 < len(inside) < 60


def test_slots_of_a_page_are_ranked_without_what_stands_in_others() -> None:
    page = ShopPage.objects.create(name="front")
    for position, name in enumerate(("discover", "home"), 1):
        PageSlot.objects.create(page=page, placement=Placement.objects.get(name=name), position=position, n=5)
    fetch.announce(fetch.Changed.PLACEMENTS)
    for user in ("u0", "u1", "u2"):
        asked = PageRequest(name="front", shared=Request(placement="", user_id=user))
        serve_page(asked, write=lambda answer: answer.placement.encode(), now=timezone.now())
    write_slates()
    draft = logs.draft(weights=logs.mixed(0.4))
    sample = sample_of(draft)
    assert (len(sample.choices), sample.unmakeable) == (3, 0)
    keys = current_snapshot().stock.ids.ids
    wanted = sorted(shown_instead(slate, draft) for slate in Slate.objects.filter(placement="home"))
    assert sorted(keys[choice.draft[:5]].tolist() for choice in sample.choices) == wanted
