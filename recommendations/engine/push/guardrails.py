"""Guardrails: rates of a campaign above which it is paused, as soon as few messages can tell.

They are looked at when 200, 400, 800, … messages were taken, and fire where P(rate > limit) > 0.95 under Beta(½, ½).
"""

from collections.abc import Mapping

from scipy.special import betainc

from recommendations.push_terms import PushRate

FIRST = 200  # messages
CERTAIN = 0.95
PRIOR = 0.5  # of both kinds: Jeffreys
LIMITS: Mapping[PushRate, float] = {
    PushRate.COMPLAINTS: 0.001, PushRate.BOUNCES: 0.05, PushRate.UNSUBSCRIBES: 0.01, PushRate.FAILURES: 0.10,
}  # fmt: skip
OF_ALL = 0.003  # complaints of all messages of seven days: from there on large mailboxes refuse


def look_at(messages: int) -> int | None:
    """The last number of messages, 200, 400, 800, …, at which rates are looked at; None before the first."""
    if messages < FIRST:
        return None
    step = FIRST
    while step * 2 <= messages:
        step *= 2
    return step


def exceeds(count: int, messages: int, limit: float) -> bool:
    """Whether the rate lies above its limit for certain."""
    return chance_above(count, messages, limit) > CERTAIN


def chance_above(count: int, messages: int, limit: float) -> float:
    """P(rate > limit) under Beta(½ + count, ½ + the others). Raises ValueError for more counted than there are."""
    if not 0 <= count <= messages:
        raise ValueError(f"{count} of {messages}")
    return float(1 - betainc(PRIOR + count, PRIOR + messages - count, limit))
