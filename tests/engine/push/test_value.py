"""Value of a message: what it brings, less its price and less what a contact that leaves was worth."""

from dataclasses import replace

import pytest

from recommendations.engine.push.cases import ChannelReach
from recommendations.engine.push.competition import HOUR, SentMessage
from recommendations.engine.push.decision import PersonalChances
from recommendations.engine.push.value import MessageCosts, messages_before, value_line
from recommendations.push_terms import Channel, Verdict
from tests.engine.push.test_decision import MAIL, NOW, PRESSURE, ago, case, decided, one, person, terms

COSTS = MessageCosts(prices={Channel.EMAIL: 0.05}, leaving=(0.001, 0.002, 0.003, 0.01), lost_contact=20.0)


def test_the_line_adds_up() -> None:
    line = value_line(COSTS, chance=0.02, worth=15.0, channel=Channel.EMAIL, before=1)
    assert (line.brings, line.loses) == pytest.approx((0.3, 0.04))
    assert line.value == pytest.approx(0.3 - 0.05 - 0.04)


def test_a_channel_without_a_price_costs_nothing_and_many_messages_count_as_three() -> None:
    line = value_line(COSTS, chance=0.0, worth=15.0, channel=Channel.WEB_PUSH, before=7)
    assert line.value == pytest.approx(-0.2)


def test_only_what_is_caused_counts_and_one_message_more_tires() -> None:
    line = value_line(
        replace(COSTS, tiredness=0.07), chance=0.02, worth=15.0, channel=Channel.EMAIL, before=1, caused=0.5
    )
    assert line.brings == pytest.approx(0.15)
    assert line.value == pytest.approx(0.15 - 0.05 - 0.04 - 0.07)


def test_messages_of_28_days_before_count() -> None:
    day = 24 * HOUR
    sent = [SentMessage(1_000 * day - after * day, "email") for after in (0, 27.9, 28, 40)]
    assert messages_before([*sent, SentMessage(1_001 * day, "email")], at=1_000 * day) == 2


class TestDecision:
    pressure = replace(PRESSURE, costs=COSTS)

    def test_what_costs_more_than_it_brings_is_not_sent(self) -> None:
        worth_it = one(person(worth=20.0), terms(chance=0.004), pressure=self.pressure)
        assert (worth_it.verdict, worth_it.value) == (Verdict.NOW, pytest.approx(0.08 - 0.05 - 0.02))
        not_worth = one(person(worth=20.0), terms(chance=0.003), pressure=self.pressure)
        assert (not_worth.verdict, not_worth.value) == (Verdict.NOT_WORTH, pytest.approx(0.06 - 0.07))

    def test_a_half_of_the_answers_caused_and_tiredness_take_what_was_worth_it(self) -> None:
        who, asked = person(worth=20.0), terms(chance=0.01)
        assert one(who, asked, pressure=self.pressure).value == pytest.approx(0.2 - 0.07)
        assert one(replace(who, caused=0.5), asked, pressure=self.pressure).value == pytest.approx(0.1 - 0.07)
        tired = replace(PRESSURE, costs=replace(COSTS, tiredness=0.04))
        outcome = one(replace(who, caused=0.5), asked, pressure=tired)
        assert (outcome.verdict, outcome.value) == (Verdict.NOT_WORTH, pytest.approx(0.1 - 0.11))

    def test_what_the_agent_chose_is_asked_the_gates_alone(self) -> None:
        [outcome] = decided(
            [case(1, 1)._replace(chosen=True)], [person(worth=20.0)], [terms(chance=0.0)], pressure=self.pressure
        )
        assert (outcome.verdict, outcome.value) == (Verdict.NOW, pytest.approx(-0.07))

    def test_what_the_customer_asked_for_goes_all_the_same(self) -> None:
        assert one(person(), terms(chance=0.0, rank=0), pressure=self.pressure).verdict is Verdict.NOW

    def test_each_message_before_makes_the_next_one_dearer(self) -> None:
        long_ago = [ago(24 * 8), ago(24 * 12), ago(24 * 20)]
        line = [
            one(person(sent=tuple(long_ago[:number])), terms(chance=0.01), pressure=self.pressure).value
            for number in range(4)
        ]
        assert line == pytest.approx([0.13, 0.11, 0.09, -0.05])

    def test_too_little_comes_first_and_is_the_verdict(self) -> None:
        outcome = one(person(), terms(chance=0.0, least_items=4), pressure=self.pressure)
        assert outcome.verdict is Verdict.TOO_LITTLE

    def test_a_shadow_that_is_not_worth_it_would_not_have_been_sent(self) -> None:
        outcome = one(person(), terms(chance=0.0, holdout=1.0, salt=b"c"), pressure=self.pressure)
        assert (outcome.verdict, outcome.otherwise, outcome.would_send) == (
            Verdict.HELD_OUT, Verdict.NOT_WORTH, False,
        )  # fmt: skip

    def test_without_costs_nothing_is_kept_back(self) -> None:
        assert one(person(worth=0.0), terms(chance=0.0)).verdict is Verdict.NOW

    def test_chances_of_each_take_the_place_of_the_campaigns(self) -> None:
        own = PersonalChances(of=lambda cases, items: [0.25 for _ in cases], proven=True)
        outcome = one(person(), terms(chance=0.5), chances=own)
        assert (outcome.chance, outcome.value) == (0.25, 5.0)

    @pytest.mark.parametrize(("proven", "verdict"), [(True, Verdict.NOT_WORTH), (False, Verdict.NOW)])
    def test_a_chance_that_ours_do_not_prove_keeps_nothing_back(self, proven: bool, verdict: Verdict) -> None:
        own = PersonalChances(of=lambda cases, items: [0.0 for _ in cases], proven=proven)
        outcome = one(person(), terms(chance=0.01), pressure=self.pressure, chances=own)
        assert (outcome.verdict, outcome.value) == (verdict, pytest.approx(-0.07))


def test_the_best_channel_is_the_one_that_is_clicked_most() -> None:
    reach = tuple(through(channel) for channel in (MAIL, Channel.WEB_PUSH))
    who = person(reach=reach, clicks={MAIL: 0.03, Channel.WEB_PUSH: 0.2})
    both = (MAIL, Channel.WEB_PUSH)
    chosen = [one(who, terms(channels=both, best_channel=best)).reach for best in (False, True)]
    assert [each.channel for each in chosen if each] == [MAIL, Channel.WEB_PUSH]
    equal = person(reach=reach, clicks={MAIL: 0.1, Channel.WEB_PUSH: 0.1})
    first = one(equal, terms(channels=both, best_channel=True)).reach
    assert first is not None
    assert first.channel is MAIL  # of equals the preferred
    assert one(equal, terms(channels=both, best_channel=True)).due_at == NOW


def through(channel: Channel) -> ChannelReach:
    return person().reach[0]._replace(channel=channel)
