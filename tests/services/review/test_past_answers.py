"""Why an answer is another one now: a planted cause is named, and the shares of the causes add up to the change."""

from collections.abc import Callable

import pytest
from django.utils import timezone

from recommendations.event_types import EventName
from recommendations.models import BlendWeights, Customer, Event, Experiment, RuleBook, Slate
from recommendations.services.catalogue import editing
from recommendations.services.review.past_answers import (
    CannotMakeError,
    Part,
    UnknownVersionError,
    find_slate,
    made_again,
    past_answer,
)
from recommendations.serving.past.again import Reconstruction, Sameness
from recommendations.serving.past.past_parts import Missing
from recommendations.serving.serve import serve
from recommendations.serving.types import Request
from recommendations.store.events.pseudonyms import pseudonym
from recommendations.store.live import fetch, writes
from recommendations.store.live.state import LiveEvent
from recommendations.store.serving.slates import write_slates
from recommendations.store.serving.snapshot_holder import current_snapshot
from recommendations.terms import Availability, ExperimentStatus
from tests.services.review.experiments import PIN, begin

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("shop")]


@pytest.fixture
def slate(_empty_valkey: None) -> Slate:
    writes.rebuild()
    answer = serve(Request(placement="home", user_id="u0", n=8), now=timezone.now())
    write_slates()
    return Slate.objects.get(recommendation_id=answer.recommendation_id)


def change_rules(slate: Slate) -> None:
    RuleBook.objects.create(number=5, is_default=True, rules=[PIN])
    fetch.announce(fetch.Changed.RULES)


def change_weights(slate: Slate) -> None:
    old = BlendWeights.objects.get(is_default=True, blend__name="home")
    BlendWeights.objects.filter(pk=old.pk).update(is_default=False)
    BlendWeights.objects.create(
        blend=old.blend, number=90, weights={"als": 1.0}, status="published", is_default=True, reason="test"
    )
    fetch.announce(fetch.Changed.WEIGHTS)


def change_catalogue(slate: Slate) -> None:
    keys = slate.items[:2]
    editing.set_availability(items=keys, availability=Availability.OUT_OF_STOCK, by=None, now=timezone.now())
    fetch.announce(fetch.Changed.CATALOGUE)


def change_customer(slate: Slate) -> None:
    customer = Customer.objects.get(pseudonym=pseudonym("u0")).pk
    writes.remember(
        [
            LiveEvent(customer=customer, name=EventName.DISLIKE_ITEM, item=key, at=timezone.now())
            for key in slate.items[:2]
        ]
    )


def changed(slate: Slate) -> list[Part]:
    """Parts whose share is worked out at all."""
    return Reconstruction.of(slate, live=current_snapshot(), now=slate.served_at).changed


@pytest.mark.parametrize(
    ("part", "change"),
    [
        (Part.RULES, change_rules),
        (Part.WEIGHTS, change_weights),
        (Part.CATALOGUE, change_catalogue),
        (Part.CUSTOMER, change_customer),
    ],
)
def test_a_single_cause_is_named_and_has_all_of_the_change(
    slate: Slate, part: Part, change: Callable[[Slate], None]
) -> None:
    before = past_answer(slate, now=slate.served_at)
    assert (before.change, before.causes) == (0, {})
    assert changed(slate) == [Part.CUSTOMER]  # of whom it is never certain
    change(slate)
    assert set(changed(slate)) == {part, Part.CUSTOMER}
    past = past_answer(slate, now=slate.served_at)
    assert past.made.sameness is Sameness.EXACT
    assert list(past.causes) == [part]
    assert past.causes[part] == pytest.approx(past.change)
    assert past.change > 0.1


def test_an_answer_is_made_again_of_what_was_kept_of_it_and_not_of_events(slate: Slate) -> None:
    """Months of events may be gone by then."""
    assert Event.objects.all().delete()[0] > 0
    assert past_answer(slate, now=slate.served_at).made.sameness is Sameness.EXACT


def test_shares_of_several_causes_add_up(slate: Slate) -> None:
    for change in (change_rules, change_weights, change_catalogue, change_customer):
        change(slate)
    past = past_answer(slate, now=slate.served_at)
    assert past.made.sameness is Sameness.EXACT
    assert sum(past.causes.values()) == pytest.approx(past.change)
    assert len(past.causes) >= 3


@pytest.mark.usefixtures("_empty_valkey")
@pytest.mark.parametrize("signed_in", [None, True])
def test_who_is_in_an_experiment_gets_its_list_now_until_it_ends(*, signed_in: bool | None) -> None:
    writes.rebuild()
    test = begin(signed_in=signed_in)
    answer = serve(Request(placement="home", user_id="u0", n=8), now=timezone.now())
    write_slates()
    slate = Slate.objects.get(recommendation_id=answer.recommendation_id)
    assert slate.arms
    assert changed(slate) == [Part.CUSTOMER]
    running = past_answer(slate, now=slate.served_at)
    assert (running.made.sameness, running.change, running.causes) == (Sameness.EXACT, 0, {})
    Experiment.objects.filter(pk=test.pk).update(status=ExperimentStatus.STOPPED)
    fetch.announce(fetch.Changed.EXPERIMENTS)
    ended = past_answer(slate, now=slate.served_at)
    assert ended.change > 0.1
    assert set(ended.causes) == {Part.WEIGHTS, Part.RULES}


def test_an_experiment_that_began_since_is_a_cause(slate: Slate) -> None:
    begin()
    past = past_answer(slate, now=slate.served_at)
    assert set(past.causes) == {Part.WEIGHTS, Part.RULES}
    answer = serve(Request(placement="home", user_id="u0", n=8, dry_run=True), now=slate.served_at)
    assert [shown.item for shown in past.now.shown] == [shown.item for shown in answer.shown]


def test_under_another_book_it_would_have_been_another(slate: Slate) -> None:
    change_rules(slate)
    other = made_again(slate, rules=5, now=timezone.now())
    assert other.answer.shown[0].product.shop_id == "soap-3"
    assert other.sameness is Sameness.DIFFERENT


def test_a_version_that_is_not_there_is_refused(slate: Slate) -> None:
    for versions in ({"weights": 10**6}, {"rules": 77}):
        with pytest.raises(UnknownVersionError):
            made_again(slate, **versions, now=timezone.now())


def test_under_other_weights_it_would_have_been_another(slate: Slate) -> None:
    change_weights(slate)
    other = made_again(slate, weights=90, now=timezone.now())
    assert {term for shown in other.answer.shown for term in shown.contributions} == {"als"}
    assert made_again(slate, now=timezone.now()).sameness is Sameness.EXACT


def test_of_who_objects_since_an_answer_is_nobodys(slate: Slate) -> None:
    Customer.objects.filter(pk=slate.customer_id).update(personalise=False)
    stored = find_slate(slate.recommendation_id)
    assert stored is not None
    assert (stored.customer, stored.state, stored.items) == (None, None, slate.items)
    with pytest.raises(CannotMakeError) as refusal:
        made_again(stored, now=timezone.now())
    assert refusal.value.missing is Missing.NAMELESS
