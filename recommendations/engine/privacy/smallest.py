"""The smallest group of people of whom a number is said to others; of fewer nothing is said that could be counted."""

from collections.abc import Mapping

from recommendations.terms import Reason

PEOPLE = 5
"""So many different people must carry a pair of items, or it counts for those alone who do."""
SEGMENT = 20
"""A segment of fewer people bears no name for others."""

COUNTS: Mapping[Reason, str] = {
    Reason.POPULAR: "buyers",
    Reason.SIMILAR_CUSTOMERS: "neighbours",
    Reason.FOLLOWING: "people",
}
"""Facts of a reason that are numbers of people."""
OF_COUNTS: Mapping[Reason, frozenset[str]] = {
    Reason.POPULAR: frozenset({"buyers"}),
    Reason.SIMILAR_CUSTOMERS: frozenset({"neighbours", "of"}),
    Reason.FOLLOWING: frozenset({"people"}),
    Reason.YOU_BUY_TOGETHER: frozenset({"lift", "confidence"}),
}
"""Facts that are left out where such a number is too small; those of a pair that few carry always are."""


def sayable_facts[Fact](reason: Reason, facts: Mapping[str, Fact], *, smallest: int) -> Mapping[str, Fact]:
    """The facts of a reason without those about fewer than ``smallest`` people; its words need none of them."""
    if reason is Reason.BOUGHT_TOGETHER and smallest > PEOPLE:
        reason = Reason.YOU_BUY_TOGETHER  # that so many carry a pair is known, and not whether more do
    hidden = OF_COUNTS.get(reason)
    if hidden is None:
        return facts
    number = facts.get(COUNTS.get(reason, ""))
    if isinstance(number, int | float) and number >= smallest:
        return facts
    return {name: fact for name, fact in facts.items() if name not in hidden}


def sayable_count(people: int | None, *, smallest: int) -> int | None:
    """The number of people where it may be said; None where they are fewer, as where it is not known."""
    return people if people is None or people >= smallest else None
