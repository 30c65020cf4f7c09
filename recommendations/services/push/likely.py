"""How many people would see enough likely items, by the least chance that a campaign asks of each item."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from recommendations.engine.evaluation.intervals import Measure, wilson
from recommendations.models import Campaign
from recommendations.services.campaigns.form import CampaignForm
from recommendations.services.push.trying import wanted_of
from recommendations.services.push_models.in_use import LearnedModels
from recommendations.simulation.message_lists import chances_of_many, current_snapshot

STEPS = (0.0, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5)
MOST_PEOPLE = 200  # drawn among those in view


@dataclass(frozen=True, kw_only=True)
class KeptShare:
    """The share of people who see enough items of at least this chance, with its interval (Wilson)."""

    least: float
    share: Measure


def kept_shares(
    campaign: Campaign, form: CampaignForm, people: Collection[int], *, now: datetime
) -> list[KeptShare] | None:
    """The shares at each step, that of the form among them; None where no model says how likely an item is.

    Raises UnknownPlacementError and, before the first run, NotLoadedError.
    """
    relevance = LearnedModels.in_use().relevance
    if not relevance:
        return None
    wanted = wanted_of(campaign, form, list(people)[:MOST_PEOPLE], now=now)
    each = chances_of_many(wanted, snapshot=current_snapshot(), now=now, relevance=relevance)
    # The chance down to which somebody keeps enough items; nobody keeps too few at any.
    least_items = form.what.least_items
    enough = np.array([sorted([*own, *[-1.0] * least_items], reverse=True)[least_items - 1] for own in each])
    return [
        KeptShare(least=least, share=wilson(int((enough >= least).sum()), len(enough)))
        for least in sorted({*STEPS, form.what.least_chance})
    ]
