"""Options, terms and refusals of the agent in words."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Self

from django.utils.translation import gettext as _

from analytics.templatetags.display import number, share
from recommendations.engine.push.agent.readiness import AgentRefusal
from recommendations.engine.push.agent.terms import AgentOption, AgentTerm, Lever, Menu
from recommendations.models import Campaign
from recommendations.wording import agent_terms, push_labels
from recommendations.wording.agents import refusal_text


@dataclass(frozen=True, kw_only=True)
class AgentNames:
    """Names of the campaigns that options and terms speak of."""

    campaigns: Mapping[int, str]

    @classmethod
    def of(cls, keys: Iterable[int]) -> Self:
        wanted = set(keys)
        rows = Campaign.objects.filter(pk__in=wanted).values_list("pk", "name") if wanted else []
        return cls(campaigns=dict(rows))

    def campaign(self, key: int | None) -> str:
        if key is None:
            return _("all campaigns")
        return self.campaigns.get(key) or _("a campaign that is gone")

    def option(self, option: AgentOption | None) -> str:
        """An option in a line; None is *not now*."""
        if option is None:
            return _("Nothing today")
        return _("%(campaign)s · subject %(subject)s · %(channel)s · %(slot)s") % {
            "campaign": self.campaign(option.campaign), "subject": number(option.variant + 1),
            "channel": channel_name(option.channel), "slot": slot_name(option.slot),
        }  # fmt: skip

    def term(self, term: AgentTerm, menu: Menu) -> str:
        """What a term is called in a sum."""
        return agent_terms.term_name(term.kind, self.facts(term, menu))

    def facts(self, term: AgentTerm, menu: Menu) -> dict[str, object]:
        """What a term is of, and what it is a difference to."""
        return {
            "campaign": self.campaign(term.campaign), "subject": number((term.variant or 0) + 1),
            "channel": channel_name(term.channel) if term.channel else "",
            "slot": slot_name(term.slot) if term.slot else "",
            "other_campaign": self.campaign(menu.campaigns[0].campaign) if menu.campaigns else "",
            "other_channel": channel_name(menu.channels[0]),
        }  # fmt: skip

    def value(self, lever: Lever, value: str) -> str:
        """A lever's value that staff pin or forbid."""
        return agent_terms.value_words(lever, value)


def channel_name(channel: str) -> str:
    return str(dict(push_labels.CHANNELS)[channel])


def slot_name(slot: str) -> str:
    return str(dict(agent_terms.SLOTS)[slot])


def refusal_words(refusal: AgentRefusal) -> str:
    """A refusal as a sentence, with the number that is missing."""
    return refusal_text(refusal.code.value, refusal.facts, number=number, share=share)
