"""Drafts of weights: what a form sends becomes shares, and nobody's draft is overwritten. No model is needed."""

from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone, translation
from hypothesis import given
from hypothesis import strategies as st

from recommendations.models import AuditEntry, BlendWeights, Segment, Staff
from recommendations.services.weights.drafts import StaleDraftError, discard_draft, draft_of, save_draft
from recommendations.services.weights.values import Values, WeightDifference, differences, shares
from recommendations.services.weights.versions import versions
from recommendations.store.models import weight_versions
from recommendations.store.models.weight_versions import Made
from recommendations.terms import BlendName, Lift, Role, WeightsStatus

pytestmark = pytest.mark.django_db


@pytest.fixture
def ada() -> Staff:
    return Staff.objects.create_user("ada@example.com", role=Role.MERCHANDISER)


@pytest.fixture
def bob() -> Staff:
    return Staff.objects.create_user("bob@example.com", role=Role.MERCHANDISER)


@pytest.fixture
def served() -> BlendWeights:
    new = Made(
        weights={"buy_again": 0.7, "als": 0.3},
        exponents={Lift.PROMOTION: 0.5},
        diversity=0.2,
        exploration=0.05,
        reason="test",
    )
    return weight_versions.append_weights(blend=BlendName.HOME, made=new, author=None, now=timezone.now(), publish=True)


def save(values: dict[str, Any], *, by: Staff, revision: int | None = None, **more: Any) -> BlendWeights:
    return save_draft(blend=BlendName.HOME, values=values, revision=revision, by=by, now=timezone.now(), **more)


def test_percents_become_shares_and_missing_values_are_as_served(served: BlendWeights, ada: Staff) -> None:
    draft = save({"weights": {"buy_again": "60", "ease_home": 20, "als": "0"}}, by=ada)
    assert draft.weights == {"buy_again": 0.75, "ease_home": 0.25}
    assert (draft.diversity, draft.exploration, draft.promotion) == (0.2, 0.05, 0.5)
    assert (draft.status, draft.parent, draft.author, draft.revision) == (WeightsStatus.DRAFT, served, ada, 1)
    assert draft.number == served.number + 1
    assert weight_versions.default_weights(BlendName.HOME) == served
    entry = AuditEntry.objects.get(verb="draft")
    assert entry.after is not None
    assert (entry.staff, entry.after["weights"]) == (ada, draft.weights)


def test_a_change_raises_the_revision_and_no_change_keeps_it(served: BlendWeights, ada: Staff, bob: Staff) -> None:
    first = save({"weights": {"als": 1}}, by=ada)
    second = save({"diversity": "0.4"}, by=bob, revision=first.revision)
    assert second.pk == first.pk
    assert (second.revision, second.author, second.weights, second.diversity) == (2, bob, {"als": 1.0}, 0.4)
    assert save({"weights": {"als": 30}}, by=ada, revision=2).revision == 2
    assert AuditEntry.objects.filter(verb="draft").count() == 2
    assert draft_of(BlendName.HOME) == first
    assert draft_of(BlendName.DISCOVER) is None


def test_a_stale_draft_is_refused_with_the_differences(served: BlendWeights, ada: Staff, bob: Staff) -> None:
    save({"weights": {"als": 1}}, by=ada)
    theirs = save({"weights": {"buy_again": 1, "als": 3}}, by=bob, revision=1)
    with pytest.raises(StaleDraftError) as stale:
        save({"weights": {"als": 1, "ease_home": 1}}, by=ada, revision=1)
    assert stale.value.current == theirs
    assert stale.value.differences == [
        WeightDifference("ease_home", 0.5, 0.0, 0.0),
        WeightDifference("als", 0.5, 0.75, 0.3),
        WeightDifference("buy_again", 0.0, 0.25, 0.7),
    ]
    theirs.refresh_from_db()
    assert (theirs.weights, theirs.revision) == ({"buy_again": 0.25, "als": 0.75}, 2)


def test_the_second_to_begin_a_draft_is_refused(served: BlendWeights, ada: Staff, bob: Staff) -> None:
    theirs = save({"weights": {"als": 1}}, by=bob)
    with pytest.raises(StaleDraftError) as stale:
        save({"weights": {"ease_home": 1}}, by=ada)
    assert stale.value.current == theirs


def test_a_discarded_draft_is_compared_with_the_served_weights(served: BlendWeights, ada: Staff, bob: Staff) -> None:
    draft = save({"weights": {"als": 1}}, by=ada)
    with pytest.raises(StaleDraftError):
        discard_draft(draft=draft, revision=7, by=bob)
    values = discard_draft(draft=draft, revision=1, by=bob)
    assert values == Values(weights={"als": 1.0}, diversity=0.2, exploration=0.05, promotion=0.5)
    entry = AuditEntry.objects.get(verb="discard")
    assert entry.before is not None
    assert entry.before["weights"] == {"als": 1.0}
    with pytest.raises(StaleDraftError) as stale:
        save({"weights": {"ease_home": 1}}, by=ada, revision=1)
    assert stale.value.current == served
    with pytest.raises(StaleDraftError):
        discard_draft(draft=draft, revision=1, by=bob)
    again = save(values.as_fields(), by=bob)  # undone
    assert again.weights == {"als": 1.0}
    assert again.number == draft.number + 1  # one number never means two different things


def test_each_segment_has_a_draft_of_its_own(served: BlendWeights, ada: Staff) -> None:
    segment = Segment.objects.create(number=3, name="Tea")
    everybodys = save({"weights": {"als": 1}}, by=ada)
    own = save({"weights": {"ease_home": 1}}, by=ada, group=segment)
    assert (own.parent, own.segment, own.number) == (served, segment, everybodys.number + 1)
    assert draft_of(BlendName.HOME, segment) == own
    assert draft_of(BlendName.HOME) == everybodys


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"weights": {"als": 100.5}}, "als"),
        ({"weights": {"als": "-0.1"}}, "als"),
        ({"weights": {"als": ""}}, "als"),
        ({"weights": {"als": 0}}, "weights"),
        ({"weights": {"also_bought": 1}}, "also_bought"),
        ({"exploration": 2}, "exploration"),
        ({"promotion": None}, "promotion"),
    ],
)
def test_a_draft_with_an_error_is_not_half_saved(
    values: dict[str, Any], field: str, served: BlendWeights, ada: Staff
) -> None:
    draft = save({"weights": {"buy_again": 1}}, by=ada)
    with pytest.raises(ValidationError) as refused, translation.override("zh-hans"):
        save({"diversity": 0.9, **values}, by=ada, revision=1)
    assert list(refused.value.message_dict) == [field]
    assert not refused.value.message_dict[field][0].isascii()
    draft.refresh_from_db()
    assert (draft.revision, draft.diversity) == (1, 0.2)


def test_an_instance_that_the_version_before_had_may_stay(ada: Staff) -> None:
    new = Made(weights={"retired_one": 1.0}, reason="test")
    weight_versions.append_weights(blend=BlendName.HOME, made=new, author=None, now=timezone.now(), publish=True)
    assert save({"weights": {"retired_one": 1, "als": 1}}, by=ada).weights == {"retired_one": 0.5, "als": 0.5}


def test_a_run_s_proposal_and_a_draft_do_not_get_in_each_other_s_way(served: BlendWeights, ada: Staff) -> None:
    draft = save({"weights": {"als": 1}}, by=ada)
    new = Made(weights={"ease_home": 1.0}, reason="run")
    proposed, published = (
        weight_versions.append_weights(blend=BlendName.HOME, made=new, author=None, now=timezone.now(), publish=publish)
        for publish in (False, True)
    )
    draft.refresh_from_db()
    assert [each.number for each in (served, draft, proposed, published)] == [1, 2, 3, 4]
    assert (draft.status, proposed.status, draft.is_default) == (WeightsStatus.DRAFT, WeightsStatus.PROPOSED, False)
    assert weight_versions.default_weights(BlendName.HOME) == published
    assert proposed.parent == published.parent == served
    assert (proposed.diversity, proposed.exploration) == (0.2, 0.05)
    assert [each.weights for each in versions(BlendName.HOME)] == [published, proposed, served]


@given(st.dictionaries(st.sampled_from("abcdefg"), st.floats(0, 100), min_size=1))
def test_shares_add_up_to_1_and_are_shares_of_themselves(weights: dict[str, float]) -> None:
    parts = shares(weights)
    if not parts:
        assert sum(weights.values()) < 1e-300 or not any(weights.values())
        return
    assert sum(parts.values()) == pytest.approx(1, abs=1e-6)
    assert all(part > 0 for part in parts.values())
    assert set(parts) <= set(weights)
    assert shares(parts) == parts
    assert differences(Values(weights=parts), Values(weights=parts)) == []
