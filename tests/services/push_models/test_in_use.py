"""Learned models in decisions: plans are their sendings, people differ as was learned, costs are those of the rules."""

from collections import Counter
from datetime import datetime, time, timedelta

import msgspec
import numpy as np
import pytest
from django.conf import LazySettings
from django.db.models import Sum
from django.utils import timezone

from recommendations.engine.push.activity import WEEK
from recommendations.engine.push.response import SPAN_DAYS
from recommendations.models import Considered, Customer, Event, Message, Occurrence, PressureRules, PushModel
from recommendations.push_terms import MessageState, PushModelKind, Verdict
from recommendations.services.push.deciding import Ground
from recommendations.services.push.likely import kept_shares
from recommendations.services.push.sendings import decide_pushes, plan
from recommendations.services.push.trying import in_view, wanted_of
from recommendations.services.push_models.in_use import LearnedModels, costs_under
from recommendations.simulation.message_lists import current_snapshot, items_of_many
from recommendations.store.push.activity import click_shares, hours_of_all, hours_of_people
from recommendations.store.push.contact_worth import ContactWorths, contact_worths
from recommendations.store.push.response_lessons import IMPORTED, OWN
from recommendations.terms import BlendName
from tests.agent_records import people, purchases
from tests.push_models import logistic, use, use_response
from tests.push_records import contact
from tests.services.campaigns.test_form import what
from tests.services.push.test_sendings import campaign, customers, verdicts

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("shop_today")]


@pytest.fixture(autouse=True)
def _installed(settings: LazySettings) -> None:
    settings.PUSH_FROM, settings.SHOP_NAME, settings.POSTAL_ADDRESS = "hello@shop.example", "Corner", "1 Market Square"


@pytest.fixture
def now() -> datetime:
    return timezone.now()


@pytest.fixture(autouse=True)
def rules() -> PressureRules:
    return PressureRules.objects.create(
        number=1, caps=[{"channel": "email", "most": 1, "hours": 24}], quiet_from=time(0), quiet_until=time(0),
        holdout=0.1, season="2026-2", is_default=True,
    )  # fmt: skip


def outcomes(occurrence: Occurrence) -> list[Considered]:
    return list(Considered.objects.filter(occurrence=occurrence, chance__gt=0))


@pytest.mark.parametrize("source", [IMPORTED, OWN])
def test_with_everything_learned_a_plan_is_its_sending(now: datetime, rules: PressureRules, source: str) -> None:
    customers()
    use_response(source=source, since_trip=-0.5, own_lines=0.4, size=0.2)
    use(PushModelKind.ACTIVITY, {})
    line = logistic(("score", "place"), intercept=-1.0, score=0.5, place=-0.5)
    use(
        PushModelKind.RELEVANCE,
        {"blends": {BlendName.HOME.value: {**line, "borders": [0.0, 1.0], "steps": [0.0, 1.0]}}},
    )
    made = [
        campaign("best", now, parts={"when": {"best_within": 24}}),
        campaign("good", now, parts={"what": what(least_items=2, least_chance=0.2)}),
    ]
    ground = Ground(snapshot=current_snapshot(), rules=rules, now=now)
    plans = {each.campaign.pk: plan(each, ground=ground) for each in made}
    decide_pushes(now=now)
    for occurrence in Occurrence.objects.all():
        assert verdicts(occurrence) == {
            each.case.customer: (each.verdict.value, list(each.items), each.lost_to)
            for each in plans[occurrence.campaign_id]
        }
        said = {each.case.customer: (each.chance, each.due_at) for each in plans[occurrence.campaign_id] if each.chance}
        assert {each.customer_id: (each.chance, each.due_at) for each in outcomes(occurrence)} == said
    waiting = Message.objects.filter(campaign=made[0].campaign, state=MessageState.DUE)
    assert waiting.exclude(hour_propensity=None).count() == waiting.count() > 10
    assert not Message.objects.filter(campaign=made[1].campaign).exclude(hour_propensity=None).exists()


def test_who_is_likelier_to_answer_has_the_higher_value_and_the_mean_stays(now: datetime) -> None:
    customers()
    campaign("weekly", now)
    use_response(source=IMPORTED, intercept=-2.2, answer_rate=0.0, spend=2.0)
    decide_pushes(now=now)
    [occurrence] = Occurrence.objects.all()
    bought = Event.objects.filter(occurred_at__gt=now - timedelta(days=SPAN_DAYS)).values_list("customer")
    spent = dict(bought.annotate(spent=Sum("amount")))
    seen = sorted((spent[each.customer_id], each.chance, each.value) for each in outcomes(occurrence))
    spends, chances, values = zip(*seen, strict=True)
    assert list(chances) == sorted(chances)
    assert list(values) == sorted(values)
    assert len(set(chances)) == len(set(spends)) == 5
    assert max(chances) < 1


@pytest.mark.parametrize(("source", "verdict"), [(OWN, Verdict.NOT_WORTH), (IMPORTED, Verdict.NOW)])
def test_only_what_ours_taught_keeps_a_message_back(
    now: datetime, rules: PressureRules, source: str, verdict: Verdict
) -> None:
    PressureRules.objects.update(lost_contact=1.0, holdout=0.0)
    customers()
    campaign("weekly", now)
    use_response(source=source, intercept=-30.0)  # nobody answers
    decide_pushes(now=now)
    seen = Counter(Considered.objects.values_list("verdict", flat=True))
    assert seen[verdict] > 30
    assert seen[Verdict.NOT_WORTH] + seen[Verdict.NOW] == seen[verdict]


def test_a_price_keeps_everything_back_that_does_not_bring_it(now: datetime) -> None:
    PressureRules.objects.update(prices={"email": 50.0}, holdout=0.0)
    customers()
    campaign("weekly", now)
    decide_pushes(now=now)
    [occurrence] = Occurrence.objects.all()
    assert occurrence.counts["not_worth"] > 30
    assert occurrence.counts["now"] == 0
    assert sum(occurrence.counts[verdict.value] for verdict in Verdict) == 60
    assert not Message.objects.exists()


def test_items_below_the_least_chance_do_not_count(now: datetime) -> None:
    customers()
    line = logistic(("score", "place"), intercept=0.0, place=-2.0)
    use(
        PushModelKind.RELEVANCE,
        {"blends": {BlendName.HOME.value: {**line, "borders": [0.0, 1.0], "steps": [0.0, 1.0]}}},
    )
    few, all_of = (
        campaign(name, now, parts={"what": what(least_items=3, least_chance=least)}, purpose="news")
        for name, least in (("few", 0.1), ("all", 0.0))
    )
    PressureRules.objects.update(caps=[])
    decide_pushes(now=now)
    counts = {each.campaign_id: each.counts for each in Occurrence.objects.all()}
    assert counts[all_of.campaign.pk]["too_little"] == 0
    assert counts[few.campaign.pk]["too_little"] in {
        0,
        40,
    }  # news goes by what is popular, which nothing was learned of


class TestLikely:
    def test_the_share_of_people_falls_with_the_chance_that_is_asked(self, now: datetime) -> None:
        customers()
        line = logistic(("score", "place"), intercept=0.0, place=-1.0)
        blends = {BlendName.HOME.value: {**line, "borders": [0.0, 1.0], "steps": [0.0, 1.0]}}
        use(PushModelKind.RELEVANCE, {"blends": blends})
        live = campaign("likely", now, parts={"what": what(least_items=3, least_chance=0.07)})
        people = in_view(live.form.who)
        rows = kept_shares(live.campaign, live.form, people, now=now)
        assert rows is not None
        assert [row.least for row in rows] == [0.0, 0.01, 0.02, 0.05, 0.07, 0.1, 0.2, 0.3, 0.5]
        shares = {row.least: row.share for row in rows}
        assert shares[0.0].value > 0.5  # whoever has three items at all
        assert [row.share.value for row in rows] == sorted((row.share.value for row in rows), reverse=True)
        # The third item has a chance of 1 / (1 + 3), whoever it is.
        assert shares[0.2].value == shares[0.0].value
        assert shares[0.3].value == 0.0
        assert 0 < shares[0.3].high < 0.1
        for least, said in ((0.2, shares[0.2]), (0.3, shares[0.3])):  # as a decision counts them
            form = msgspec.structs.replace(live.form, what=msgspec.structs.replace(live.form.what, least_chance=least))
            lists = items_of_many(
                wanted_of(live.campaign, form, people, now=now), snapshot=current_snapshot(), now=now,
                relevance=LearnedModels.in_use().relevance,
            )  # fmt: skip
            assert np.mean([each.good >= 3 for each in lists]) == pytest.approx(said.value)

    def test_without_a_model_in_use_there_is_no_curve(self, now: datetime) -> None:
        live = campaign("likely", now)
        assert kept_shares(live.campaign, live.form, in_view(live.form.who), now=now) is None


class TestOfPeople:
    def test_own_hours_differ_from_everybodys_and_a_strangers_do_not(self, now: datetime) -> None:
        ann, eve = contact("u0"), contact("stranger")
        model = current_snapshot().model
        assert model is not None
        hours = hours_of_people([ann.contact_id, eve.contact_id], model=model, now=now)
        all_of = hours_of_all(model)
        assert all_of is not None
        assert hours[eve.contact_id] == pytest.approx(all_of)
        assert not np.allclose(hours[ann.contact_id], all_of)
        assert all(each.shape == (WEEK,) and each.sum() == pytest.approx(1) for each in hours.values())

    def test_who_agreed_again_since_the_model_has_everybodys_hours(self, now: datetime) -> None:
        ann, model = contact("u0"), current_snapshot().model
        assert model is not None
        Customer.objects.filter(pk=ann.contact_id).update(resumed_at=model.as_of + timedelta(hours=1))
        hours = hours_of_people([ann.contact_id], model=model, now=now)
        assert hours[ann.contact_id] == pytest.approx(hours_of_all(model))
        Customer.objects.filter(pk=ann.contact_id).update(resumed_at=model.as_of - timedelta(hours=1))
        own = hours_of_people([ann.contact_id], model=model, now=now)[ann.contact_id]
        assert not np.allclose(own, hours[ann.contact_id])

    def test_nobody_clicked_a_channel_yet(self, now: datetime) -> None:
        ann = contact("u0")
        assert set(click_shares([ann.contact_id], now=now)[ann.contact_id].values()) == {1 / 31}


class TestCosts:
    def test_a_contact_is_worth_a_part_of_what_an_active_customer_spends(self, rules: PressureRules) -> None:
        at = timezone.now().replace(minute=0, second=0, microsecond=0)
        worth = costs_under(rules, models=LearnedModels(), now=at).lost_contact
        assert worth == contact_worths().as_of(at + timedelta(minutes=59)) >= 0

    def test_what_nobody_named_spent_is_of_no_customer(self) -> None:
        at = timezone.now().replace(minute=0, second=0, microsecond=0)
        before = ContactWorths().as_of(at)
        purchases({None: 1000.0}, at - timedelta(days=2))
        assert ContactWorths().as_of(at) == before
        purchases(dict.fromkeys(people(1), 1000.0), at - timedelta(days=2))
        assert ContactWorths().as_of(at) > before

    def test_what_the_rules_say_goes_first(self, rules: PressureRules) -> None:
        rules.lost_contact, rules.prices = 0.0, {"email": 0.002}
        costs = costs_under(rules, models=LearnedModels(), now=timezone.now())
        assert (costs.lost_contact, dict(costs.prices)) == (0.0, {"email": 0.002})
        assert costs.leaving == (1 / 400,) * 4

    def test_models_in_use_are_those_that_passed(self) -> None:
        assert LearnedModels.in_use().proven
        PushModel.objects.all().delete()  # those of the run
        use(PushModelKind.FATIGUE, {"leaving": [0.001, 0.002, 0.003, 0.004]})
        use_response(source=IMPORTED)
        models = LearnedModels.in_use()
        assert models.leaving == (0.001, 0.002, 0.003, 0.004)
        assert (models.proven, models.hours, models.due) == (False, False, None)
