"""Whom people follow, from events to answers: it helps who is new, tells nothing of anybody, changes no regular."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import numpy as np
import pytest
import pytest_django
from scipy import sparse

from recommendations.engine.ranking.confidence import LITTLE_KNOWN
from recommendations.engine.recommenders.interests import Config, Interests
from recommendations.event_types import EventName
from recommendations.loop import preprocess
from recommendations.loop.context import RunContext
from recommendations.models import Category, Customer, Event, ModelVersion
from recommendations.serving.pipeline import recommend
from recommendations.serving.types import Answer, ResolvedRequest
from recommendations.store.events.pseudonyms import pseudonym
from recommendations.store.live.state import NOTHING
from recommendations.store.models.model import load_model, load_snapshot, moment
from recommendations.store.serving.snapshot import Snapshot
from recommendations.store.serving.snapshot_holder import SnapshotHolder
from recommendations.terms import Cut, Reason, Source
from tests.event_frames import event_frame
from tests.trained import NOW, trained_shop

pytestmark = pytest.mark.django_db
TEA = (3, 8, 13, 18, 23)  # customers of one taste
NEWCOMER, QUIET, CHANGED = "newcomer", "quiet", "changed"


def follow() -> None:
    """Somebody new follows people who drink tea, another two of them, a third no longer; a regular follows others."""
    people = {name: Customer.objects.create(pseudonym=pseudonym(name)) for name in (NEWCOMER, QUIET, CHANGED)}
    regular = Customer.objects.get(pseudonym=pseudonym("u4"))
    said = [(people[NEWCOMER], number, EventName.FOLLOW) for number in TEA]
    said += [(people[QUIET], number, EventName.FOLLOW) for number in TEA[:2]]
    said += [(people[CHANGED], 3, EventName.FOLLOW), (people[CHANGED], 3, EventName.UNFOLLOW)]
    said += [(regular, number, EventName.FOLLOW) for number in TEA]
    Event.objects.create(
        customer=regular, name=EventName.FOLLOW, event_id=uuid4(), target_type="category", target_id="FOOD > WINE",
        occurred_at=NOW - timedelta(days=60),
    )  # fmt: skip
    Event.objects.bulk_create(
        Event(
            customer=who, name=name, event_id=uuid4(), target_type="customer",
            target_id=pseudonym(f"u{number}").hex(), occurred_at=NOW - timedelta(days=60) + timedelta(minutes=place),
        )
        for place, (who, number, name) in enumerate(said)
    )  # fmt: skip


@pytest.fixture(scope="module", autouse=True)
def shop(django_db_setup: None, django_db_blocker: pytest_django.DjangoDbBlocker) -> Iterator[None]:
    with trained_shop(django_db_blocker, furnished=follow):
        yield


@pytest.fixture
def snapshot() -> Snapshot:
    return SnapshotHolder().current(None)


def answer(snapshot: Snapshot, name: str | None, *, placement: str = "home") -> Answer:
    customer = None if name is None else Customer.objects.get(pseudonym=pseudonym(name)).pk
    request = ResolvedRequest(placement=placement, customer=customer, recommendation_id="r-1", n=5, explore=False)
    return recommend(request, snapshot=snapshot, state=NOTHING, now=NOW)


@pytest.mark.parametrize("cut", Cut)
def test_every_cut_knows_who_followed_whom_then(cut: Cut) -> None:
    model = load_model(ModelVersion.objects.live().get().pk, cut)
    assert model.links is not None
    newcomer, changed = (Customer.objects.get(pseudonym=pseudonym(name)).pk for name in (NEWCOMER, CHANGED))
    assert model.links.follows[model.links.followers.row(newcomer)].nnz == len(TEA)
    assert model.links.followers.row(changed) == -1
    assert model.users.row(newcomer) == -1
    regular = model.users.row(Customer.objects.get(pseudonym=pseudonym("u4")).pk)
    assert model.training.links is not None
    assert model.training.links[[regular]].nnz == len(TEA)
    assert model.training.links.nnz == len(TEA)


def test_who_is_new_gets_what_those_like_whom_they_follow(snapshot: Snapshot) -> None:
    given = answer(snapshot, NEWCOMER)
    assert given.source is Source.MODEL
    assert given.personalised
    assert {shown.product.title.split()[0] for shown in given.shown} == {"Tea"}
    for shown in given.shown:
        assert set(shown.contributions) <= {LITTLE_KNOWN, "popularity_home", "segments"}
        assert shown.contributions[LITTLE_KNOWN] > 0
    told = [reason for shown in given.shown for reason in shown.reasons if reason.code is Reason.FOLLOWING]
    assert told
    assert all(set(reason.evidence) == {"people"} and reason.evidence["people"] >= 3 for reason in told)


@pytest.mark.parametrize("name", [QUIET, CHANGED])
def test_who_follows_two_or_nobody_any_more_gets_what_everybody_takes(snapshot: Snapshot, name: str) -> None:
    """A list made of one or two people would tell what these bought."""
    given, everybody = answer(snapshot, name), answer(snapshot, None)
    assert not given.personalised
    assert [shown.item for shown in given.shown] == [shown.item for shown in everybody.shown]


@pytest.mark.parametrize("placement", ["home", "discover"])
def test_a_regular_gets_the_same_with_and_without_links(snapshot: Snapshot, placement: str) -> None:
    model = snapshot.model
    assert model is not None
    bare = replace(model, links=None, training=replace(model.training, links=None))
    with_links, without = (
        answer(snapshot, "u4", placement=placement),
        answer(replace(snapshot, model=bare), "u4", placement=placement),
    )
    assert [(shown.item, shown.score) for shown in with_links.shown] == [
        (shown.item, shown.score) for shown in without.shown
    ]


def test_who_objects_is_lent_nothing(snapshot: Snapshot) -> None:
    newcomer = Customer.objects.get(pseudonym=pseudonym(NEWCOMER))
    objecting = replace(snapshot, objectors=frozenset({newcomer.pk}))
    assert not answer(objecting, NEWCOMER).personalised


@pytest.mark.parametrize("cut", Cut)
def test_a_link_to_a_category_is_three_acts_of_a_regulars_interest(cut: Cut) -> None:
    model = load_model(ModelVersion.objects.live().get().pk, cut)
    followed = model.training.followed
    assert followed is not None
    regular = model.users.row(Customer.objects.get(pseudonym=pseudonym("u4")).pk)
    [wine] = model.categories.rows(np.array([Category.objects.get(path="FOOD > WINE").pk]))
    assert followed.nonzero()[0].tolist() == [regular]
    assert followed[regular, wine] == pytest.approx(3)
    bare = replace(model.training, followed=None)
    interests, again = (Interests(Config()).fit(training, seed=0) for training in (model.training, bare))
    for name in ("categories_", "within_", "overall_"):  # what is learned of the shop is the same to the bit
        one, other = (sparse.csr_matrix(getattr(each, name)).toarray() for each in (interests, again))
        np.testing.assert_array_equal(one, other)
    rows = np.arange(len(model.users))
    ours, without = (interests.score(training.queries(rows)) for training in (model.training, bare))
    others = rows != regular
    np.testing.assert_array_equal(ours[others], without[others])
    assert not np.array_equal(ours[regular], without[regular])


def test_other_event_weights_are_tried_with_whom_and_what_people_follow_too() -> None:
    version = ModelVersion.objects.select_related("run").get()
    context = RunContext.of(version.run, cut=None, report=lambda *_a, **_k: None)  # type: ignore[arg-type]
    events = event_frame(until=moment(context.windows.cuts[Cut.LIVE]))
    past = preprocess._cleaned_before(context.windows.cuts[Cut.TEST], [events])
    made, _ = load_snapshot(version.pk, Cut.TEST)
    shop = preprocess._shop(context)
    now, other = preprocess._trial(context, Cut.TEST, past, shop, {}, few=None, recent=events, made=made)
    for name in ("links", "followed"):
        before, after = (getattr(each.made.training, name) for each in (now, other))
        assert before.nnz > 0
        assert (before != after).nnz == 0
