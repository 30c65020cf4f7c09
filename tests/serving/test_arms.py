"""Each person stays in one arm of an experiment, at every door, and gets what that arm changes and nothing else."""

from collections import Counter
from collections.abc import Mapping
from datetime import timedelta
from itertools import count
from typing import Any

import pytest
from django.utils import timezone

from recommendations.models import (
    Arm,
    ArmShare,
    Blend,
    BlendWeights,
    Customer,
    Experiment,
    PageSlot,
    Placement,
    RuleBook,
    Segment,
    ShopPage,
    ShopSetting,
    Slate,
    Unit,
)
from recommendations.serving import serve as serve_module
from recommendations.serving.arms import UnknownArmError
from recommendations.serving.serve import serve, serve_all, serve_page, serve_written
from recommendations.serving.serving_state import ServingState
from recommendations.serving.types import Answer, PageRequest, Request, ResolvedRequest
from recommendations.store.events.pseudonyms import pseudonym
from recommendations.store.live import fetch
from recommendations.store.live.valkey import valkey
from recommendations.store.serving.served_experiments import TRAFFIC_SALT
from recommendations.store.serving.slates import write_slates
from recommendations.store.serving.snapshot_holder import snapshot_holder
from recommendations.terms import ExperimentKind, ExperimentStatus, Metric
from tests.live_state import rebuild_live_state
from tests.trained import NOW

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("shop")]

PEOPLE = [f"u{number}" for number in range(24)]


@pytest.fixture(autouse=True)
def _live_state_is_whole(_empty_valkey: None) -> None:
    rebuild_live_state()
    ShopSetting.objects.create(key=TRAFFIC_SALT, value="0a" * 16)


def version(weights: Mapping[str, float], number: int = 90) -> BlendWeights:
    blend = Blend.objects.get(name="home")
    return BlendWeights.objects.create(
        blend=blend, number=number, weights=weights, status="published", reason="test", published_at=timezone.now()
    )


def experiment(*changes: Mapping[str, Any], placements: tuple[str, ...] = ("home",), **fields: Any) -> Experiment:
    """A running experiment with an arm for each of the changes, of even shares."""
    given = {"name": "Test", "kind": ExperimentKind.AB, "salt": b"s" * 16, "primary": Metric.REVENUE, **fields}
    one = Experiment.objects.create(status=ExperimentStatus.RUNNING, started_at=timezone.now(), **given)
    one.placements.set(Placement.objects.filter(name__in=placements))
    for position, own in enumerate(changes):
        Arm.objects.create(experiment=one, position=position, changes=own, share=1 / len(changes))
    fetch.announce(fetch.Changed.EXPERIMENTS)
    return one


def weights_test(**fields: Any) -> Experiment:
    served = BlendWeights.objects.get(blend__name="home", is_default=True, segment=None, audience=None)
    other = version({"als": 1.0})
    return experiment({"weights": {"home": served.pk}}, {"weights": {"home": other.pk}}, **fields)


def ask(user: str | None = "u0", placement: str = "home", **more: Any) -> Answer:
    now = more.pop("now", NOW)
    return serve(Request(placement=placement, user_id=user, **more), now=now)


def positions(users: list[str] = PEOPLE, **more: Any) -> dict[str, int | None]:
    answers = {user: ask(user, **more) for user in users}
    return {user: one.arms[0].position if one.arms else None for user, one in answers.items()}


def test_an_arm_serves_its_version_and_the_slate_says_so() -> None:
    test = weights_test()
    arms = {arm.position: arm for arm in test.arms.all()}
    numbers = {0: arms[0].changes["weights"]["home"], 1: arms[1].changes["weights"]["home"]}
    seen = set()
    for user in PEOPLE:
        answer = ask(user)
        (arm,) = answer.arms
        seen.add(arm.position)
        assert answer.weights is not None
        assert answer.weights.key == numbers[arm.position]
        assert set(answer.shown[0].contributions) == {"als"} or arm.position == 0
    assert seen == {0, 1}
    write_slates()
    assert {arm for slate in Slate.objects.all() for arm in slate.arms} == {arm.pk for arm in arms.values()}


def test_strangers_share_a_cached_answer_only_with_those_of_their_arm() -> None:
    weights_test()

    def write(answer: Answer) -> bytes:
        return repr((answer.arms[0].position, next(written_times))).encode()

    written_times = count()
    contents: dict[int, set[bytes]] = {0: set(), 1: set()}
    for number in range(40):
        request = Request(placement="home", anonymous_id=f"stranger-{number}")
        written = serve_written(request, write=write, now=NOW)
        (arm,) = serve(request, now=NOW).arms
        contents[arm.position].add(written.content)
        assert written.content.startswith(f"({arm.position},".encode())
    assert [len(each) for each in contents.values()] == [1, 1]


def test_a_person_stays_in_an_arm_at_every_door_and_in_every_process() -> None:
    weights_test()
    first = positions()
    snapshot_holder.drop()
    assert positions() == first
    requests = [Request(placement="home", user_id=user) for user in PEOPLE]
    written = serve_all(requests, write=lambda answer: str(answer.arms[0].position).encode(), now=NOW)
    assert [int(one.content) for one in written] == list(first.values())
    for user in PEOPLE[:6]:
        for _ in range(2):  # the second is cached
            one = serve_written(
                Request(placement="home", user_id=user), write=_position, now=NOW + timedelta(seconds=1)
            )
            assert int(one.content) == first[user]


def _position(answer: Answer) -> bytes:
    return str(answer.arms[0].position).encode()


def test_the_arm_of_an_answer_is_that_of_the_snapshot_that_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    """While one is being made everybody is moved to the other arm: the next answer is of that, this one is not."""
    test = weights_test()
    control, other = test.arms.order_by("position")
    test.arms.filter(pk=other.pk).update(share=0)
    test.arms.filter(pk=control.pk).update(share=1)
    fetch.announce(fetch.Changed.EXPERIMENTS)
    resolved = serve_module.resolved_request

    def flip(state: ServingState) -> ResolvedRequest:
        test.arms.filter(pk=other.pk).update(share=1)
        test.arms.filter(pk=control.pk).update(share=0)
        fetch.announce(fetch.Changed.EXPERIMENTS)
        snapshot_holder().current(fetch.marks_of(fetch.fetch_raw(None)))
        return resolved(state)

    monkeypatch.setattr(serve_module, "resolved_request", flip)
    first = ask()
    monkeypatch.undo()
    for answer, arm in ((first, control), (ask(), other)):
        assert answer.weights is not None
        assert ([one.key for one in answer.arms], answer.weights.key) == ([arm.pk], arm.changes["weights"]["home"])


def test_what_an_experiment_does_not_touch_is_served_as_before() -> None:
    before = {user: [shown.item for shown in ask(user, "discover").shown] for user in PEOPLE[:5]}
    weights_test()
    for user, items in before.items():
        answer = ask(user, "discover")
        assert not answer.arms
        assert [shown.item for shown in answer.shown] == items


def test_who_is_not_named_or_must_not_be_known_is_in_no_arm() -> None:
    weights_test()
    assert not ask(None).arms
    assert not ask("u0", personalise=False).arms
    Customer.objects.filter(pseudonym=pseudonym("u1")).update(personalise=False)
    fetch.announce(fetch.Changed.EXPERIMENTS)
    valkey().ask([("DEL", fetch.OBJECTED)])
    assert not ask("u1").arms
    assert ask("nobody yet").arms


def test_only_the_range_of_the_traffic_is_in_it() -> None:
    many = [f"stranger {number}" for number in range(400)]
    test = weights_test(range_from=2_000, range_to=3_000)
    inside = {user for user, position in positions(many).items() if position is not None}
    assert 15 <= len(inside) <= 70  # 40 of 400, at p > .9999
    Experiment.objects.filter(pk=test.pk).update(range_from=0, range_to=2_000)
    fetch.announce(fetch.Changed.EXPERIMENTS)
    assert not inside & {user for user, position in positions(many).items() if position is not None}


def test_who_may_be_in_it_is_asked_for_each_answer() -> None:
    segments = {user: segment_of(user) for user in PEOPLE}
    number = next(iter(segments.values()))
    weights_test(segments=[number])
    assert {user for user, position in positions().items() if position is not None} == {
        user for user, segment in segments.items() if segment == number
    }


def segment_of(user: str) -> int:
    held = snapshot_holder().any()
    assert held.model is not None
    return int(held.model.segments[held.model.users.row(held.customers.get(pseudonym(user)))])


@pytest.mark.parametrize("signed_in", [True, False])
def test_an_experiment_may_be_for_the_signed_in_or_for_the_others(signed_in: bool) -> None:
    weights_test(signed_in=signed_in)
    assert bool(ask("u0").arms) is signed_in
    assert bool(serve(Request(placement="home", anonymous_id="a0"), now=NOW).arms) is not signed_in


def test_after_a_merger_the_arm_of_the_earlier_exposure_stays() -> None:
    test = weights_test()
    first = positions()
    moved = next(user for user, position in first.items() if position == 0)
    unit = int.from_bytes(pseudonym(moved)[:8], "big", signed=True)
    control, other = test.arms.all()
    Unit.objects.create(experiment=test, unit=unit, arm=control, first_at=NOW, stays_in=other)
    fetch.announce(fetch.Changed.EXPERIMENTS)
    assert positions() == first | {moved: 1}


def test_the_control_stays_frozen_when_the_default_moves() -> None:
    weights_test()
    first = {user: ask(user).weights for user in PEOPLE}
    BlendWeights.objects.filter(blend__name="home", is_default=True).update(is_default=False)
    served = version({"als": 0.5, "ease": 0.5}, number=91)
    BlendWeights.objects.filter(pk=served.pk).update(is_default=True)
    fetch.announce(fetch.Changed.WEIGHTS)
    assert {user: ask(user).weights for user in PEOPLE} == first
    unnamed = ask(None)
    assert unnamed.weights is None or unnamed.weights.key == served.pk


def test_a_book_of_rules_and_settings_of_a_placement_can_be_tested() -> None:
    pin = {
        "id": 1, "name": "Soap", "placement": None, "segment": None, "customer": None, "context": [], "starts_at": None,
        "ends_at": None, "items": [{"attribute": "item", "operator": "is", "values": ["soap-3"]}], "action": "pin",
        "slot": 1, "strength": None, "most": None, "per": "", "share": None,
    }  # fmt: skip
    book = RuleBook.objects.create(number=7, rules=[pin])
    experiment({}, {"rules": book.pk, "placements": {"home": {"n": 3, "repeat": "exclude"}}})
    by_arm = Counter()
    for user in PEOPLE:
        answer = ask(user)
        position = answer.arms[0].position
        by_arm[position] += 1
        assert (answer.shown[0].product.shop_id == "soap-3", answer.rules_version) == (position == 1, 7 * position)
        assert len(answer.shown) == (3 if position else 20)
    assert by_arm[0]
    assert by_arm[1]


def test_the_order_of_a_page_can_be_tested() -> None:
    page = ShopPage.objects.create(name="front")
    for position, name in enumerate(("home", "discover"), 1):
        PageSlot.objects.create(page=page, placement=Placement.objects.get(name=name), position=position, n=4)
    orders = [{"pages": {"front": names}} for names in (["home", "discover"], ["discover", "home"])]
    test = experiment(*orders, placements=("home", "discover"))
    seen = Counter()
    for user in PEOPLE:
        asked = PageRequest(name="front", shared=Request(placement="", user_id=user))
        served = serve_page(asked, write=_placement_and_arm, now=NOW)
        names, arms = zip(*(one.content.decode().split() for one in served), strict=True)
        seen[names, arms[0]] += 1
        assert len(set(arms)) == 1
        assert served == serve_page_again(asked, served)
    assert {key[0] for key in seen if key[1] == "0"} == {("home", "discover")}
    assert {key[0] for key in seen if key[1] == "1"} == {("discover", "home")}
    assert not ask("u0").arms  # alone, a placement is not in any order
    assert test.arms.count() == 2


def serve_page_again(asked: PageRequest, served: list[Any]) -> list[Any]:
    """The page from the cache, under the ids of the first."""
    again = serve_page(asked, write=_placement_and_arm, now=NOW)
    return [one._replace(content=other.content) for one, other in zip(served, again, strict=True)]


def _placement_and_arm(answer: Answer) -> bytes:
    return f"{answer.placement} {answer.arms[0].position}".encode()


def test_two_experiments_at_one_placement_are_drawn_apart() -> None:
    many = [f"stranger {number}" for number in range(400)]
    weights_test()
    experiment({}, {"placements": {"home": {"n": 5}}}, name="Other", salt=b"t" * 16)
    pairs = Counter(tuple(arm.position for arm in ask(user).arms) for user in many)
    assert pairs.keys() == {(0, 0), (0, 1), (1, 0), (1, 1)}
    assert min(pairs.values()) > 60  # 100 each, at p > .9999


def test_a_bandit_draws_people_anew_each_day_by_the_shares_of_the_day() -> None:
    many = [f"stranger {number}" for number in range(300)]
    test = weights_test(kind=ExperimentKind.BANDIT)
    today, tomorrow = (positions(many, now=NOW + timedelta(days=days)) for days in (0, 1))
    assert today != tomorrow
    for arm, share in zip(test.arms.all(), (0.1, 0.9), strict=True):
        ArmShare.objects.create(arm=arm, day=NOW.date(), share=share)
    fetch.announce(fetch.Changed.EXPERIMENTS)
    later = Counter(positions(many, now=NOW).values())
    assert 230 < later[1] < 295  # 270 of 300, at p > .9999


def test_weights_of_an_audience_or_a_segment_come_before_what_is_tested_for_all() -> None:
    number = segment_of("u0")
    special = version({"ease": 1.0}, number=92)
    BlendWeights.objects.filter(pk=special.pk).update(segment=Segment.objects.get(number=number), is_default=True)
    weights_test()
    inside = {user for user, position in positions().items() if position is not None}
    assert inside == {user for user in PEOPLE if segment_of(user) != number}


def test_an_experiment_that_cannot_be_served_is_left_out_and_answers_go_on() -> None:
    experiment({}, {"weights": {"home": 987_654}})
    assert not ask("u0").arms
    assert len(ask("u0").shown) == 20


def test_a_dry_run_may_choose_its_arm() -> None:
    test = weights_test()
    for position in (0, 1):
        answer = ask("u0", dry_run=True, experiment=(test.pk, position))
        assert [arm.position for arm in answer.arms] == [position]
    with pytest.raises(UnknownArmError):
        ask("u0", dry_run=True, experiment=(test.pk, 5))
    write_slates()
    assert not Slate.objects.exists()
