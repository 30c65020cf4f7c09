"""Weights for an audience: whose act on a customer in several groups, what measures them, and the way back."""

from typing import Any

import pytest
from django.utils import timezone

from recommendations.loop.gate import LEAST
from recommendations.models import Audience, AudienceMember, AuditEntry, BlendWeights, Customer, Segment, Staff
from recommendations.services.access.audit import NoteNeededError
from recommendations.services.audiences.editing import (
    AudienceIsUsedError,
    archive_audience,
    refresh_audiences,
    reorder_audiences,
)
from recommendations.services.review.drafts import draft_weights
from recommendations.services.review.review import Draft
from recommendations.services.weights.blending import NothingToWithdrawError, publish, roll_back, withdraw
from recommendations.services.weights.drafts import draft_of, save_draft
from recommendations.services.weights.suggestions import latest_suggestion, suggest
from recommendations.services.weights.tuning import NothingToTuneOnError
from recommendations.services.weights.what_if import Unmeasured, held_for, what_if
from recommendations.serving.serve import serve
from recommendations.serving.types import Request
from recommendations.store.events.pseudonyms import pseudonym
from recommendations.terms import BlendName, GateOutcome, Role
from recommendations.wording.labels import gate_text
from tests.review import review

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("shop")]


@pytest.fixture
def boss() -> Staff:
    return Staff.objects.create_user("boss@example.com", role=Role.PUBLISHER)


def key_of(user: str) -> int:
    return Customer.objects.get(pseudonym=pseudonym(user)).pk


def audience_of(name: str, *users: str) -> Audience:
    """An audience of customers of whom the shop says that they are in it; members follow as in any other."""
    for user in users:
        customer = Customer.objects.get(pseudonym=pseudonym(user))
        customer.properties |= {name: "yes"}
        customer.save(update_fields=["properties"])
    asked = {"kind": "property", "property": name, "operator": "is", "values": ["yes"]}
    made = Audience.objects.create(
        name=name, conditions={"all": [asked], "none": []}, position=1 + Audience.objects.count()
    )
    refresh_audiences(now=timezone.now())
    made.refresh_from_db()
    return made


def published(weights: dict[str, float], group: Audience | Segment | None, *, by: Staff) -> BlendWeights:
    draft = save_draft(
        blend=BlendName.HOME, group=group, values={"weights": weights}, revision=None, by=by, now=timezone.now()
    )  # fmt: skip
    return publish(weights=draft, by=by, now=timezone.now(), note="Their own", override=True)


def version_of(user: str) -> int | None:
    return serve(Request(placement="home", user_id=user, dry_run=True), now=timezone.now()).weights_version


def test_the_first_audience_goes_before_the_segment_and_that_before_everybody(
    boss: Staff, django_capture_on_commit_callbacks: Any
) -> None:
    everybodys = version_of("u0")
    with django_capture_on_commit_callbacks(execute=True):
        first, second = audience_of("tea", "u0"), audience_of("coffee", "u0", "u1")
    number = Customer.objects.get(pk=key_of("u0")).live_profile.segment
    with django_capture_on_commit_callbacks(execute=True):
        of_segment = published({"als": 1}, number, by=boss)
    assert version_of("u0") == of_segment.number
    with django_capture_on_commit_callbacks(execute=True):
        of_second = published({"ease_home": 1}, second, by=boss)
    assert (version_of("u0"), version_of("u1"), version_of("u4")) == (of_second.number, of_second.number, everybodys)
    with django_capture_on_commit_callbacks(execute=True):
        of_first = published({"buy_again": 1}, first, by=boss)
    assert (version_of("u0"), version_of("u1")) == (of_first.number, of_second.number)
    with django_capture_on_commit_callbacks(execute=True):
        reorder_audiences(keys=[second.pk, first.pk], by=boss)
    assert version_of("u0") == of_second.number
    answer = review(customer=key_of("u0"), placement="home").answer
    assert answer.weights is not None
    assert answer.weights.whose == (BlendName.HOME, second.pk, None)


def test_answers_follow_who_joins_and_leaves(boss: Staff, django_capture_on_commit_callbacks: Any) -> None:
    everybodys = version_of("u0")
    with django_capture_on_commit_callbacks(execute=True):
        own = published({"als": 1}, audience_of("tea", "u0"), by=boss)
    assert (version_of("u0"), version_of("u1")) == (own.number, everybodys)
    Customer.objects.filter(pk=key_of("u0")).update(properties={})
    Customer.objects.filter(pk=key_of("u1")).update(properties={"tea": "yes"})
    with django_capture_on_commit_callbacks(execute=True):
        refresh_audiences(now=timezone.now())
    assert (version_of("u0"), version_of("u1")) == (everybodys, own.number)


def test_only_members_measure_and_too_few_promise_nothing(boss: Staff) -> None:
    panel = held_for(BlendName.HOME, None)
    assert not isinstance(panel, Unmeasured)
    buyers = dict(Customer.objects.filter(pk__in=panel.customers.tolist()).values_list("pk", "pseudonym"))
    users = [user for user in (f"u{n}" for n in range(60)) if pseudonym(user) in buyers.values()]
    few, enough = audience_of("few", *users[: LEAST - 1]), audience_of("enough", *users[:LEAST])
    measured = what_if(blend=BlendName.HOME, weights={"als": 1}, group=enough)
    assert measured.users == LEAST
    members = set(enough.members.values_list("customer", flat=True))
    assert {mover.customer for mover in measured.movers} <= members
    refused = what_if(blend=BlendName.HOME, weights={"als": 1}, group=few)
    assert (refused.unmeasured, refused.figures) == (Unmeasured.TOO_FEW, {})
    with pytest.raises(NothingToTuneOnError):
        suggest(blend=BlendName.HOME, group=few, values={}, limits={}, by=boss, now=timezone.now())
    own = published({"als": 1}, few, by=boss)
    assert own.gate["outcome"] == GateOutcome.UNMEASURED
    assert 0 < own.gate["users"] < LEAST
    assert "too few to compare" in gate_text(own.gate)


def test_members_who_join_are_measured_at_once() -> None:
    panel = held_for(BlendName.HOME, None)
    assert not isinstance(panel, Unmeasured)
    audience = audience_of("tea")
    assert held_for(BlendName.HOME, audience) is Unmeasured.NOBODY
    for key in panel.customers[: LEAST + 2].tolist():
        Customer.objects.filter(pk=key).update(properties={"tea": "yes"})
    refresh_audiences(now=timezone.now())
    audience.refresh_from_db()
    assert len(held_for(BlendName.HOME, audience)) == LEAST + 2  # type: ignore[arg-type]


def test_a_search_is_for_its_group_alone(boss: Staff) -> None:
    panel = held_for(BlendName.HOME, None)
    assert not isinstance(panel, Unmeasured)
    Customer.objects.filter(pk__in=panel.customers[:20].tolist()).update(properties={"tea": "yes"})
    audience = audience_of("tea")
    search = suggest(
        blend=BlendName.HOME, group=audience, values={"weights": {"als": 1}}, limits={}, by=boss, now=timezone.now()
    )  # fmt: skip
    assert search.group == audience
    assert (latest_suggestion(BlendName.HOME, audience), latest_suggestion(BlendName.HOME)) == (search, None)


def test_the_draft_of_the_first_audience_is_the_one_that_would_act(boss: Staff) -> None:
    second = audience_of("coffee", "u0", "u1")
    everybodys = save_draft(
        blend=BlendName.HOME, values={"weights": {"als": 1}}, revision=None, by=boss, now=timezone.now()
    )  # fmt: skip
    own = save_draft(
        blend=BlendName.HOME, group=second, values={"weights": {"buy_again": 1}}, revision=None, by=boss,
        now=timezone.now(),
    )  # fmt: skip
    assert draft_of(BlendName.HOME, second) == own
    assert draft_weights(blend=BlendName.HOME, customer=key_of("u0")) == own
    assert draft_weights(blend=BlendName.HOME, customer=key_of("u4")) == everybodys
    preview = review(customer=key_of("u0"), placement="home", draft=Draft(weights=own)).answer
    assert preview.weights is not None
    assert preview.weights.key == own.pk
    AudienceMember.objects.filter(customer=key_of("u0")).delete()
    assert draft_weights(blend=BlendName.HOME, customer=key_of("u0")) == everybodys


def test_weights_of_a_group_are_withdrawn_and_brought_back(
    boss: Staff, django_capture_on_commit_callbacks: Any
) -> None:
    everybodys = version_of("u0")
    with django_capture_on_commit_callbacks(execute=True):
        audience = audience_of("tea", "u0")
        own = published({"als": 1}, audience, by=boss)
    assert version_of("u0") == own.number
    with pytest.raises(AudienceIsUsedError) as used:
        archive_audience(audience=audience, by=boss, now=timezone.now())
    assert used.value.users == ([], [own], [])
    with pytest.raises(NoteNeededError):
        withdraw(weights=own, note=" ", by=boss)
    with django_capture_on_commit_callbacks(execute=True):
        withdraw(weights=own, note="The tea is sold out", by=boss)
    assert version_of("u0") == everybodys
    entry = AuditEntry.objects.get(verb="withdraw")
    assert (entry.note, entry.before) == ("The tea is sold out", {"default": own.number})
    with pytest.raises(NothingToWithdrawError):
        withdraw(weights=own, note="again", by=boss)
    with pytest.raises(NothingToWithdrawError):
        withdraw(weights=BlendWeights.objects.defaults().get(blend__name="home"), note="all", by=boss)
    with django_capture_on_commit_callbacks(execute=True):
        back = roll_back(weights=own, note="More tea", by=boss, now=timezone.now())
    assert (version_of("u0"), back.audience) == (back.number, audience)
    with django_capture_on_commit_callbacks(execute=True):
        withdraw(weights=back, note="No tea", by=boss)
    assert archive_audience(audience=audience, by=boss, now=timezone.now()).archived_at
