"""The push agent in words: how far each step goes, and what it refuses, with the number that is missing."""

from collections.abc import Callable, Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

STEPS: Mapping[str, Promise] = {
    "off": gettext_lazy("The rule decides alone, and nothing is learned."),
    "watches": gettext_lazy("It decides in the shadow: nobody gets what it chose, and it stands here."),
    "explores": gettext_lazy(
        "Half of the decisions on 20% of the people are drawn evenly among what is allowed, so that its worth can be "
        "estimated from the log. That costs those people answers while it lasts, and may be left out."
    ),
    "acts": gettext_lazy("It chooses for its share of the people; the rule and the holdout keep theirs."),
    "paused": gettext_lazy("The rule decides for everybody; what was learned is kept."),
}
"""What each step of the agent means."""

GUARDRAILS: Mapping[str, Promise] = {
    "leavers": gettext_lazy("The agent's people leave more often than the rule's: %(agent)s against %(rule)s."),
    "complaints": gettext_lazy("The agent's people complain more often than the rule's: %(agent)s against %(rule)s."),
    "messages": gettext_lazy("The agent's people get more messages than the rule's: %(agent)s against %(rule)s."),
}
"""Why a guardrail paused it, by the rate that fired."""

REFUSALS: Mapping[str, Promise] = {
    "no_holdout": gettext_lazy(
        "Nobody is held out, so what messages bring could never be told. Set “Never written to” on the page Pressure."
    ),
    "broken_split": gettext_lazy(
        "The groups are not as large as they were meant to be, so they cannot be compared. Find out why first: people "
        "who are held out must not be lost on the way."
    ),
    "guardrail": gettext_lazy(
        "A guardrail paused it, and nothing was changed since: publish other rules or go back to an earlier night."
    ),
    "worse_by_log": gettext_lazy("The log speaks against it: it would do worse than the rule."),
    "no_outcomes": gettext_lazy(
        "Of %(share)s of its decisions it is not known what came of them; %(most)s may be. Messages were withdrawn, or "
        "failed: see their campaigns first."
    ),
    "no_version": gettext_lazy("It has learned nothing yet: let it watch until the next night."),
    "old_version": gettext_lazy("What it learned is %(days)s days old; %(most)s may be. The nightly job has to run."),
    "nothing_to_vary": gettext_lazy("It may vary nothing: tick something under “May vary”, or unpin it."),
    "caused_too_wide": gettext_lazy("The interval is ± %(half)s; it may be told from ± %(most)s on."),
    "no_chances": gettext_lazy("Nothing was drawn by chance yet, so nothing can be estimated from the log."),
    "one_person_carries": gettext_lazy("One person alone carries %(share)s of the estimate; %(most)s may be."),
    "money_not_seen": gettext_lazy("Money: not shown, as its interval holds 0."),
}
"""Refusals whose sentence has no number that is missing."""
SHARES = frozenset({"share", "most"})


def refusal_text(
    code: str, facts: Mapping[str, float], *, number: Callable[[float, int], str], share: Callable[[float], str]
) -> str:
    """Why something is refused, by its ``facts``; ``number`` writes one with so many decimals, ``share`` as %."""
    ratio = "share" in facts  # then “most” is a share as well
    words = {
        name: share(value) if ratio and name in SHARES else number(value, 2 if value % 1 else 0)
        for name, value in facts.items()
    }
    if code in REFUSALS:
        return str(REFUSALS[code]) % words
    missing = int(facts.get("missing", 0))
    return _missing(code, missing) % {**words, "n": missing}


def _missing(code: str, missing: int) -> str:
    match code:
        case "too_few_answers":
            return ngettext(
                "%(there)s of %(needed)s answers within 56 days: %(missing)s is still missing.",
                "%(there)s of %(needed)s answers within 56 days: %(missing)s are still missing.",
                missing,
            )
        case "lever_too_few":
            return ngettext(
                "%(there)s of %(needed)s answers: %(missing)s is still missing, until then it tries by chance.",
                "%(there)s of %(needed)s answers: %(missing)s are still missing, until then it tries by chance.",
                missing,
            )
        case "lever_one_sided":
            return ngettext(
                "Of one way there are only %(there)s of %(needed)s answers: %(missing)s is still missing.",
                "Of one way there are only %(there)s of %(needed)s answers: %(missing)s are still missing.",
                missing,
            )
        case "caused_too_few_held":
            return ngettext(
                "%(there)s of %(needed)s people held out: %(missing)s is still missing.",
                "%(there)s of %(needed)s people held out: %(missing)s are still missing.",
                missing,
            )
        case "too_few_people":
            return ngettext(
                "The smallest group has %(there)s of %(needed)s people: %(missing)s is still missing. They come by "
                "themselves; a larger holdout, or a smaller share of the agent, fills them sooner.",
                "The smallest group has %(there)s of %(needed)s people: %(missing)s are still missing. They come by "
                "themselves; a larger holdout, or a smaller share of the agent, fills them sooner.",
                missing,
            )
        case "too_few_logged":
            return ngettext(
                "%(there)s of %(needed)s answers with chances: %(missing)s is still missing.",
                "%(there)s of %(needed)s answers with chances: %(missing)s are still missing.",
                missing,
            )
    return _("It cannot be done now.")
