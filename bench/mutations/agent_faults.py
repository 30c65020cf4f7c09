"""Faults of the push agent: what is put in place of what, and the tests that have to see it."""

from bench.mutations.faults import PlantedFault

AGENT, TESTS = "recommendations/engine/push/agent", "tests/engine/push/agent"
CHOICE, MONEY = f"{TESTS}/test_choice.py", f"{TESTS}/test_money.py"

AGENT_FAULTS = (
    PlantedFault(
        name="the agent's floor is not in its chances",
        file=f"{AGENT}/choice.py",
        old="mixture: Values = (1 - floors.sum(axis=1, keepdims=True)) * shares + floors",
        new="mixture: Values = shares + 0 * floors",
        tests=[f"{CHOICE}::test_the_floor_is_even_over_what_is_allowed"],
    ),
    PlantedFault(
        name="the agent's chances come from fresh draws",
        file=f"{AGENT}/choice.py",
        old="for model in policy.draws:",
        new="for model in policy.draws + np.random.default_rng().normal(0, 0.2, policy.draws.shape):",
        tests=[
            f"{CHOICE}::test_the_same_number_draws_the_same_option",
            f"{CHOICE}::test_shares_count_the_models_whose_best_option_it_is",
        ],
    ),
    PlantedFault(
        name="the agent takes what is not allowed",
        file=f"{AGENT}/choice.py",
        old="return np.where(allowed, values_of(scores, stakes), -np.inf)",
        new="return values_of(scores, stakes)",
        tests=[f"{CHOICE}::test_chances_sum_to_one_and_are_none_outside_of_what_is_allowed"],
    ),
    PlantedFault(
        name="a number at an edge takes what is not allowed",
        file=f"{AGENT}/choice.py",
        old="passed = np.sum(total <= ",
        new="passed = np.sum(total < ",
        tests=[f"{CHOICE}::test_chances_sum_to_one_and_are_none_outside_of_what_is_allowed"],
    ),
    PlantedFault(
        name="a drawn model decides whether",
        file=f"{AGENT}/choice.py",
        old="worth_it = np.concatenate([values > 0, np.ones((people, 1), bool)], axis=1)",
        new="worth_it = np.ones((people, options + 1), bool)",
        tests=[f"{CHOICE}::test_nothing_is_sent_that_the_plain_model_does_not_find_worth_it"],
    ),
    PlantedFault(
        name="tiredness is dropped",
        file=f"{AGENT}/choice.py",
        old="values: Values = gain * expit(scores) - stakes.price - (stakes.leaving + stakes.tiredness)[:, None]",
        new="values: Values = gain * expit(scores) - stakes.price - stakes.leaving[:, None]",
        tests=[f"{CHOICE}::test_tiredness_makes_fewer_messages_worth_it"],
    ),
    PlantedFault(
        name="a lost contact is counted twice",
        file=f"{AGENT}/choice.py",
        old="stakes.price - (stakes.leaving + stakes.tiredness)[:, None]",
        new="stakes.price - (2 * stakes.leaving + stakes.tiredness)[:, None]",
        tests=[
            f"{CHOICE}::test_a_message_costs_what_it_costs_once",
            f"{MONEY}::test_the_line_of_money_is_the_value_of_the_choice",
        ],
    ),
    PlantedFault(
        name="one person teaches as much as they answer",
        file=f"{AGENT}/belief.py",
        old="most = max(HEAVIEST * len(people), 1.0)",
        new="most = float(len(people))",
        tests=[f"{TESTS}/test_belief.py::test_one_person_counts_a_hundredth_of_a_night_at_most"],
    ),
    PlantedFault(
        name="the agent forgets nothing",
        file=f"{AGENT}/belief.py",
        old="keep = 2 ** (-nights / half_life)",
        new="keep = 1.0",
        tests=[f"{TESTS}/test_belief.py::test_what_is_forgotten_is_half_after_ninety_nights"],
    ),
    PlantedFault(
        name="199 answers are enough",
        file=f"{AGENT}/readiness.py",
        old="record.answers >= ENOUGH_ANSWERS:",
        new="record.answers >= ENOUGH_ANSWERS - 1:",
        tests=[f"{TESTS}/test_refusals.py::test_two_hundred_answers_are_enough_and_199_are_not"],
    ),
    PlantedFault(
        name="the agent learns from those for whom it estimates",
        file=f"{AGENT}/off_policy.py",
        old="policy, own = _policy_of(_part(log, ~half), rate=rate, seed=seed, floor=floor), _part(log, half)",
        new="policy, own = _policy_of(_part(log, half), rate=rate, seed=seed, floor=floor), _part(log, half)",
        tests=[f"{TESTS}/test_off_policy.py::test_the_model_is_learned_on_the_other_half"],
    ),
    PlantedFault(
        name="the rule pays for answers that nothing caused",
        file="recommendations/engine/push/value.py",
        old="return self.chance * self.caused * self.worth",
        new="return self.chance * self.worth",
        tests=["tests/engine/push/test_value.py::test_only_what_is_caused_counts_and_one_message_more_tires"],
    ),
    PlantedFault(
        name="the rule's messages tire nobody",
        file="recommendations/engine/push/value.py",
        old="return self.brings - self.price - self.loses - self.tiredness",
        new="return self.brings - self.price - self.loses",
        tests=["tests/engine/push/test_value.py::test_only_what_is_caused_counts_and_one_message_more_tires"],
    ),
    PlantedFault(
        name="the last look asks the rule of what the agent chose",
        file="recommendations/engine/push/decision.py",
        old="settled = asked.rank == 0 or each.case.chosen",
        new="settled = asked.rank == 0",
        tests=["tests/engine/push/test_value.py"],
    ),
    PlantedFault(
        name="people who are held out count as the agent's",
        file="recommendations/services/agents/groups.py",
        old="AgentGroup.AGENT: written_to & (own < min(shares))",
        new="AgentGroup.AGENT: own < min(shares)",
        tests=["tests/services/agents/test_effects.py::test_money_is_told_beside_the_rule_and_beside_the_holdout"],
    ),
    PlantedFault(
        name="the agent is measured on days before it began with somebody",
        file="recommendations/store/agents/outcomes.py",
        old="FILTER (WHERE event.occurred_at > first.at)::float8 AS y",
        new="FILTER (WHERE event.occurred_at > %(since)s)::float8 AS y",
        tests=["tests/services/agents/test_effects.py::test_only_what_is_believed_and_of_their_days_counts"],
    ),
    PlantedFault(
        name="what was chosen of a day is nothing to a campaign that the night does not know",
        file="recommendations/engine/push/decision.py",
        old="every[case.place] = after_taken(case.verdict, before)",
        new="every[case.place] = case.verdict",
        tests=["tests/services/agents/test_deciding.py"],
    ),
)
