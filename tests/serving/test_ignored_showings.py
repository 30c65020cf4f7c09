"""What a customer was shown and did not click goes down: at every door alike, never wrong, and again exactly."""

import uuid
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import permutations
from math import log2
from typing import Any

import numpy as np
import pytest
from django.utils import timezone

from recommendations.engine.ranking.rules import unit
from recommendations.event_types import EventName
from recommendations.ingest.accept import accept
from recommendations.ingest.event_schema import EventContextForm, EventForm, EventItemForm
from recommendations.ingest.facts import REPLAY, Sender
from recommendations.models import Arm, BlendWeights, Customer, Experiment, Item, Placement, Slate
from recommendations.services.operations.placements import set_placement
from recommendations.services.review.review import live_ready
from recommendations.services.review.waterfall import TermKind, waterfall
from recommendations.serving.past.again import Reconstruction, Sameness, again
from recommendations.serving.pipeline import Prepared, complete
from recommendations.serving.serve import serve, serve_all, serve_page, serve_written
from recommendations.serving.types import Answer, PageRequest, Request
from recommendations.simulation.diagnosis import diagnose
from recommendations.store.events.pseudonyms import pseudonym
from recommendations.store.live import fetch, writes
from recommendations.store.live.state import RECENT_ACTS, LiveEvent, Showing
from recommendations.store.live.valkey import valkey
from recommendations.store.serving.slates import write_slates
from recommendations.store.serving.snapshot_holder import current_snapshot
from recommendations.terms import AnswerStage, ExperimentKind, ExperimentStatus, Metric

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("shop")]

HOME = Request(placement="home", user_id="u0", n=8)


@pytest.fixture(autouse=True)
def _live_state_is_whole(_empty_valkey: None) -> None:
    BlendWeights.objects.filter(is_default=True).update(exploration=0, cards=0, diversity=0)
    Placement.objects.filter(name="home").update(fatigue=0.25)
    fetch.announce(*fetch.Changed)
    current_snapshot()
    writes.rebuild()


def key(user: str = "u0") -> int:
    return Customer.objects.get(pseudonym=pseudonym(user)).pk


def event(name: str, items: Sequence[str] = (), *, at: datetime, of: str | None = "r-1", **more: Any) -> EventForm:
    lines = [EventItemForm(item, index=slot) for slot, item in enumerate(items, 1)]
    if name == EventName.PURCHASE:
        more["transaction_id"] = "t"
    return EventForm(
        event_id=uuid.uuid4(), name=name, timestamp=at, user_id="u0", items=lines, recommendation_id=of, **more
    )


def take(*forms: EventForm) -> None:
    verdicts = accept(forms, Sender(replays=True), now=timezone.now())
    assert {verdict.verdict for verdict in verdicts} == {"accepted"}


def seen(shop_id: str, *, times: int = 4, days: float = 0, name: str = "r") -> None:
    """The item was seen so often at the first slot."""
    at = timezone.now() - timedelta(days=days)
    take(*(event(EventName.VIEW_ITEM_LIST, [shop_id], at=at, of=f"{name}-{days}-{each}") for each in range(times)))


def shown(customer: int | None = None) -> tuple[Showing, ...]:
    return fetch.state_of(customer or key(), since=None, showings=True).state.shown


def ask(request: Request = HOME) -> Answer:
    return serve(request, now=timezone.now())


def ready() -> Prepared:
    return live_ready(customer=key(), placement="home", n=8)


def looks(prepared: Prepared, shop_id: str) -> float:
    ignored = prepared.params.ignored
    assert ignored is not None
    row = prepared.snapshot.stock.ids.row(Item.objects.get(shop_id=shop_id).pk)
    return float(ignored.looks[ignored.items.tolist().index(row)])


def test_four_showings_at_known_ages_give_the_term_by_hand() -> None:
    """η = .6: slots 1, 1, 4, 2 seen now, a week, two weeks and three weeks ago; κ = 20, β = ¼."""
    top = ask().shown[0]
    now = timezone.now()
    for number, (slot, weeks) in enumerate([(1, 0), (1, 1), (4, 2), (2, 3)]):
        line = EventItemForm(top.product.shop_id, index=slot)
        form = event(EventName.VIEW_ITEM_LIST, at=now - timedelta(weeks=weeks), of=f"r-{number}")
        form.items = [line]
        take(form)
    e = 1 + 1 / 2 + 4**-0.6 / 4 + 2**-0.6 / 8
    prepared = ready()
    assert looks(prepared, top.product.shop_id) == pytest.approx(e, rel=1e-3)  # the tick is up to 5 minutes ago
    plain = replace(prepared, params=replace(prepared.params, ignored=None, n=1000))
    pool = [each.score for each in complete(plain).shown if each.contributions]
    card = next(each for each in complete(replace(prepared, params=replace(prepared.params, n=1000))).shown
                if each.item == top.item)  # fmt: skip
    assert card.fatigue == pytest.approx(-0.25 * unit(np.array(pool)) * log2(1 + e / 20), rel=1e-3)
    assert card.ignored == 4
    assert card.final == pytest.approx(card.score + card.fatigue)
    (term,) = [each for each in waterfall(card, rules={}) if each.kind is TermKind.FATIGUE]
    assert (term.times, term.value) == (4, card.fatigue)
    assert sum(each.value or 0 for each in waterfall(card, rules={})) == pytest.approx(card.final)


def test_a_click_or_a_purchase_forgives_what_came_before_it_in_any_order() -> None:
    top = ask().shown[0].product.shop_id
    now = timezone.now()
    acts = [
        event(EventName.VIEW_ITEM_LIST, [top], at=now - timedelta(hours=3), of="r-one"),
        event(EventName.SELECT_ITEM, [top], at=now - timedelta(hours=2)),
        event(EventName.VIEW_ITEM_LIST, [top], at=now - timedelta(hours=1), of="r-two"),
    ]
    found = []
    for order in permutations(acts):
        writes.remember([writes.Forgotten(key())])
        take(*(replace_id(form) for form in order))
        found.append(looks(ready(), top))
    assert found == pytest.approx([1.0] * 6, abs=0.01)
    take(event(EventName.PURCHASE, [top], at=now - timedelta(minutes=30)))
    ignored = ready().params.ignored
    assert ignored is not None
    assert not len(ignored.items)


def replace_id(form: EventForm) -> EventForm:
    form.event_id = uuid.uuid4()
    return form


def test_the_purchases_that_the_model_knows_forgive_as_well() -> None:
    """A showing from before a purchase in the model's history does not count."""
    prepared = ready()
    history = prepared.customer.history
    assert history is not None
    last = history.last.max()
    items = prepared.candidates.model.items.ids[history.rows[history.last == last]].tolist()  # type: ignore[union-attr]
    before = LiveEvent(key(), EventName.VIEW_ITEM_LIST, items[0], datetime.fromtimestamp(last - 60, UTC), 1, "r-1")
    writes.remember([before])
    ignored = ready().params.ignored
    assert ignored is not None
    assert not len(ignored.items)
    writes.remember([before._replace(at=timezone.now(), answer="r-2")])
    ignored = ready().params.ignored
    assert ignored is not None
    assert ignored.times.tolist() == [1]


def test_a_repeated_event_changes_nothing_and_sixty_showings_are_remembered() -> None:
    form = event(EventName.VIEW_ITEM_LIST, ["tea-1", "tea-2"], at=timezone.now())
    take(form)
    before = shown()
    assert [(each.slot, each.answer) for each in sorted(before, key=lambda each: each.slot)] == [(1, "r-1"), (2, "r-1")]
    assert accept([form], Sender(), now=timezone.now())[0].verdict == "duplicate"
    assert shown() == before
    take(replace_id(form))  # the same answer, told of by another event
    assert shown() == before
    seen("tea-3", times=70)
    assert len(shown()) == 60


def test_of_somebody_with_more_acts_than_are_remembered_only_newer_showings_count() -> None:
    now, items = timezone.now(), list(Item.objects.values_list("pk", flat=True)[: RECENT_ACTS // 2 + 1])
    seen("tea-1", times=1, days=2)
    seen("tea-2", times=1)
    names = (EventName.VIEW_ITEM, EventName.ADD_TO_WISHLIST)
    teas = set(Item.objects.filter(shop_id__in=["tea-1", "tea-2"]).values_list("pk", flat=True))
    others = [item for item in Item.objects.values_list("pk", flat=True) if item not in teas][: len(items)]
    writes.remember(
        [LiveEvent(key(), name, item, now - timedelta(days=1)) for item in others for name in names][:RECENT_ACTS]
    )
    ignored = ready().params.ignored
    assert ignored is not None
    assert ignored.items.tolist() == [ready().snapshot.stock.row_of["tea-2"]]


def test_a_whole_answer_that_was_seen_counts_at_its_slots_and_the_replay_s_do_not() -> None:
    answer = ask()
    write_slates()
    take(event(EventName.VIEW_ITEM_LIST, at=timezone.now(), of=answer.recommendation_id))
    slots = {each.item: each.slot for each in shown()}
    assert slots == {each.item: each.rank for each in answer.shown}
    replayed = event(EventName.VIEW_ITEM_LIST, ["soap-1"], at=timezone.now(), of="r-2")
    replayed.context = EventContextForm(source=REPLAY)
    take(replayed)
    assert len(shown()) == len(slots)


def test_valkey_that_lost_its_showings_gets_them_back_and_the_record_stands_in() -> None:
    take(event(EventName.VIEW_ITEM_LIST, ["tea-1", "tea-2", "soap-1"], at=timezone.now(), of="r-12345678abcdef"))
    answer = ask()
    write_slates()
    take(event(EventName.VIEW_ITEM_LIST, at=timezone.now(), of=answer.recommendation_id))
    before = fetch.state_of(key(), since=None, showings=True).state
    valkey().run(lambda pipeline: pipeline.flushdb())
    assert sorted(shown()) == sorted(before.shown)  # from PostgreSQL
    writes.rebuild()
    assert fetch.state_of(key(), since=None, showings=True).state == before
    assert fetch.state_of(key(), since=None).state.shown == ()
    writes.remember([writes.Forgotten(key())])  # as when the customer is erased
    assert shown() == ()


def test_showings_are_remembered_only_where_an_answer_may_depend_on_them() -> None:
    placement = Placement.objects.get(name="home")
    set_placement(placement=placement, changes={"fatigue": 0.0}, by=None)
    fetch.announce(*fetch.Changed)
    ask()
    seen("tea-1")
    assert shown() == ()
    writes.rebuild()
    assert shown() == ()


def test_turning_it_on_makes_what_was_shown_before_known(django_capture_on_commit_callbacks: Any) -> None:
    test_showings_are_remembered_only_where_an_answer_may_depend_on_them()
    with django_capture_on_commit_callbacks(execute=True):
        set_placement(placement=Placement.objects.get(name="home"), changes={"fatigue": 0.25}, by=None)
    writes.remember([LiveEvent(key(), EventName.VIEW_ITEM, Item.objects.get(shop_id="soap-1").pk, timezone.now())])
    assert writes.rebuild_if_lost() > 0
    assert len(shown()) == 4


def wear_out(*, times: int = 40) -> Answer:
    """The first of the list is ignored so often that another one comes first."""
    before = ask()
    seen(before.shown[0].product.shop_id, times=times)
    after = ask()
    assert after.shown[0].item != before.shown[0].item
    return before


def test_every_door_gives_the_same_order_and_other_placements_are_as_before() -> None:
    discover = [each.item for each in ask(replace(HOME, placement="discover")).shown]
    wear_out()
    items = [each.item for each in ask().shown]
    assert [each.item for each in complete(ready()).shown] == items
    rendered: list[list[int]] = []

    def write(answer: Answer) -> bytes:
        rendered.append([each.item for each in answer.shown])
        return str(len(rendered)).encode()

    serve_written(HOME, write=write, now=timezone.now())
    serve_all([HOME], write=write, now=timezone.now())
    serve_page(PageRequest(name="home", shared=replace(HOME, placement="")), write=write, now=timezone.now())
    assert rendered[0] == rendered[1] == items
    assert any(items[:4] == each[:4] for each in rendered[2:])
    assert [each.item for each in ask(replace(HOME, placement="discover")).shown] == discover


def test_a_cached_answer_is_not_given_after_another_showing() -> None:
    def write(answer: Answer) -> bytes:
        return str([each.item for each in answer.shown]).encode()

    now = timezone.now()
    first = serve_written(HOME, write=write, now=now).content
    wear_out()
    assert serve_written(HOME, write=write, now=now).content != first


def test_an_answer_is_made_again_exactly() -> None:
    wear_out()
    answers = [ask(), ask(replace(HOME, placement="discover"))]
    serve_page(
        PageRequest(name="home", shared=replace(HOME, placement="")), write=lambda _answer: b"", now=timezone.now()
    )
    valkey().run(lambda pipeline: pipeline.delete(fetch.BUILT))
    answers.append(ask())  # PostgreSQL stands in
    write_slates()
    seen("tea-1", times=9)
    slates = list(Slate.objects.filter(customer=key()))
    assert len(slates) > len(answers)
    for slate in slates:
        assert again(Reconstruction.of(slate, live=current_snapshot(), now=timezone.now())).sameness is Sameness.EXACT


def test_why_not_names_the_stage_and_the_funnel_adds_up() -> None:
    before = wear_out(times=60)
    prepared = ready()
    prepared = replace(prepared, params=replace(prepared.params, n=1))
    stands = diagnose(prepared, complete(prepared), before.shown[0].item)
    assert stands.stage is AnswerStage.FATIGUE
    assert complete(prepared).trace.tired == 1


def test_an_arm_alone_may_let_items_go_down() -> None:
    Placement.objects.filter(name="home").update(fatigue=0)
    one = Experiment.objects.create(
        name="Test", kind=ExperimentKind.AB, salt=b"s" * 16, primary=Metric.REVENUE, status=ExperimentStatus.RUNNING,
        started_at=timezone.now(),
    )  # fmt: skip
    one.placements.set(Placement.objects.filter(name="home"))
    for position, beta in enumerate((0.0, 0.5)):
        Arm.objects.create(
            experiment=one, position=position, changes={"placements": {"home": {"fatigue": beta}}}, share=0.5
        )
    fetch.announce(*fetch.Changed)
    first = ask(replace(HOME, dry_run=True, experiment=(one.pk, 0)))
    seen(first.shown[0].product.shop_id, times=40)
    orders = [
        [each.item for each in ask(replace(HOME, dry_run=True, experiment=(one.pk, position))).shown]
        for position in (0, 1)
    ]
    assert orders[0] == [each.item for each in first.shown]
    assert orders[1][0] != orders[0][0]


def test_who_objects_gets_everybody_s_answer() -> None:
    seen("tea-1", times=9)
    writes.remember([writes.Objection(key(), objected=True)])
    assert ready().params.ignored is None
