"""Experiments are drafted, refused with the field and the remedy, started, held apart, and ended by one at a time."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone
from pytest_django import DjangoCaptureOnCommitCallbacks

from recommendations.models import (
    AuditEntry,
    Blend,
    BlendWeights,
    Experiment,
    Placement,
    RuleBook,
    Segment,
    ShopPage,
    ShopSetting,
    Staff,
)
from recommendations.services.access.audit import NoteNeededError
from recommendations.services.experiments import starting
from recommendations.services.experiments.drafts import (
    StaleExperimentError,
    delete_draft,
    form_of,
    save_draft,
)
from recommendations.services.experiments.forms import ArmForm, ExperimentForm
from recommendations.services.experiments.levers import free_ranges, holders, levers_of, touched_placements
from recommendations.services.experiments.lifecycle import (
    LeverHeldError,
    held_text,
    pause,
    resume,
    ship,
    stop,
    widen,
)
from recommendations.services.experiments.starting import begin, begin_experiments, cancel_start, start
from recommendations.services.experiments.states import NotInStateError
from recommendations.services.weights.blending import GateClosedError
from recommendations.store.serving.served_experiments import TRAFFIC_SALT
from recommendations.terms import ExperimentKind, ExperimentStatus, Metric, Role

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("shop")]

NOW = timezone.now()


@pytest.fixture
def boss() -> Staff:
    return Staff.objects.create_user("boss@example.com", role=Role.PUBLISHER)


def default(blend: str = "home") -> BlendWeights:
    return BlendWeights.objects.defaults().get(blend__name=blend, segment=None, audience=None)


def version(weights: dict[str, float], number: int = 90, **fields: Any) -> BlendWeights:
    blend = Blend.objects.get(name="home")
    return BlendWeights.objects.create(
        blend=blend, number=number, weights=weights, status="published", reason="test", published_at=NOW, **fields
    )


def form(*changes: dict[str, Any], **fields: Any) -> ExperimentForm:
    given = changes or ({"weights": {"home": version({"als": 1.0}).pk}},)
    plain = ExperimentForm(name="More like it", arms=[ArmForm(changes=one) for one in given])
    return replace(plain, **fields)


def drafted(wanted: ExperimentForm | None = None) -> Experiment:
    return save_draft(experiment=None, form=wanted or form(), revision=None, by=None, now=NOW)


def begun(wanted: ExperimentForm | None = None) -> Experiment:
    draft = drafted(wanted)
    return run(start(experiment=draft, revision=draft.revision, by=None, now=NOW))


def run(test: Experiment) -> Experiment:
    """The experiment after a worker has begun it."""
    assert begin(test, now=NOW)
    return Experiment.objects.get(pk=test.pk)


def test_a_draft_becomes_a_running_test_of_what_is_served_against_the_version(
    boss: Staff, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    wanted = form()
    draft = save_draft(experiment=None, form=wanted, revision=None, by=boss, now=NOW)
    assert draft.status == ExperimentStatus.DRAFT
    assert form_of(draft) == replace(wanted, arms=[replace(arm, share=0.5) for arm in wanted.arms])
    with django_capture_on_commit_callbacks() as told:
        test = start(experiment=draft, revision=draft.revision, by=boss, now=NOW)
    assert len(told) == 1  # a worker is asked
    with django_capture_on_commit_callbacks() as told:
        test = run(test)
    assert len(told) == 1  # the processes that serve are told
    control, other = test.arms.order_by("position")
    assert control.changes == {"weights": {"home": default().pk}}
    assert other.changes == wanted.arms[0].changes
    assert (control.share, other.share) == (0.5, 0.5)
    assert {one.name for one in test.placements.all()} == set(touched_placements(["weights:home"]))
    assert [note.code for note in test.notes.order_by("pk")] == ["created", "starting", "started"]
    verbs = list(AuditEntry.objects.filter(object_type="experiment").order_by("pk").values_list("verb", flat=True))
    assert verbs == ["create", "start", "begin"]


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"name": " "}, "name"),
        ({"arms": []}, "arms"),
        ({"arms": [ArmForm(changes={})]}, "arms"),
        ({"arms": [ArmForm(changes={"placements": {"home": {"n": count}}}) for count in range(2, 8)]}, "arms"),
        ({"arms": [ArmForm(changes={"placements": {"home": {"n": 3}}})] * 2}, "arms"),
        ({"arms": [ArmForm(changes={"placements": {"home": {"n": 3}}}, share=0.995)]}, "shares"),
        ({"arms": [ArmForm(changes={"placements": {"home": {"n": n}}}, share=0.6) for n in (3, 4)]}, "shares"),
        ({"arms": [ArmForm(changes={"weights": {"home": 987_654}})]}, "arm-1"),
        ({"arms": [ArmForm(changes={"rules": 987_654})]}, "arm-1"),
        ({"arms": [ArmForm(changes={"placements": {"nowhere": {"n": 3}}})]}, "arm-1"),
        ({"arms": [ArmForm(changes={"placements": {"home": {"enabled": False}}})]}, "arm-1"),
        ({"arms": [ArmForm(changes={"placements": {"home": {"n": 0}}})]}, "arm-1"),
        ({"arms": [ArmForm(changes={"placements": {"home": {"repeat": "often"}}})]}, "arm-1"),
        ({"arms": [ArmForm(changes={"pages": {"home": ["home", "home"]}})]}, "arm-1"),
        ({"primary": "happiness"}, "primary"),
        ({"kind": ExperimentKind.BANDIT, "primary": Metric.REVENUE, "placement": "home"}, "primary"),
        ({"planned_days": 6}, "planned_days"),
        ({"planned_days": 57}, "planned_days"),
        ({"smallest_lift": 0.0}, "smallest_lift"),
        ({"traffic": 0.0}, "traffic"),
        ({"guardrails": {"happiness": 0.1}}, "guardrails"),
        ({"guardrails": {"refunds": -1}}, "guardrails"),
        ({"segments": [987_654]}, "segments"),
    ],
)  # fmt: skip
def test_a_draft_that_cannot_be_is_refused_by_field_and_nothing_is_saved(fields: dict[str, Any], field: str) -> None:
    with pytest.raises(ValidationError) as refused:
        drafted(form(**fields))
    assert set(refused.value.message_dict) == {field}
    assert not Experiment.objects.exists()


def test_weights_of_a_group_cannot_be_tested() -> None:
    special = version({"als": 1.0}, segment=Segment.objects.first())
    with pytest.raises(ValidationError) as refused:
        drafted(form({"weights": {"home": special.pk}}))
    assert set(refused.value.message_dict) == {"arm-1"}


def test_of_two_writers_the_second_is_told() -> None:
    draft = drafted()
    save_draft(
        experiment=draft, form=form({"rules": RuleBook.objects.create(number=5).pk}), revision=1, by=None, now=NOW
    )
    with pytest.raises(StaleExperimentError):
        save_draft(experiment=draft, form=form_of(draft), revision=1, by=None, now=NOW)
    with pytest.raises(StaleExperimentError):
        start(experiment=draft, revision=1, by=None, now=NOW)


def test_of_two_who_act_at_once_the_second_reads_what_the_first_did(boss: Staff) -> None:
    test = begun()
    stop(experiment=test, by=boss, now=NOW)
    for step in (stop, pause, resume):
        with pytest.raises(NotInStateError) as told:
            step(experiment=test, by=None, now=NOW)
        assert (told.value.current.status, told.value.current.ended_by) == (ExperimentStatus.STOPPED, boss)
    with pytest.raises(StaleExperimentError):
        start(experiment=test, revision=test.revision, by=None, now=NOW)
    with pytest.raises(StaleExperimentError):
        delete_draft(experiment=test, by=None)


def test_a_start_waits_for_a_worker_and_has_hold_of_its_levers_meanwhile() -> None:
    draft = drafted()
    waiting = start(experiment=draft, revision=draft.revision, by=None, now=NOW)
    assert (waiting.status, waiting.started_at) == (ExperimentStatus.STARTING, None)
    assert not Experiment.objects.running().exists()
    assert [holder.experiment for holder in holders(["weights:home"])] == [waiting]
    with pytest.raises(StaleExperimentError):
        start(experiment=draft, revision=draft.revision, by=None, now=NOW)
    other = drafted(form({"placements": {"discover": {"n": 5}}}))
    with pytest.raises(ValidationError):  # of the same name
        start(experiment=other, revision=other.revision, by=None, now=NOW)
    assert begin_experiments(NOW) == 1
    assert begin_experiments(NOW) == 0
    waiting.refresh_from_db()
    assert (waiting.status, waiting.started_at) == (ExperimentStatus.RUNNING, NOW)


def test_a_cancelled_start_is_a_draft_again_whatever_the_worker_measured() -> None:
    """The person cancels while the worker measures; started once more, the worker of before begins nothing."""
    draft = drafted()
    waiting = start(experiment=draft, revision=draft.revision, by=None, now=NOW)
    stored = Experiment.objects.get(pk=waiting.pk)
    cancel_start(experiment=waiting, by=None, now=NOW)
    assert not begin(stored, now=NOW)
    stored.refresh_from_db()
    assert (stored.status, stored.started_at) == (ExperimentStatus.DRAFT, None)
    assert not holders(["weights:home"])
    with pytest.raises(NotInStateError):
        cancel_start(experiment=stored, by=None, now=NOW)
    again = start(experiment=stored, revision=stored.revision, by=None, now=NOW)
    assert not begin(waiting, now=NOW)
    assert begin(again, now=NOW)


def test_a_worker_that_dies_while_it_measures_leaves_the_start_to_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    draft = drafted()
    waiting = start(experiment=draft, revision=draft.revision, by=None, now=NOW)

    def dies(*_arguments: object, **_fields: object) -> None:
        raise MemoryError

    with monkeypatch.context() as patch:
        patch.setattr(starting, "start_measures", dies)
        with pytest.raises(MemoryError):
            begin_experiments(NOW)
    waiting.refresh_from_db()
    assert waiting.status == ExperimentStatus.STARTING
    assert begin_experiments(NOW) == 1


def test_what_is_the_same_for_everybody_is_not_started() -> None:
    with pytest.raises(ValidationError, match="It is what is live"):
        drafted(form({"weights": {"home": default().pk}}))
    draft = drafted(form({"placements": {"home": {"n": 9}}}))
    Placement.objects.filter(name="home").update(n=9)  # somebody sets it before the start
    with pytest.raises(ValidationError, match="the same for all customers"):
        start(experiment=draft, revision=draft.revision, by=None, now=NOW)
    draft.refresh_from_db()
    assert draft.status == ExperimentStatus.DRAFT


def test_pausing_and_going_on() -> None:
    test = begun()
    assert pause(experiment=test, by=None, now=NOW).status == ExperimentStatus.PAUSED
    assert resume(experiment=test, by=None, now=NOW).status == ExperimentStatus.RUNNING
    assert [note.code for note in test.notes.order_by("pk")] == ["created", "starting", "started", "paused", "resumed"]


def test_who_shares_a_lever_gets_other_people_or_is_told_who_has_it() -> None:
    first = begun(form(traffic=0.4))
    other = drafted(form({"weights": {"home": version({"ease": 1.0}, 91).pk}}, name="Other", traffic=0.7))
    with pytest.raises(LeverHeldError) as refused:
        start(experiment=other, revision=other.revision, by=None, now=NOW)
    assert refused.value.free == pytest.approx(0.6)
    assert "More like it" in held_text(refused.value)
    assert "60%" in held_text(refused.value)
    smaller = save_draft(
        experiment=other, form=replace(form_of(other), traffic=0.5), revision=other.revision, by=None, now=NOW
    )
    second = run(start(experiment=smaller, revision=smaller.revision, by=None, now=NOW))
    assert (first.range_from, first.range_to, second.range_from, second.range_to) == (0, 4_000, 4_000, 9_000)
    assert [len(free) for free in free_ranges(holders(["weights:home"]))] == [1_000]
    apart = begun(form({"placements": {"discover": {"n": 5}}}, name="Apart"))
    assert (apart.range_from, apart.range_to) == (0, 10_000)
    stop(experiment=first, by=None, now=NOW)
    assert [len(free) for free in free_ranges(holders(["weights:home"]))] == [4_000, 1_000]


def test_traffic_is_widened_and_not_narrowed() -> None:
    test = begun(form(traffic=0.4))
    with pytest.raises(ValidationError):
        widen(experiment=test, traffic=0.3, by=None, now=NOW)
    wider = widen(experiment=test, traffic=0.8, by=None, now=NOW)
    assert (wider.range_from, wider.range_to) == (0, 8_000)


def test_the_salt_of_the_traffic_is_drawn_anew_whenever_nothing_runs() -> None:
    first = begun()
    salt = ShopSetting.objects.get(key=TRAFFIC_SALT).value
    begun(form({"placements": {"discover": {"n": 5}}}, name="Apart"))
    assert ShopSetting.objects.get(key=TRAFFIC_SALT).value == salt
    for one in Experiment.objects.running():
        stop(experiment=one, by=None, now=NOW)
    begun(form({"placements": {"discover": {"n": 6}}}, name="Later"))
    assert ShopSetting.objects.get(key=TRAFFIC_SALT).value != salt
    assert first.pk


def test_one_name_runs_once() -> None:
    begun()
    other = drafted(form({"placements": {"discover": {"n": 5}}}))
    with pytest.raises(ValidationError) as refused:
        start(experiment=other, revision=other.revision, by=None, now=NOW)
    assert set(refused.value.message_dict) == {"name"}


def test_an_arm_that_leaves_a_lever_alone_is_as_the_control_has_it() -> None:
    other = version({"als": 1.0})
    test = begun(form({"weights": {"home": other.pk}}, {"placements": {"home": {"n": 7}}}))
    control, first, second = (arm.changes for arm in test.arms.order_by("position"))
    n = Placement.objects.get(name="home").n
    assert control == {"weights": {"home": default().pk}, "placements": {"home": {"n": n}}}
    assert first == control | {"weights": {"home": other.pk}}
    assert second == control | {"placements": {"home": {"n": 7}}}


def test_an_aa_test_serves_the_same_twice() -> None:
    test = begun(form({"weights": {"home": default().pk}}, kind=ExperimentKind.AA))
    control, twin = (arm.changes for arm in test.arms.order_by("position"))
    assert control == twin == {"weights": {"home": default().pk}}


def test_the_winner_is_published_in_one_step(boss: Staff) -> None:
    other = version(dict(default().weights), diversity=0.2)
    test = begun(form({"weights": {"home": other.pk}, "placements": {"home": {"n": 9}}}))
    _control, winner = test.arms.order_by("position")
    with pytest.raises(NoteNeededError):
        ship(experiment=test, arm=winner, reason=" ", by=boss, now=NOW)
    shipped = ship(experiment=test, arm=winner, reason="It won", by=boss, now=NOW + timedelta(days=9), override=True)
    assert (shipped.status, shipped.ended_by) == (ExperimentStatus.SHIPPED, boss)
    assert (default(), Placement.objects.get(name="home").n) == (other, 9)
    assert not holders(["weights:home"])
    with pytest.raises(NotInStateError):
        ship(experiment=test, arm=winner, reason="Again", by=None, now=NOW)


def test_a_winner_that_the_gate_refuses_is_not_published() -> None:
    worse = version({"popularity": 1.0})
    test = begun(form({"weights": {"home": worse.pk}}))
    before = default()
    with pytest.raises(GateClosedError):
        ship(experiment=test, arm=test.arms.get(position=1), reason="It won", by=None, now=NOW)
    test.refresh_from_db()
    assert (default(), test.status) == (before, ExperimentStatus.RUNNING)


def test_a_tested_book_and_the_order_of_a_page_are_published() -> None:
    page = ShopPage.objects.get(name="home")
    order = [slot.placement.name for slot in page.slots.order_by("position")]
    book = RuleBook.objects.create(number=6, rules=[])
    RuleBook.objects.create(number=7, rules=[{"id": 1, "action": "exclude"}], is_default=True)
    test = begun(form({"rules": book.pk, "pages": {"home": order[::-1]}}))
    ship(experiment=test, arm=test.arms.get(position=1), reason="It won", by=None, now=NOW)
    assert RuleBook.objects.get(is_default=True).rules == []
    assert [slot.placement.name for slot in page.slots.order_by("position")] == order[::-1]


def test_levers_are_what_changes_take_hold_of() -> None:
    changes = {"weights": {"home": 1}, "rules": 2, "placements": {"cart": {"n": 3}}, "pages": {"home": ["home"]}}
    assert levers_of(changes) == {"weights:home", "rules", "placement:cart", "page:home"}
    page = ShopPage.objects.get(name="home")
    assert touched_placements(["page:home"]) == sorted(page.slots.values_list("placement__name", flat=True))
    assert set(touched_placements(["rules"])) == set(
        Placement.objects.filter(enabled=True).values_list("name", flat=True)
    )
