"""From a draft of weights to the next answer of the API and back, on a shop that was really learned."""

from collections.abc import Sequence
from typing import Any

import pytest
from django.utils import timezone

from recommendations.models import AuditEntry, BlendWeights, Customer, Item, Segment, Staff
from recommendations.services.access.audit import NoteNeededError
from recommendations.services.review.review import Draft
from recommendations.services.weights.blending import (
    AlreadyPublishedError,
    GateClosedError,
    NothingToRollBackToError,
    StaleDefaultError,
    publish,
    publish_for_test,
    roll_back,
    serve_tested,
)
from recommendations.services.weights.drafts import StaleDraftError, save_draft
from recommendations.services.weights.values import WeightDifference
from recommendations.services.weights.versions import best_single, versions
from recommendations.services.weights.what_if import what_if
from recommendations.serving.serve import serve
from recommendations.serving.types import Answer, Request
from recommendations.store.events.pseudonyms import pseudonym
from recommendations.terms import BlendName, GateOutcome, Role, WeightsStatus
from tests.review import review

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("shop")]

WEIGHTS = {"buy_again": 40, "ease_home": 30, "als": 30}
NEARLY = {"buy_again": 0.8, "repurchase": 0.2}


@pytest.fixture
def boss() -> Staff:
    return Staff.objects.create_user("boss@example.com", role=Role.PUBLISHER)


def default(segment: Segment | None = None) -> BlendWeights:
    return BlendWeights.objects.defaults().get(blend__name=BlendName.HOME, segment=segment)


def draft(weights: dict[str, float] = NEARLY, *, by: Staff, **more: Any) -> BlendWeights:
    return save_draft(
        blend=BlendName.HOME, values={"weights": weights, **more.pop("values", {})}, revision=None, by=by,
        now=timezone.now(), **more,
    )  # fmt: skip


def shown(user: str, placement: str = "home", **more: Any) -> Answer:
    return serve(Request(placement=placement, user_id=user, dry_run=True, **more), now=timezone.now())


def told(answer: Answer) -> Sequence[object]:
    return [(one.item, one.rank, one.final, one.contributions, one.diversity) for one in answer.shown]


def test_the_api_answers_with_a_published_draft_as_its_preview_did(
    boss: Staff, django_capture_on_commit_callbacks: Any
) -> None:
    new = draft(WEIGHTS, by=boss, values={"diversity": 0.3, "promotion": 0.5})
    keys = {user: Customer.objects.get(pseudonym=pseudonym(user)).pk for user in ("u0", "u7", "u13", "u28", "u59")}
    before = {user: told(shown(user)) for user in keys}
    previews = {
        user: review(customer=key, placement="home", draft=Draft(weights=new)).answer for user, key in keys.items()
    }
    assert {user: told(shown(user)) for user in keys} == before
    with django_capture_on_commit_callbacks(execute=True):
        publish(weights=new, by=boss, now=timezone.now(), note="Calmer", override=True)
    for user in keys:
        answer = shown(user)
        assert told(answer) == told(previews[user]) != before[user]
        assert answer.weights_version == new.number == previews[user].weights_version
        assert answer.model_version == previews[user].model_version


def test_preview_equals_the_answer_for_an_item_in_view(boss: Staff, django_capture_on_commit_callbacks: Any) -> None:
    tea = Item.objects.get(shop_id="tea-1")
    new = save_draft(
        blend=BlendName.ITEM, values={"weights": {"content_context": 70, "interests": 30}}, revision=None, by=boss,
        now=timezone.now(),
    )  # fmt: skip
    customer = Customer.objects.get(pseudonym=pseudonym("u3")).pk
    preview = review(customer=customer, placement="item", context_items=[tea.pk], draft=Draft(weights=new)).answer
    with django_capture_on_commit_callbacks(execute=True):
        publish(weights=new, by=boss, now=timezone.now(), note="By judgement", override=True)
    answer = shown("u3", "item", item_ids=("tea-1",))
    assert told(answer) == told(preview)
    assert answer.weights_version == new.number


def test_publishing_needs_a_note_and_keeps_the_expected_effect(boss: Staff) -> None:
    before, new = default(), draft(by=boss)
    with pytest.raises(NoteNeededError):
        publish(weights=new, by=boss, now=timezone.now(), note=" ")
    published = publish(weights=new, by=boss, now=timezone.now(), note=" Fewer surprises ", override=True)
    assert (published.status, published.note, published.parent) == (
        WeightsStatus.PUBLISHED, "Fewer surprises", before,
    )  # fmt: skip
    assert default() == published
    panel = what_if(blend=BlendName.HOME, weights=before.weights)
    assert published.expected["users"] == panel.users == 60
    against = published.expected["against_default"]["accuracy"]["value"]
    assert against == pytest.approx(-panel.figures["accuracy"].against.value, abs=1e-6)
    assert AuditEntry.objects.get(verb="publish").note == "Fewer surprises"


def test_a_draft_is_published_once(boss: Staff) -> None:
    new = draft(by=boss)
    publish(weights=new, by=boss, now=timezone.now(), note="a", override=True)
    with pytest.raises(AlreadyPublishedError) as twice:
        publish(weights=new, by=boss, now=timezone.now(), note="a", override=True)
    assert twice.value.weights == new
    with pytest.raises(StaleDraftError):  # who still has it open is told as well
        save_draft(blend=BlendName.HOME, values={"weights": WEIGHTS}, revision=1, by=boss, now=timezone.now())


def test_the_publisher_has_to_have_seen_the_draft_s_last_change(boss: Staff) -> None:
    new = draft(by=boss)
    save_draft(blend=BlendName.HOME, values={"diversity": 0.1}, revision=1, by=boss, now=timezone.now())
    with pytest.raises(StaleDraftError):
        publish(weights=new, by=boss, now=timezone.now(), note="a", override=True, revision=1)
    assert publish(weights=new, by=boss, now=timezone.now(), note="a", override=True, revision=2).diversity == 0.1


def test_a_stale_default_is_refused_with_the_differences(boss: Staff) -> None:
    first, mine = default(), draft({"buy_again": 1}, by=boss)
    theirs = BlendWeights.objects.create(
        blend=first.blend, number=50, weights={"als": 1.0}, parent=first, status=WeightsStatus.PROPOSED, reason="test"
    )
    publish(weights=theirs, by=boss, now=timezone.now(), note="b", override=True)
    with pytest.raises(StaleDefaultError) as stale:
        publish(weights=mine, by=boss, now=timezone.now(), note="a", override=True)
    assert stale.value.current == theirs
    was = first.weights.get("buy_again", 0.0), first.weights.get("als", 0.0)
    assert stale.value.differences == [
        WeightDifference("buy_again", 1.0, 0.0, was[0]),
        WeightDifference("als", 0.0, 1.0, was[1]),
    ]
    assert default() == theirs
    with pytest.raises(StaleDefaultError):
        publish(weights=mine, by=boss, now=timezone.now(), note="a", override=True, replacing=first.pk)
    published = publish(weights=mine, by=boss, now=timezone.now(), note="a", override=True, replacing=theirs.pk)
    assert default() == published == mine


def test_a_draft_that_is_worse_is_stopped_by_the_gate(boss: Staff) -> None:
    new = draft({"popularity_home": 1}, by=boss)
    with pytest.raises(GateClosedError) as closed:
        publish(weights=new, by=boss, now=timezone.now(), note="a")
    assert closed.value.gate_result["outcome"] == GateOutcome.WORSE
    new.refresh_from_db()
    assert new.status == WeightsStatus.DRAFT


def test_rolling_back_is_a_new_version_and_gives_the_former_answer(
    boss: Staff, django_capture_on_commit_callbacks: Any
) -> None:
    first, new = default(), draft({"als": 1}, by=boss, values={"diversity": 0.5, "exploration": 0.2})
    before = told(shown("u5"))
    with django_capture_on_commit_callbacks(execute=True):
        publish(weights=new, by=boss, now=timezone.now(), note="a", override=True)
    assert told(shown("u5")) != before
    with pytest.raises(NoteNeededError):
        roll_back(weights=first, note="", by=boss, now=timezone.now())
    with django_capture_on_commit_callbacks(execute=True):
        back = roll_back(weights=first, note="Complaints", by=boss, now=timezone.now())
    assert told(shown("u5")) == before
    assert shown("u5").weights_version == back.number == default().number != first.number
    assert (back.weights, back.diversity, back.exploration) == (first.weights, first.diversity, first.exploration)
    assert (back.parent, back.note, back.author, back.number) == (new, "Complaints", boss, new.number + 1)
    assert back.expected["against_default"]["accuracy"]["value"] > 0
    entry = AuditEntry.objects.get(verb="roll back")
    assert (entry.before, entry.after["default"], entry.after["to"]) == (
        {"default": new.number}, back.number, first.number,
    )  # fmt: skip
    with pytest.raises(NothingToRollBackToError):
        roll_back(weights=back, note="b", by=boss, now=timezone.now())
    with pytest.raises(NothingToRollBackToError):
        roll_back(weights=draft(by=boss), note="b", by=boss, now=timezone.now())


def test_rolling_back_is_never_stopped_by_the_gate(boss: Staff) -> None:
    good, poor = default(), draft({"popularity_home": 1}, by=boss)
    publish(weights=poor, by=boss, now=timezone.now(), note="a", override=True)
    roll_back(weights=good, note="b", by=boss, now=timezone.now())
    back = roll_back(weights=poor, note="The tuned ones are broken", by=boss, now=timezone.now())
    assert back.is_default
    assert (back.gate["outcome"], back.gate["override"]) == (GateOutcome.WORSE, "The tuned ones are broken")


def test_a_segment_s_weights_are_served_to_its_customers_alone(
    boss: Staff, django_capture_on_commit_callbacks: Any
) -> None:
    numbers = {user: _segment(user) for user in ("u0", "u1", "u2", "u3", "u4")}  # a taste each
    segment = Segment.objects.get(number=numbers["u0"])
    others = [user for user, number in numbers.items() if number != segment.number]
    everybodys, before = default(), {user: told(shown(user)) for user in numbers}
    new = draft({"als": 1}, by=boss, group=segment)
    with django_capture_on_commit_callbacks(execute=True):
        published = publish(weights=new, by=boss, now=timezone.now(), note="Their own", override=True)
    assert published.gate["users"] == what_if(blend=BlendName.HOME, weights={"als": 1}, group=segment).users < 60
    assert (default(segment), default()) == (published, everybodys)
    assert shown("u0").weights_version == published.number
    assert told(shown("u0")) != before["u0"]
    assert others
    assert {user: told(shown(user)) for user in others} == {user: before[user] for user in others}
    assert [version.weights for version in versions(BlendName.HOME, segment)] == [published]


def _segment(user: str) -> int:
    customer = Customer.objects.get(pseudonym=pseudonym(user))
    return int(customer.live_profile.segment.number)


def test_what_only_an_experiment_serves_is_no_former_default(boss: Staff) -> None:
    tried = draft({"als": 1}, by=boss)
    publish_for_test(weights=tried, by=boss, now=timezone.now(), note="a", override=True)
    assert [row.for_test for row in versions(BlendName.HOME)] == [True, False]
    serve_tested(weights=tried, by=boss, now=timezone.now(), note="It won", override=True)
    publish(weights=draft({"buy_again": 1}, by=boss), by=boss, now=timezone.now(), note="b", override=True)
    assert not any(row.for_test for row in versions(BlendName.HOME))


def test_every_version_has_its_figures_on_today_s_panel(boss: Staff) -> None:
    first = default()
    publish(weights=draft({"als": 1}, by=boss), by=boss, now=timezone.now(), note="a", override=True)
    draft({"buy_again": 1}, by=boss)
    newer, older = versions(BlendName.HOME, measured=True)[0], versions(BlendName.HOME, measured=True)[-1]
    assert older.weights == first
    panel = what_if(blend=BlendName.HOME, weights=first.weights)
    # Two paths to the same figures: the ends of intervals come from matrix products of 10 and of 20 columns.
    assert newer.figures == {name: pytest.approx(figure.live, abs=1e-6) for name, figure in panel.figures.items()}
    assert older.figures == {name: pytest.approx(figure.draft, abs=1e-6) for name, figure in panel.figures.items()}
    assert {change.name for change in newer.changes} == {"als", *(n for n, w in first.weights.items() if w > 0)}
    assert versions(BlendName.HOME)[0].figures == {}
    best = best_single(BlendName.HOME)
    assert best is not None
    alone = what_if(blend=BlendName.HOME, weights=best[1].weights).figures["accuracy"].draft.value
    assert alone >= newer.figures["accuracy"].value
