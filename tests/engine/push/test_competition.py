"""Caps and who goes first, against windows tried one by one."""

import random

from recommendations.engine.push.competition import (
    HOUR,
    Candidate,
    PressureCap,
    SentMessage,
    compete,
    fits,
    fits_with,
    room_from,
)

CAPS = (
    PressureCap("email", 1, 24 * HOUR),
    PressureCap("email", 3, 168 * HOUR),
    PressureCap("web", 2, 24 * HOUR),
    PressureCap(None, 5, 168 * HOUR),
)


def candidate(campaign: int, at: float, value: float = 1.0, *, rank: int = 1, channel: str = "email") -> Candidate:
    return Candidate(campaign=campaign, at=at * HOUR, channel=channel, rank=rank, value=value)


def some_case(rng: random.Random) -> tuple[list[SentMessage], list[Candidate]]:
    past: list[SentMessage] = []
    for _ in range(rng.randrange(6)):
        one = SentMessage(rng.randrange(-168, 72) * HOUR, rng.choice(("email", "web")))
        if fits([*past, one], CAPS):
            past.append(one)
    candidates = [
        candidate(
            number, rng.randrange(72), rng.randrange(1, 6), rank=rng.randrange(3), channel=rng.choice(("email", "web"))
        )
        for number in range(rng.randrange(5))
    ]
    return past, candidates


def broken(messages: list[SentMessage], caps: tuple[PressureCap, ...]) -> bool:
    """Whether a window holds too many, by trying each that begins with a message."""
    for cap in caps:
        times = [each.at for each in messages if cap.channel in {None, each.channel}]
        if any(sum(start <= at < start + cap.seconds for at in times) > cap.most for start in times):
            return True
    return False


def test_in_100_000_cases_no_cap_is_broken_and_nobody_is_kept_out_who_had_room() -> None:
    rng, went, stayed = random.Random(15), 0, 0
    for _ in range(100_000):
        past, candidates = some_case(rng)
        outcomes = compete(past, candidates, CAPS)
        sent = [*past, *(SentMessage(each.candidate.at, each.candidate.channel) for each in outcomes if each.goes)]
        assert not broken(sent, CAPS)
        for each in outcomes:
            if not each.goes:
                assert broken([*sent, SentMessage(each.candidate.at, each.candidate.channel)], CAPS)
        went, stayed = went + sum(each.goes for each in outcomes), stayed + sum(not each.goes for each in outcomes)
    assert min(went, stayed) > 30_000


def test_fits_agrees_with_the_windows_tried_one_by_one() -> None:
    rng = random.Random(16)
    for _ in range(20_000):
        messages = [
            SentMessage(rng.randrange(200) * HOUR, rng.choice(("email", "web"))) for _ in range(rng.randrange(7))
        ]
        assert fits(messages, CAPS) is not broken(messages, CAPS)


def test_the_better_message_goes_first_and_says_to_which_the_other_lost() -> None:
    low, high, urgent = candidate(1, 10, 1.0), candidate(2, 11, 5.0), candidate(3, 40, 0.1, rank=0)
    outcomes = compete([], [low, high, urgent], CAPS)
    assert [(each.goes, each.lost_to) for each in outcomes] == [(False, 2), (True, None), (True, None)]


def test_the_past_alone_is_in_nobodys_name() -> None:
    [outcome] = compete([SentMessage(0, "email")], [candidate(1, 23)], CAPS)
    assert (outcome.goes, outcome.lost_to) == (False, None)
    [outcome] = compete([SentMessage(0, "email")], [candidate(1, 24)], CAPS)  # a window of 24 hours has passed
    assert outcome.goes


def test_a_cap_that_was_broken_before_keeps_nobody_out_for_ever() -> None:
    past = [SentMessage(-100 * HOUR, "email"), SentMessage(-99 * HOUR, "email")]
    assert fits_with(past, candidate(1, 0), CAPS)


def test_there_is_room_from_the_first_moment_that_fits() -> None:
    caps = [PressureCap("email", 1, 24 * HOUR), PressureCap(None, 2, 168 * HOUR)]
    past = [SentMessage(0.0, "email"), SentMessage(48 * HOUR, "email")]
    assert room_from([], "email", caps, after=5.0) == 5.0
    assert room_from(past[:1], "email", caps, after=5.0) == 24 * HOUR
    assert room_from(past, "email", caps, after=48 * HOUR + 5.0) == 168 * HOUR
    assert room_from(past, "email", [], after=5.0) == 5.0
