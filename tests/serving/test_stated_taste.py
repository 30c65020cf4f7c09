"""What people say they like makes the list of whom little else is known, says so, and gives way to what they do."""

from dataclasses import replace
from datetime import timedelta

import pytest
from django.db.models import Q
from django.utils import timezone

from recommendations.engine.ranking.confidence import LITTLE_KNOWN, STATED_TASTE
from recommendations.event_types import EventName
from recommendations.models import Customer, Item
from recommendations.serving.pipeline import recommend
from recommendations.serving.types import Answer, ResolvedRequest
from recommendations.store.events.pseudonyms import pseudonym
from recommendations.store.live.state import NOTHING, Act, Liking, LikingKind, LiveState
from recommendations.store.serving.snapshot import Snapshot
from recommendations.store.serving.snapshot_holder import SnapshotHolder
from recommendations.terms import Fallback, Reason, Source
from recommendations.wording.reasons import reason_text
from tests.trained import NOW

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("shop")]
WINE = Liking(LikingKind.CATEGORY, "FOOD > WINE")
TAGGED = "for guests"


@pytest.fixture
def snapshot() -> Snapshot:
    Item.objects.filter(shop_id__startswith="cheese").update(tags=[TAGGED])
    return SnapshotHolder().current(None)


@pytest.fixture
def newcomer() -> int:
    return Customer.objects.create(pseudonym=b"n" * 32).pk


def views(shop_id: str, n: int) -> tuple[Act, ...]:
    """The first items of a shelf, looked at one after the other."""
    keys = [Item.objects.get(shop_id=f"{shop_id}-{number}").pk for number in range(n)]
    at = NOW - timedelta(hours=1)
    return tuple(
        Act(key, EventName.VIEW_ITEM, (at - timedelta(hours=place)).timestamp()) for place, key in enumerate(keys)
    )


def answer(
    snapshot: Snapshot, key: int | None, *likings: Liking, acts: tuple[Act, ...] = (), **asked: object
) -> Answer:
    state = LiveState(liked=likings, recent=acts)
    ask = ResolvedRequest(**{"placement": "home", "customer": key, "recommendation_id": "r-1", "n": 5, **asked})  # type: ignore[arg-type]
    return recommend(ask, snapshot=snapshot, state=state, now=NOW)


def shelves(found: Answer) -> list[str]:
    return [shown.product.title.split()[0] for shown in found.shown]


@pytest.mark.parametrize(
    ("liking", "words"),
    [
        (WINE, "You told us that you like Wine"),
        (Liking(LikingKind.ITEM, "wine-7"), "You told us that you like Wine 7"),
        (Liking(LikingKind.TAG, TAGGED), f"You told us that you like {TAGGED}"),
        (Liking(LikingKind.CATEGORY, "FOOD > WINE", followed=True), "You follow Wine"),
        (Liking(LikingKind.BRAND, "Brand 1", followed=True), "You follow Brand 1"),
    ],
)
@pytest.mark.parametrize("placement", ["home", "discover"])
def test_who_is_new_gets_what_they_said_with_the_reason(
    snapshot: Snapshot, newcomer: int, liking: Liking, words: str, placement: str
) -> None:
    found = answer(snapshot, newcomer, liking, placement=placement)
    assert (found.personalised, found.source, found.fallback_reason) == (True, Source.MODEL, None)
    liked = {
        LikingKind.BRAND: Q(brand=liking.name), LikingKind.TAG: Q(tags=[liking.name]),
        LikingKind.ITEM: Q(shop_id=liking.name),
    }.get(liking.kind, Q(title__startswith="Wine"))  # fmt: skip
    wanted = set(Item.objects.filter(liked).values_list("pk", flat=True))
    assert found.shown[0].item in wanted
    for shown in found.shown:
        assert shown.item in wanted or liking.kind is LikingKind.ITEM
        assert sum(shown.contributions.values()) == pytest.approx(shown.score, abs=1e-5)
    for shown in (one for one in found.shown if one.item in wanted):
        assert set(shown.contributions) >= {STATED_TASTE, LITTLE_KNOWN}
        assert shown.contributions[STATED_TASTE] > 0
        assert reason_text(shown.reasons[0].code, shown.reasons[0].evidence) == words


def test_of_several_likings_each_has_its_part(snapshot: Snapshot, newcomer: int) -> None:
    cheese = Liking(LikingKind.TAG, TAGGED)
    assert {*shelves(answer(snapshot, newcomer, WINE, cheese))} == {"Wine", "Cheese"}


def test_ten_real_acts_outweigh_it(snapshot: Snapshot, newcomer: int) -> None:
    bread = views("bread", 10)
    said = [
        answer(snapshot, newcomer, WINE, acts=bread[:n], n=12).shown[0].contributions.get(STATED_TASTE, 0)
        for n in (0, 3, 8)
    ]
    assert said[0] > 0
    after = answer(snapshot, newcomer, WINE, acts=bread)
    assert all(STATED_TASTE not in shown.contributions for shown in after.shown)
    assert shelves(after) == shelves(answer(snapshot, newcomer, acts=bread))
    few = answer(snapshot, newcomer, WINE, acts=bread[:3], n=12)
    assert {*shelves(few)} >= {"Wine", "Bread"}


def test_a_visit_does_not_make_the_list_forget_it(snapshot: Snapshot, newcomer: int) -> None:
    one = views("bread", 1)
    assert "Wine" in shelves(answer(snapshot, newcomer, WINE, acts=one))
    assert "Wine" not in shelves(answer(snapshot, newcomer, acts=one))


def test_of_a_regular_nothing_changes(snapshot: Snapshot) -> None:
    key = Customer.objects.get(pseudonym=pseudonym("u0")).pk  # buys bread, far more than ten
    plain, said = answer(snapshot, key), answer(snapshot, key, WINE)
    assert [(one.item, one.score) for one in said.shown] == [(one.item, one.score) for one in plain.shown]


@pytest.mark.parametrize(
    "liking", [Liking(LikingKind.CATEGORY, "GONE"), Liking(LikingKind.ITEM, "gone"), Liking(LikingKind.TAG, "gone")]
)
def test_what_the_shop_no_longer_has_is_as_if_nothing_was_said(
    snapshot: Snapshot, newcomer: int, liking: Liking
) -> None:
    assert shelves(answer(snapshot, newcomer, liking)) == shelves(answer(snapshot, newcomer))


def test_it_is_not_used_against_the_will(snapshot: Snapshot, newcomer: int) -> None:
    everybody = shelves(recommend(ResolvedRequest(placement="home", n=5), snapshot=snapshot, state=NOTHING, now=NOW))
    assert shelves(answer(snapshot, newcomer, WINE, personalise=False)) == everybody
    objects = LiveState(liked=(WINE,), objected=True)
    ask = ResolvedRequest(placement="home", customer=newcomer, n=5)
    found = recommend(ask, snapshot=snapshot, state=objects, now=NOW)
    assert shelves(found) == everybody
    assert not any(reason.code is Reason.STATED for shown in found.shown for reason in shown.reasons)


def newest(shelf: str, n: int) -> list[str]:
    """Let the last items of a shelf be the newest of the shop, the last one first."""
    ids = [f"{shelf}-{number}" for number in range(11, 11 - n, -1)]
    for place, shop_id in enumerate(ids):
        at = NOW - timedelta(hours=place)
        Item.objects.filter(shop_id=shop_id).update(listed_at=at, updated_at=timezone.now())
    return ids


def test_what_is_new_of_what_is_followed_comes_by_time_and_needs_no_model(newcomer: int) -> None:
    teas, wines = newest("tea", 3), newest("wine", 3)
    tea, brand = Liking(LikingKind.CATEGORY, "FOOD > TEA", True), Liking(LikingKind.BRAND, "Brand 2", True)
    with_model = SnapshotHolder().current(None)
    for snapshot in (with_model, replace(with_model, model=None)):
        found = answer(snapshot, newcomer, tea, placement="following", n=4)
        assert [shown.product.shop_id for shown in found.shown][:3] == teas
        assert {shown.product.title.split()[0] for shown in found.shown} == {"Tea"}
        assert (found.source, found.fallback_reason, found.personalised) == (Source.NEWEST, None, True)
        reasons = {reason_text(one.code, one.evidence) for shown in found.shown for one in shown.reasons}
        assert reasons == {"You follow Tea"}
    both = answer(with_model, newcomer, tea, brand, placement="following", n=4)
    assert [shown.product.shop_id for shown in both.shown] == [teas[0], wines[0], teas[1], teas[2]]


@pytest.mark.parametrize(
    "likings", [(), (WINE,), (Liking(LikingKind.BRAND, "Gone", True),)], ids=["nothing", "stated alone", "gone"]
)
def test_who_follows_nothing_gets_what_is_popular_and_is_told_so(
    snapshot: Snapshot, newcomer: int, likings: tuple[Liking, ...]
) -> None:
    found = answer(snapshot, newcomer, *likings, placement="following")
    assert (found.source, found.fallback_reason) == (Source.POPULAR, Fallback.NOTHING_FOLLOWED)
    assert found.shown
    unfilled = answer(snapshot, newcomer, *likings, placement="following", fill=False)
    assert unfilled.fallback_reason is Fallback.NOTHING_FOLLOWED
    assert not answer(snapshot, newcomer, *likings, placement="following").personalised


def test_following_is_not_used_against_the_will(snapshot: Snapshot, newcomer: int) -> None:
    tea = Liking(LikingKind.CATEGORY, "FOOD > TEA", True)
    assert answer(snapshot, newcomer, tea, placement="following", personalise=False).source is Source.POPULAR
