"""The decision: the first gate that closes counts, shadows go through all gates, budgets and caps hold."""

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from recommendations.engine.experiments.assignment import share_of
from recommendations.engine.push.cases import (
    EVERYTHING,
    CampaignTerms,
    CaseItems,
    CaseVerdict,
    ChannelReach,
    Clock,
    Hour,
    Person,
    Pressure,
    PushCase,
)
from recommendations.engine.push.competition import HOUR, Candidate, PressureCap, SentMessage, fits, fits_with
from recommendations.engine.push.decision import decide
from recommendations.engine.push.gates import caps_of, due_from, full_caps, is_held_from_all, next_allowed
from recommendations.engine.push.timing import QuietHours
from recommendations.engine.push.value import MessageCosts
from recommendations.push_terms import SENDING, Channel, Purpose, Verdict

NOW = datetime(2026, 9, 1, 12, tzinfo=UTC)
LONDON, PARIS = ZoneInfo("Europe/London"), ZoneInfo("Europe/Paris")
NIGHT = QuietHours(time(21), time(8))
MAIL = Channel.EMAIL
CAPS = (PressureCap(MAIL, 1, 24 * HOUR), PressureCap(MAIL, 3, 168 * HOUR))
PRESSURE = Pressure(caps=CAPS, zone=LONDON)


def person(customer: int = 1, **fields: Any) -> Person:
    yes = frozenset({Purpose.FOR_YOU, Purpose.NEWS, Purpose.REMINDERS})
    values = {
        "zone": LONDON,
        "quiet": NIGHT,
        "reach": (ChannelReach(MAIL, customer, 10 * customer, yes),),
        "worth": 20.0,
    }
    return Person(**{"customer": customer, **values, **fields})  # type: ignore[arg-type]


def terms(campaign: int = 1, **fields: Any) -> CampaignTerms:
    values = {"purpose": Purpose.FOR_YOU, "channels": (MAIL,), "rank": 2, "chance": 0.01}
    return CampaignTerms(**{"campaign": campaign, **values, **fields})  # type: ignore[arg-type]


def case(customer: int = 1, campaign: int = 1, **fields: Any) -> PushCase:
    return PushCase(**{"campaign": campaign, "customer": customer, "key": "1", "wanted_at": NOW, **fields})  # type: ignore[arg-type]


def three_items(cases: Sequence[PushCase]) -> list[CaseItems]:
    return [CaseItems((1, 2, 3), 3) for _ in cases]


def decided(
    cases: Sequence[PushCase],
    people: Sequence[Person],
    campaigns: Sequence[CampaignTerms] = (terms(),),
    *,
    pressure: Pressure = PRESSURE,
    lists: Any = three_items,
    now: datetime = NOW,
    chances: Any = None,
) -> list[CaseVerdict]:
    return decide(
        cases, people={each.customer: each for each in people}, terms={each.campaign: each for each in campaigns},
        pressure=pressure, lists=lists, now=now, chances=chances,
    )  # fmt: skip


def one(who: Person, what: CampaignTerms | None = None, **fields: Any) -> CaseVerdict:
    own = {name: fields.pop(name) for name in ("item", "done", "wanted_at") if name in fields}
    return decided([case(who.customer, **own)], [who], [what or terms()], **fields)[0]


def ago(hours: float) -> SentMessage:
    return SentMessage(NOW.timestamp() - hours * HOUR, MAIL)


@pytest.mark.parametrize(
    ("who", "what", "verdict"),
    [
        (person(), terms(), Verdict.NOW),
        (person(reach=()), terms(), Verdict.NO_ADDRESS),
        (person(reach=(ChannelReach(MAIL, 1, 1, frozenset({Purpose.NEWS})),)), terms(), Verdict.NO_CONSENT),
        (person(paused_until=NOW + timedelta(minutes=1)), terms(), Verdict.NO_CONSENT),
        (person(paused_until=NOW), terms(), Verdict.NOW),
        (person(personalise=False), terms(), Verdict.NO_CONSENT),
        (person(personalise=False), terms(purpose=Purpose.REMINDERS), Verdict.NO_CONSENT),
        (person(personalise=False), terms(purpose=Purpose.NEWS), Verdict.NOW),
        (person(reach=(ChannelReach(MAIL, 1, 1, frozenset(Purpose), silent=True),)), terms(), Verdict.SUPPRESSED),
        (person(sent=(ago(23),)), terms(), Verdict.CAPPED),
        (person(sent=(ago(24),)), terms(), Verdict.NOW),
        (person(sent=(ago(100), ago(60), ago(30))), terms(), Verdict.CAPPED),
        (person(sent=(ago(168), ago(60), ago(30))), terms(), Verdict.NOW),
        (person(sent=(ago(60),), most_a_week=1), terms(), Verdict.CAPPED),
        (person(), terms(least_items=4), Verdict.TOO_LITTLE),
        (person(), terms(holdout=1.0), Verdict.HELD_OUT),
        (person(), terms(holdout=1.0, rank=0), Verdict.NOW),
        (person(), terms(per_day=0), Verdict.OVER_BUDGET),
    ],
)  # fmt: skip
def test_the_first_gate_that_closes_is_the_verdict(who: Person, what: CampaignTerms, verdict: Verdict) -> None:
    assert one(who, what).verdict is verdict


def test_what_it_is_for_has_happened_already() -> None:
    assert one(person(), done=True).verdict is Verdict.DONE_ALREADY


def test_an_earlier_gate_hides_a_later_one() -> None:
    nothing = person(reach=(ChannelReach(MAIL, 1, 1, frozenset()),), sent=(ago(1),))
    assert one(nothing, terms(holdout=1.0, least_items=9), done=True).verdict is Verdict.NO_CONSENT


def test_a_message_that_is_reserved_for_later_counts() -> None:
    reserved = SentMessage((NOW + timedelta(hours=20)).timestamp(), MAIL)
    assert one(person(sent=(reserved,))).verdict is Verdict.CAPPED


def test_at_night_it_is_later_where_the_customer_lives() -> None:
    late = datetime(2026, 9, 1, 20, 30, tzinfo=UTC)  # 21:30 in London, 22:30 in Paris
    london, paris = person(1), person(2, zone=PARIS)
    outcomes = decided([case(1, wanted_at=late), case(2, wanted_at=late)], [london, paris], now=late)
    assert [each.verdict for each in outcomes] == [Verdict.LATER, Verdict.LATER]
    assert [each.due_at for each in outcomes] == [
        datetime(2026, 9, 2, 7, tzinfo=UTC), datetime(2026, 9, 2, 6, tzinfo=UTC),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("hour", "due"),
    [
        (Hour(time(18), Clock.CUSTOMER), datetime(2026, 9, 1, 16, tzinfo=UTC)),
        (Hour(time(18), Clock.SHOP), datetime(2026, 9, 1, 17, tzinfo=UTC)),
        (Hour(time(9), Clock.CUSTOMER), datetime(2026, 9, 2, 7, tzinfo=UTC)),  # it has passed today
        (Hour(time(23), Clock.CUSTOMER), datetime(2026, 9, 2, 6, tzinfo=UTC)),  # quiet until 8
    ],
)
def test_an_hour_is_the_next_one_on_the_clock_that_is_meant(hour: Hour, due: datetime) -> None:
    assert due_from(NOW, person(zone=PARIS), terms(hour=hour), shop=LONDON) == due


def test_the_first_channel_that_is_open_is_taken() -> None:
    yes = frozenset(Purpose)
    silent, heard = ChannelReach(MAIL, 1, 1, yes, silent=True), ChannelReach(MAIL, 2, 2, yes)
    assert one(person(reach=(silent, heard))).reach == heard


def test_the_better_message_goes_first_and_the_other_says_to_which_it_lost() -> None:
    campaigns = [terms(1, chance=0.01), terms(2, chance=0.03), terms(3, rank=1, chance=0.001)]
    outcomes = decided([case(campaign=number) for number in (1, 2, 3)], [person()], campaigns)
    assert [(each.verdict, each.lost_to) for each in outcomes] == [
        (Verdict.OUTRANKED, 3), (Verdict.OUTRANKED, 3), (Verdict.NOW, None),
    ]  # fmt: skip
    assert [each.value for each in outcomes] == pytest.approx([0.2, 0.6, 0.02])


def test_a_shadow_says_whether_it_would_have_been_sent_and_takes_room_from_nobody() -> None:
    campaigns = [terms(1, holdout=1.0, chance=0.5), terms(2)]
    shadow, real = decided([case(campaign=1), case(campaign=2)], [person()], campaigns)
    assert (shadow.verdict, shadow.would_send, real.verdict) == (Verdict.HELD_OUT, True, Verdict.NOW)
    # Without the holdout the better one had been outranked.
    worse = decided([case(campaign=1), case(campaign=2)], [person()], [terms(1, holdout=1.0), terms(2, chance=0.5)])
    assert [(each.verdict, each.would_send) for each in worse] == [(Verdict.HELD_OUT, False), (Verdict.NOW, True)]


def test_a_shadow_bears_what_shadows_have_borne() -> None:
    held = terms(holdout=1.0)
    assert one(person(shadows=(ago(1),)), held).would_send is False
    assert one(person(shadows=(ago(25),)), held).would_send is True
    assert one(person(shadows=(ago(1),))).verdict is Verdict.NOW  # not held: shadows were never sent
    assert one(person(), held, lists=lambda cases: [CaseItems((), 0) for _ in cases]).would_send is False


def test_the_holdout_of_a_season_is_a_share_of_everybody_and_the_same_people() -> None:
    pressure = replace(PRESSURE, holdout=0.1, season=b"2026-2")
    people = [person(number) for number in range(2_000)]
    outcomes = decided([case(number) for number in range(2_000)], people, pressure=pressure)
    held = {each.case.customer for each in outcomes if each.verdict is Verdict.HELD_OUT}
    assert held == {number for number in range(2_000) if share_of(b"2026-2", number) < 0.1}
    assert 150 < len(held) < 250


def test_a_short_budget_goes_to_the_highest_value() -> None:
    people = [person(number, worth=float(number)) for number in range(1, 6)]
    outcomes = decided([case(number) for number in range(1, 6)], people, [terms(per_day=2)])
    assert [each.verdict for each in outcomes] == [Verdict.OVER_BUDGET] * 3 + [Verdict.NOW] * 2


def test_a_short_budget_takes_as_many_of_the_shadows_as_of_the_others() -> None:
    people = [person(number, worth=float(number)) for number in range(1, 1_001)]
    outcomes = decided([case(each.customer) for each in people], people, [terms(per_day=200, holdout=0.3, salt=b"1")])
    sent = [each.value for each in outcomes if each.verdict is Verdict.NOW]
    held = [each for each in outcomes if each.verdict is Verdict.HELD_OUT]
    assert len(sent) == 200
    assert {each.would_send for each in held if each.value > min(sent)} == {True}
    assert {(each.would_send, each.otherwise) for each in held if each.value < min(sent)} == {
        (False, Verdict.OVER_BUDGET)
    }
    share = sum(each.would_send for each in held) / len(held)
    assert share == pytest.approx(200 / (1_000 - len(held)), abs=0.1)


def test_shadows_use_nothing_of_a_budget_and_find_it_used_up_by_others() -> None:
    today = NOW.astimezone(LONDON).toordinal()
    held = terms(1, holdout=1.0, per_day=1)
    outcomes = decided([case(1), case(2)], [person(1), person(2)], [held])
    assert [each.would_send for each in outcomes] == [True, True]
    full = decided([case(1)], [person(1)], [held], pressure=replace(PRESSURE, used={(1, today): 1}))
    assert [(each.would_send, each.otherwise) for each in full] == [(False, Verdict.OVER_BUDGET)]


def test_what_is_over_its_budget_stands_in_nobodys_way() -> None:
    people = [person(1, worth=2.0), person(2, worth=1.0)]
    reminder, news = terms(1, rank=1, per_day=1), terms(2, rank=2)
    outcomes = decided([case(1, 1), case(1, 2), case(2, 1), case(2, 2)], people, [reminder, news])
    assert [(each.verdict, each.lost_to) for each in outcomes] == [
        (Verdict.NOW, None), (Verdict.OUTRANKED, 1), (Verdict.OVER_BUDGET, None), (Verdict.NOW, None),
    ]  # fmt: skip


def test_a_budget_is_of_a_day_of_the_shop_and_counts_what_is_used() -> None:
    today = NOW.astimezone(LONDON).toordinal()
    pressure = replace(PRESSURE, per_day=5, used={(EVERYTHING, today): 4, (EVERYTHING, today + 1): 1})
    tonight = NOW + timedelta(hours=12)  # tomorrow morning
    cases = [case(1), case(2), case(3, wanted_at=tonight)]
    outcomes = decided(cases, [person(number, worth=10.0 - number) for number in (1, 2, 3)], pressure=pressure)
    assert [each.verdict for each in outcomes] == [Verdict.NOW, Verdict.OVER_BUDGET, Verdict.LATER]


def some_person(rng: random.Random, customer: int) -> Person:
    purposes = frozenset(purpose for purpose in Purpose if rng.random() < 0.8)
    reach = (
        (ChannelReach(MAIL, customer, customer, purposes, silent=rng.random() < 0.05),) if rng.random() < 0.9 else ()
    )
    sent: list[SentMessage] = []
    for _ in range(rng.randrange(4)):
        new = SentMessage(NOW.timestamp() + rng.randrange(-200, 30) * HOUR, MAIL)
        if fits_with(sent, _as_candidate(new), CAPS):
            sent.append(new)
    return person(
        customer, reach=reach, sent=tuple(sent), worth=rng.random() * 30, personalise=rng.random() < 0.9,
        most_a_week=rng.choice((None, None, 1, 2)), zone=rng.choice((LONDON, PARIS, ZoneInfo("Asia/Tokyo"))),
    )  # fmt: skip


def _as_candidate(sent: SentMessage) -> Any:
    return Candidate(campaign=0, at=sent.at, channel=sent.channel, rank=0, value=0.0)


def some_terms(rng: random.Random, campaign: int) -> CampaignTerms:
    return terms(
        campaign, purpose=rng.choice(list(Purpose)), rank=rng.randrange(3), chance=rng.random() / 20,
        holdout=rng.choice((0.0, 0.2)), salt=bytes([campaign]), per_day=rng.choice((None, None, 5)),
        hour=rng.choice((None, Hour(time(rng.randrange(24)), rng.choice(list(Clock))))),
        best_within=rng.choice((None, None, timedelta(hours=rng.randrange(3, 72)))),
    )  # fmt: skip


def test_in_1_000_random_plans_verdicts_add_up_and_no_cap_no_budget_no_night_is_broken() -> None:
    rng, seen = random.Random(15), Counter[Verdict]()
    for _ in range(1_000):
        people = [some_person(rng, number) for number in range(rng.randrange(1, 20))]
        campaigns = [some_terms(rng, number) for number in range(1, rng.randrange(2, 5))]
        cases = [
            case(who.customer, what.campaign, wanted_at=NOW + timedelta(hours=rng.randrange(24)))
            for who in people for what in campaigns if rng.random() < 0.9
        ]  # fmt: skip
        pressure = replace(
            PRESSURE, holdout=rng.choice((0.0, 0.1)), season=b"s", per_day=rng.choice((None, 8)),
            costs=MessageCosts(leaving=(0.001, 0.002, 0.004, 0.02), lost_contact=rng.choice((0.0, 20.0, 200.0))),
        )  # fmt: skip
        lists = [CaseItems(tuple(range(number)), number) for _ in cases for number in [rng.randrange(4)]]
        by_case = dict(zip(cases, lists, strict=True))
        outcomes = decided(
            cases, people, campaigns, pressure=pressure, lists=lambda asked, of=by_case: [of[each] for each in asked]
        )
        assert [each.case for each in outcomes] == cases  # each once, so that they add up
        seen.update(each.verdict for each in outcomes)
        check(outcomes, people, campaigns, pressure)
        again = decided(
            cases, people, campaigns, pressure=pressure, lists=lambda asked, of=by_case: [of[each] for each in asked]
        )
        assert again == outcomes
    assert set(seen) == set(Verdict) - {Verdict.DONE_ALREADY, Verdict.WAITS}


def check(
    outcomes: Sequence[CaseVerdict], people: Sequence[Person], campaigns: Sequence[CampaignTerms], pressure: Pressure
) -> None:
    used = Counter[tuple[int, int]]()
    for who in people:
        going = [each for each in outcomes if each.case.customer == who.customer and each.verdict in SENDING]
        assert all(
            each.due_at is not None and not NIGHT.hold(each.due_at.astimezone(who.zone).time()) for each in going
        )
        new = [SentMessage(each.due_at.timestamp(), MAIL) for each in going if each.due_at]
        within = list(who.sent)
        if fits(within, caps_of(who, pressure)):
            assert fits([*within, *new], caps_of(who, pressure))
        goes = {each.case.campaign for each in going}
        lost = [each for each in outcomes if each.case.customer == who.customer and each.verdict is Verdict.OUTRANKED]
        assert all(each.lost_to in goes for each in lost)
        for each in going:
            assert each.due_at is not None
            day = each.due_at.astimezone(pressure.zone).toordinal()
            used.update([(each.case.campaign, day), (EVERYTHING, day)])
    limits = {each.campaign: each.per_day for each in campaigns} | {EVERYTHING: pressure.per_day}
    for (campaign, _day), count in used.items():
        assert limits[campaign] is None or count <= limits[campaign]  # type: ignore[operator]


def test_the_next_allowed_moment_is_the_first_at_which_it_would_be_sent_at_once() -> None:
    """Against a walk by half hours, over caps, reservations, quiet hours and hours of the customer's own clock."""
    chance, half = random.Random(11), timedelta(minutes=30)
    for number in range(150):
        sent = tuple(
            SentMessage((NOW + half * chance.randint(-300, 60)).timestamp(), MAIL) for _ in range(chance.randint(0, 5))
        )
        who = person(
            number, sent=sent, quiet=QuietHours(time(21), time(chance.randint(6, 9))),
            most_a_week=chance.choice([None, 1, 2]),
        )  # fmt: skip
        what = terms(hour=chance.choice([None, Hour(time(18), Clock.CUSTOMER), Hour(time(9, 30), Clock.SHOP)]))
        walked = NOW
        while True:
            verdict = one(who, what, wanted_at=walked, now=walked)
            if verdict.verdict is Verdict.NOW and verdict.due_at == walked:
                break
            walked += half
        assert next_allowed(who, what, pressure=PRESSURE, after=NOW) == walked
        assert bool(full_caps(who, what, pressure=PRESSURE, at=walked)) is False


def test_next_allowed_moment_waits_for_a_pause_and_for_what_waits_itself() -> None:
    monday = NOW + timedelta(days=6)
    assert next_allowed(person(paused_until=monday), terms(), pressure=PRESSURE, after=NOW) == monday
    shadow = person(shadows=(SentMessage(NOW.timestamp() - 3_600.5, MAIL),))
    assert next_allowed(shadow, terms(), pressure=PRESSURE, after=NOW) == NOW
    at_one = NOW + timedelta(hours=25)
    waits = person(sent=(SentMessage(at_one.timestamp(), MAIL),))
    early = NOW + timedelta(hours=20)  # of the next day: what waits for 1 p.m. is in the way until then, and a day more
    for hour in (None, Hour(time(14), Clock.CUSTOMER)):  # 1 p.m. is 14:00 in London
        assert next_allowed(waits, terms(hour=hour), pressure=PRESSURE, after=early) == at_one + timedelta(hours=24)


def test_where_nobody_may_write_no_moment_is_allowed() -> None:
    address = ChannelReach(MAIL, 1, 10, frozenset({Purpose.NEWS}))
    silent = person().reach[0]._replace(silent=True)
    for shut in (
        person(reach=()), person(reach=(address,)), person(reach=(silent,)), person(personalise=False),
    ):  # fmt: skip
        assert next_allowed(shut, terms(), pressure=PRESSURE, after=NOW) is None
    objector = person(personalise=False)
    assert next_allowed(objector, terms(purpose=Purpose.NEWS), pressure=PRESSURE, after=NOW) == NOW


def test_what_is_full_is_named() -> None:
    shadow = person(shadows=(SentMessage(NOW.timestamp() - 3_600.5, MAIL),))
    assert full_caps(replace(shadow, sent=shadow.shadows), terms(), pressure=PRESSURE, at=NOW) == [CAPS[0]]


def test_who_is_held_out_of_everything_is_told_from_who_is_of_a_campaign() -> None:
    pressure = Pressure(caps=(), zone=LONDON, holdout=0.3, season=b"push:2026-2")
    held = [number for number in range(400) if is_held_from_all(number, pressure)]
    assert held == [number for number in range(400) if share_of(b"push:2026-2", number) < 0.3]
    assert not any(is_held_from_all(number, PRESSURE) for number in range(400))
