"""The faults: what is put in place of what, and the tests that have to see it."""

from collections.abc import Sequence
from dataclasses import dataclass

ENGINE, STORE, SERVICES, SERVING = (
    f"tests/{folder}" for folder in ("engine/experiments", "store/experiments", "services/experiments", "serving")
)
TOTALS = f"{STORE}/test_totals.py"
SUMS = "recommendations/store/experiments"


@dataclass(frozen=True, kw_only=True)
class PlantedFault:
    """A text that stands exactly once in a file, and what is put in its place."""

    name: str
    file: str
    old: str
    new: str
    tests: Sequence[str]

    def planted(self, source: str) -> str:
        """The source with the fault. Raises LookupError where its text does not stand there exactly once."""
        count = source.count(self.old)
        if count != 1:
            raise LookupError(f"{self.name}: {self.file} has {count} times:\n{self.old}")
        return source.replace(self.old, self.new)


FAULTS = (
    PlantedFault(
        name="α of the arms is not divided",
        file="recommendations/engine/experiments/decision.py",
        old="return ALPHA / max(len(standing.contrasts), 1)",
        new="return ALPHA",
        tests=[f"{ENGINE}/test_decision.py::test_each_of_several_arms_has_a_part_of_alpha"],
    ),
    PlantedFault(
        name="α of the guardrails is not divided",
        file="recommendations/engine/experiments/decision.py",
        old="half = half_width(guardrail.effect.se, guardrail.tau2, 2 * ALPHA / count)\n    if",
        new="half = half_width(guardrail.effect.se, guardrail.tau2, 2 * ALPHA)\n    if",
        tests=[f"{ENGINE}/test_decision.py::test_more_guardrails_need_wider_intervals"],
    ),
    PlantedFault(
        name="α of the scales is not divided",
        file=f"{SUMS}/caps.py",
        old="return ALPHA / (len(supporting) * (arms - 1))",
        new="return ALPHA",
        tests=[f"{STORE}/test_caps.py::test_each_metric_has_its_share_of_the_errors"],
    ),
    PlantedFault(
        name="the interval is one that may be looked at once",
        file="recommendations/engine/experiments/sequences.py",
        old="return se * math.sqrt((1 + variance / tau2) * (-2 * math.log(alpha) + math.log1p(tau2 / variance)))",
        new="return se * 1.959964",
        tests=[f"{ENGINE}/test_sequences.py"],
    ),
    PlantedFault(
        name="τ is that of today's standard error",
        file="recommendations/services/experiments/standings.py",
        old="            tau2=tau2 or 1.0,\n            successes=successes[place],\n",
        new="            tau2=7.94 * effect.se**2,\n            successes=successes[place],\n",
        tests=[f"{SERVICES}/test_readings.py::test_the_scale_of_an_interval_is_that_of_the_start"],
    ),
    PlantedFault(
        name="τ of a guardrail is that of today's standard error",
        file="recommendations/services/experiments/standings.py",
        old="                    effect=effect if tau2 else _untold(effect),\n                    tau2=tau2 or 1.0,\n",
        new="                    effect=effect,\n                    tau2=7.94 * effect.se**2,\n",
        tests=[f"{SERVICES}/test_readings.py::test_the_scale_of_an_interval_is_that_of_the_start"],
    ),
    PlantedFault(
        name="the cap is that of today's data",
        file=f"{SUMS}/totals.py",
        old="    caps = {name: float(cap) for name, cap in experiment.caps.items()}\n",
        new="    from recommendations.store.experiments.caps import spending_caps\n\n"
        "    caps = spending_caps(experiment, now=values['now'])\n",
        tests=[f"{TOTALS}::test_a_person_counts_at_most_the_cap_in_both_stretches_and_what_it_cuts_is_said"],
    ),
    PlantedFault(
        name="π of cards without 1 − σ",
        file="recommendations/engine/ranking/exploration.py",
        old="table = (1 - shuffled) * _of_cards(layout, table, chance=cards)",
        new="table = _of_cards(layout, table, chance=cards)",
        tests=["tests/engine/ranking/test_exploration.py::test_chances_of_both_ways_together"],
    ),
    PlantedFault(
        name="the arm is read after the flip",
        file="recommendations/serving/serve.py",
        old="snapshot=state.snapshot.under(arms), state=live, now=state.now, arms=arms)\n",
        new="snapshot=state.snapshot.under(arms), state=live, now=state.now,\n"
        "                   arms=arms_under(replace(state, snapshot=snapshot_holder().any()), live))\n",
        tests=[f"{SERVING}/test_arms.py::test_the_arm_of_an_answer_is_that_of_the_snapshot_that_answers"],
    ),
    PlantedFault(
        name="who is mixed counts",
        file=f"{SUMS}/statements.py",
        old="WHERE NOT (mixed OR objected OR aside)",
        new="WHERE NOT (objected OR aside)",
        tests=[f"{TOTALS}::test_who_saw_two_arms_is_left_out"],
    ),
    PlantedFault(
        name="who objected counts",
        file=f"{SUMS}/statements.py",
        old="WHERE NOT (mixed OR objected OR aside)",
        new="WHERE NOT (mixed OR aside)",
        tests=[f"{TOTALS}::test_who_objects_later_drops_out"],
    ),
    PlantedFault(
        name="floors are clipped",
        file="recommendations/engine/experiments/bandit.py",
        old="    share = least + (1 - least.sum()) * chance\n",
        new="    share = np.maximum(least, chance)\n    share = share / share.sum()\n",
        tests=[f"{ENGINE}/test_bandit.py::test_floors_are_added"],
    ),
    PlantedFault(
        name="a refund is ignored",
        file=f"{SUMS}/statements.py",
        old="round(line.amount * coalesce(taken.share, 0), 2) AS refunded",
        new="0::numeric AS refunded",
        tests=[f"{TOTALS}::test_what_is_given_back_is_taken_off"],
    ),
    PlantedFault(
        name="spending before the first answer counts",
        file=f"{SUMS}/statements.py",
        old="event.occurred_at < event.first_at AS earlier",
        new="false AS earlier",
        tests=[f"{TOTALS}::test_purchases_count_from_the_first_answer_for_28_days"],
    ),
    PlantedFault(
        name="the unit is the customer's key",
        file="recommendations/serving/serving_state.py",
        old="snapshot=snapshot, unit=unit_of(named),",
        new="snapshot=snapshot, unit=customer,",
        tests=[f"{SERVING}/test_answer_record.py::test_the_unit_is_the_person_before_any_event"],
    ),
    PlantedFault(
        name="the unit is the customer's key where many are asked",
        file="recommendations/serving/serving_state.py",
        old="unit=unit_of(own), customer=customer, raw=one",
        new="unit=customer, customer=customer, raw=one",
        tests=[f"{SERVING}/test_arms.py::test_a_person_stays_in_an_arm_at_every_door_and_in_every_process"],
    ),
    PlantedFault(
        name="a merged person's arm is drawn anew",
        file="recommendations/store/serving/snapshot.py",
        old="        if unit in self.stays:\n",
        new="        if unit in ():\n",
        tests=[f"{SERVING}/test_arms.py::test_after_a_merger_the_arm_of_the_earlier_exposure_stays"],
    ),
    PlantedFault(
        name="a bandit's people stay in their arm",
        file="recommendations/store/serving/snapshot.py",
        old="self.salt + day.isoformat().encode() if self.daily else self.salt",
        new="self.salt",
        tests=[f"{SERVING}/test_arms.py::test_a_bandit_draws_people_anew_each_day_by_the_shares_of_the_day"],
    ),
    PlantedFault(
        name="the variance of the draw is dropped",
        file="recommendations/engine/experiments/off_policy.py",
        old="max(clustered_variance(difference, logged.customers), _design(weighing) / n)",
        new="clustered_variance(difference, logged.customers)",
        tests=[f"{ENGINE}/test_off_policy.py::test_heavy_clicks_count_that_a_sample_happens_not_to_have"],
    ),
    PlantedFault(
        name="attention of an estimate is fitted on cards",
        file="recommendations/engine/experiments/past_choices.py",
        old="[choice.way is not Way.CARDS for choice in choices]",
        new="[choice.way is not None for choice in choices]",
        tests=[f"{ENGINE}/test_past_choices.py::test_answers_of_different_lengths_stand_side_by_side"],
    ),
    PlantedFault(
        name="attention of a version is fitted on cards",
        file="recommendations/store/models/feedback.py",
        old="ways = [int(Way.AS_RANKED), int(Way.SHUFFLED)]",
        new="ways = [int(way) for way in Way]",
        tests=["tests/loop/test_feedback.py::test_cards_do_not_tell_attention"],
    ),
    PlantedFault(
        name="a reading is added to the one before",
        file="recommendations/services/experiments/readings.py",
        old="n=int(own.moments.n), y=own.moments.y,",
        new="n=int(own.moments.n), y=own.moments.y + sum(\n"
        "                Reading.objects.filter(arm=arm, segment=segment, metric=metric).values_list('y', flat=True)),",
        tests=[f"{SERVICES}/test_readings.py::test_reading_twice_is_reading_once"],
    ),
    PlantedFault(
        name="people are settled up to the clock",
        file=f"{SUMS}/units.py",
        old="until = min(newest, now)",
        new="until = now",
        tests=[f"{STORE}/test_units.py::test_a_pause_loses_nobody_and_counts_nobody_twice"],
    ),
    PlantedFault(
        name="an experiment on made visitors is read",
        file="recommendations/services/experiments/readings.py",
        old="Experiment.objects.filter(simulated=False, started_at__lte=now)",
        new="Experiment.objects.filter(started_at__lte=now)",
        tests=[f"{SERVICES}/test_readings.py::test_what_is_read"],
    ),
    PlantedFault(
        name="the control is not frozen",
        file="recommendations/services/experiments/starting.py",
        old="        arm.changes = _merged(control, own)\n",
        new="        arm.changes = own\n",
        tests=[f"{SERVICES}/test_lifecycle.py::test_an_arm_that_leaves_a_lever_alone_is_as_the_control_has_it"],
    ),
    PlantedFault(
        name="the stock's mark is ignored",
        file="recommendations/store/serving/stock_at.py",
        old="    certain = now == mark\n",
        new="    certain = True\n",
        tests=[f"{SERVING}/test_again.py::test_the_stock_of_a_moment_is_verified_and_not_assumed"],
    ),
    PlantedFault(
        name="a state is written of who objected",
        file="recommendations/serving/answer_record.py",
        old="    if answer.nameless:\n",
        new="    if answer.nameless and not raw.customer:\n",
        tests=[f"{SERVING}/test_answer_record.py::test_nothing_is_stored_of_who_does_not_want_to_be_known"],
    ),
    PlantedFault(
        name="the unit of who objected is written",
        file="recommendations/serving/serve.py",
        old="unit=None if nameless else state.unit,",
        new="unit=state.unit,",
        tests=[f"{SERVING}/test_answer_record.py::test_nothing_is_stored_of_who_does_not_want_to_be_known"],
    ),
)
