"""New items that were promised impressions get the last slot as often as the budget says, and all of it is said."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import numpy as np
import pytest

from recommendations.engine.ranking.offers import PromiseOffer
from recommendations.models import Customer, Item, NewItem, NewItemBudget, NewItemPromise, Placement, Slate
from recommendations.promise_terms import NewItemState
from recommendations.services.promises import fits
from recommendations.services.promises.publishing import PromiseForm, publish_promise
from recommendations.serving.past.again import Reconstruction, Sameness
from recommendations.serving.past.again import again as made_again
from recommendations.serving.pipeline import prepare, recommend
from recommendations.serving.serve import serve, serve_page, serve_written
from recommendations.serving.types import Answer, PageRequest, Request, ResolvedRequest
from recommendations.store.events.pseudonyms import pseudonym
from recommendations.store.live import fetch, writes
from recommendations.store.live.state import NOTHING
from recommendations.store.promises.served_promises import ServedPromises
from recommendations.store.serving.slates import write_slates
from recommendations.store.serving.snapshot import Snapshot
from recommendations.store.serving.snapshot_holder import SnapshotHolder, current_snapshot
from recommendations.terms import Reason
from tests.trained import NOW

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("shop")]
NEW = ("tea-9", "wine-9")
SHARE, TIMES = 0.3, 400


def promised(snapshot: Snapshot, *names: str, share: float = SHARE, load: float = 0.0) -> Snapshot:
    keys = sorted(Item.objects.filter(shop_id__in=names).values_list("pk", flat=True))
    promises = ServedPromises(
        items=tuple(keys), since=((NOW - timedelta(days=1)).timestamp(),) * len(keys), share=share, load=load
    )
    home = replace(snapshot.placements["home"], promised=promises)
    return replace(snapshot, placements={**snapshot.placements, "home": home})


@pytest.fixture
def snapshot() -> Snapshot:
    return SnapshotHolder().current(None)


def answers(snapshot: Snapshot, *, times: int = TIMES, **asked: Any) -> Iterator[Answer]:
    for number in range(times):
        request = ResolvedRequest(placement="home", recommendation_id=f"r-{number}", n=5, **asked)
        yield recommend(request, snapshot=snapshot, state=NOTHING, now=NOW)


def somebody(number: int = 0) -> int:
    return Customer.objects.get(pseudonym=pseudonym(f"u{number}")).pk


def test_the_last_slot_goes_to_a_new_item_as_often_as_there_is_need(snapshot: Snapshot) -> None:
    plain = next(answers(snapshot, times=1, customer=somebody()))
    new = [name for name in NEW if name not in {shown.product.shop_id for shown in plain.shown}]
    shown: Counter[str] = Counter()
    for answer in answers(promised(snapshot, *new), customer=somebody()):
        assert [each.item for each in answer.shown[:-1]] == [each.item for each in plain.shown[:-1]]
        last = answer.shown[-1]
        shown[last.product.shop_id] += 1
        if last.promised:
            assert last.product.shop_id in new
            assert (last.place, last.fixed, last.contributions) == (-1, True, {})
            assert [reason.code for reason in last.reasons] == [Reason.NEW]
            assert 0 < last.propensity <= SHARE
        else:
            assert last.item == plain.shown[-1].item
            assert last.propensity == pytest.approx((1 - SHARE) * plain.shown[-1].propensity)
    given = sum(shown[name] for name in new)
    assert abs(given / TIMES - SHARE) < 3 * np.sqrt(SHARE * (1 - SHARE) / TIMES)


def test_chances_of_a_slot_add_up_to_one(snapshot: Snapshot) -> None:
    chance: dict[int, float] = {}
    for answer in answers(promised(snapshot, *NEW), customer=None):  # of whom nothing is known: all fit alike
        last = answer.shown[-1]
        chance.setdefault(last.item, last.propensity)
        assert chance[last.item] == pytest.approx(last.propensity)
    assert sum(chance.values()) == pytest.approx(1)


def test_a_trial_draws_nothing_and_neither_does_what_nobody_may_see(snapshot: Snapshot) -> None:
    every = list(Item.objects.filter(shop_id__in=NEW).values_list("pk", flat=True))
    for asked in ({"explore": False}, {"exclude_items": tuple(every)}):
        for answer in answers(promised(snapshot, *NEW, share=1.0), times=20, customer=somebody(), **asked):
            assert not any(shown.promised for shown in answer.shown)


def test_strangers_get_new_items_too(snapshot: Snapshot) -> None:
    given = [answer.shown[-1] for answer in answers(promised(snapshot, *NEW, share=1.0), times=40, customer=None)]
    assert {shown.product.shop_id for shown in given if shown.promised} == set(NEW)


@pytest.fixture
def _open_promises() -> None:
    home = Placement.objects.get(name="home")
    form = PromiseForm(highest_share=0.5, new_days=365)
    promise = publish_promise(home, form, note="test", by=None, now=NOW)
    for item in Item.objects.filter(shop_id__in=NEW):
        NewItem.objects.create(
            placement=home, item=item, state=NewItemState.PROMISED, promise=promise, noted_at=NOW,
            promised_at=NOW - timedelta(days=1),
        )  # fmt: skip
    NewItemBudget.objects.create(placement=home, share=0.5, load=0, requests_a_day=100, counted_until=NOW)
    writes.rebuild()
    fetch.announce(*fetch.Changed)


@pytest.mark.usefixtures("_empty_valkey", "_open_promises")
def test_cached_answers_draw_anew_and_can_be_made_again_exactly() -> None:
    request = Request(placement="home", user_id="u3", n=5)
    for _ in range(40):
        serve_written(request, write=lambda answer: str(len(answer.shown)).encode(), now=NOW)
    serve(replace(request, user_id="u4"), now=NOW)
    write_slates()
    slates = list(Slate.objects.filter(placement="home"))
    replaced = [slate for slate in slates if slate.places[-1] == -1 and 4 in slate.fixed]
    assert 8 < len(replaced) < 33
    assert {slate.items[-1] for slate in replaced} <= set(NewItem.objects.values_list("item", flat=True))
    NewItemPromise.objects.update(is_default=False)
    NewItem.objects.update(state=NewItemState.KEPT)  # what is promised now has no say
    fetch.announce(*fetch.Changed)
    for slate in slates:
        past = made_again(Reconstruction.of(slate, live=current_snapshot(), now=NOW))
        assert past.sameness in {Sameness.EXACT, Sameness.ROUNDING}


@pytest.mark.usefixtures("_empty_valkey", "_open_promises")
def test_a_page_shows_a_new_item_once() -> None:
    page = PageRequest(name="home", shared=Request(placement="home", user_id="u3"))
    items = set(NewItem.objects.values_list("item", flat=True))
    for _ in range(20):
        serve_page(page, write=lambda _answer: b"", now=NOW)
    write_slates()
    by_page: dict[str, list[int]] = {}
    for slate in Slate.objects.all():
        by_page.setdefault(slate.recommendation_id[:-2], []).extend(slate.items)
    assert any(items & set(shown) for shown in by_page.values())
    assert all(len(shown) == len(set(shown)) for shown in by_page.values())


def test_what_is_written_of_an_item_says_how_well_it_fits(snapshot: Snapshot) -> None:
    model = snapshot.model
    assert model is not None
    every = [int(key) for key in model.items.ids]
    standing = fits.fits_of([*every, 10**9])
    assert set(standing) <= set(every)
    assert standing
    assert 0 <= min(standing.values()) <= max(standing.values()) < 1


def test_an_item_grows_from_its_texts_to_what_people_do_with_it(snapshot: Snapshot) -> None:
    """Each customer's own shelf speaks for an item: teas fit who buys tea, whichever of the two is asked."""
    keys = dict(Item.objects.filter(shop_id__in=("tea-9", "wine-9", "soap-9")).values_list("shop_id", "pk"))
    grown = fits.graduation_of(list(keys.values()))
    assert 0 < grown[keys["tea-9"]] < 1
    assert grown[keys["soap-9"]] == 0  # nobody bought it
    offers = [prepare_offer(promised(snapshot, *keys), somebody(number)) for number in (3, 4)]  # tea, wine
    rows = {name: int(snapshot.stock.ids.row(key)) for name, key in keys.items()}
    for offer, likes, other in zip(offers, ("tea-9", "wine-9"), ("wine-9", "tea-9"), strict=True):
        fit = dict(zip(offer.rows.tolist(), offer.fit.tolist(), strict=True))
        assert fit[rows[likes]] > fit[rows[other]]


def prepare_offer(snapshot: Snapshot, customer: int) -> PromiseOffer:
    ready = prepare(ResolvedRequest(placement="home", customer=customer), snapshot=snapshot, state=NOTHING, now=NOW)
    assert ready.offer is not None
    return ready.offer
