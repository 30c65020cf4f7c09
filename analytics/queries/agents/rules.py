"""What the agent may vary in words, and what a draft changes of it."""

from collections.abc import Iterator, Sequence

from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from analytics.queries.agents.words import AgentNames
from analytics.templatetags.display import number, share
from recommendations.engine.push.agent.points import OptionRule
from recommendations.engine.push.agent.terms import Lever
from recommendations.services.agents.supervision import AgentForm, FloorRule
from recommendations.wording import agent_terms
from recommendations.wording.linter import listed


def rule_words(rule: OptionRule, names: AgentNames) -> str:
    """A pin or a prohibition: its value, and of which campaigns."""
    return _("%(value)s for %(campaign)s") % {
        "value": names.value(rule.lever, rule.value), "campaign": names.campaign(rule.campaign),
    }  # fmt: skip


def floor_words(floor: FloorRule, names: AgentNames) -> str:
    return _("Subject %(subject)s of %(campaign)s: %(share)s at least") % {
        "subject": number(floor.variant + 1), "campaign": names.campaign(floor.campaign),
        "share": share(floor.chance),
    }  # fmt: skip


def changes(before: AgentForm, after: AgentForm, names: AgentNames) -> Iterator[tuple[str, str, str]]:
    """What differs between two sets of rules: its name, what it was and what it is."""
    for (name, old), (_name, new) in zip(rule_lines(before, names), rule_lines(after, names), strict=True):
        if old != new:
            yield name, old, new


def rule_lines(form: AgentForm, names: AgentNames) -> list[tuple[str, str]]:
    """Rules line by line: the name and what it is."""
    return [
        (_("May vary"), _levers(form)), (_("Acts on"), share(form.share)),
        (_("Chance of a trial"), share(form.floor, 2)), (pgettext("agent", "Pinned"), _rules(form.pins, names)),
        (_("Forbidden"), _rules(form.forbids, names)), (_("Kept in play"), _floors(form, names)),
    ]  # fmt: skip


def _levers(form: AgentForm) -> str:
    words = dict(agent_terms.LEVERS)
    return listed([str(words[lever]) for lever in Lever if lever in form.levers]) or pgettext("rules", "nothing")


def _rules(rules: Sequence[OptionRule], names: AgentNames) -> str:
    texts = [rule_words(rule, names) for rule in rules]
    return "; ".join(texts) or pgettext("rules", "nothing")


def _floors(form: AgentForm, names: AgentNames) -> str:
    return "; ".join(floor_words(each, names) for each in form.floors) or pgettext("rules", "nothing")
