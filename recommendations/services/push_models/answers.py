"""Chances that messages are answered: of each campaign its own rate, and of each person more or less than that."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime

import numpy as np

from recommendations.engine.push.cases import CampaignTerms, PushCase
from recommendations.engine.push.response import FEATURES
from recommendations.services.push_models.in_use import LearnedModels
from recommendations.store.push.response_facts import columns_of

OF_CAMPAIGN = [FEATURES.index(name) for name in ("own_lines", "size", "broad", "chosen")]


def chances_of(
    cases: Sequence[PushCase],
    items: Sequence[tuple[int, ...]],
    *,
    terms: Mapping[int, CampaignTerms],
    models: LearnedModels,
    now: datetime,
) -> list[float]:
    """Chance of each case with the items that it would be shown.

    How many answer a campaign its own rate says; the learned response only who. What it learned of another system's
    campaigns, of coupons, says nothing of how lists of ours suit somebody, so that counts as the mean there.
    """
    if models.response is None or not cases:
        return [terms[case.campaign].chance for case in cases]
    chances = [0.0] * len(cases)
    by_campaign: defaultdict[int, list[int]] = defaultdict(list)
    for place, case in enumerate(cases):
        by_campaign[case.campaign].append(place)
    for campaign, places in by_campaign.items():
        own = {cases[place].customer: items[place] for place in places}
        people = list(own)
        columns = columns_of(people, at=now, own_items=own if models.of_ours else {})
        if not models.of_ours:
            columns[:, OF_CAMPAIGN] = np.nan
        said = dict(zip(people, models.response.chances(columns, rate=terms[campaign].chance).tolist(), strict=True))
        for place in places:
            chances[place] = said[cases[place].customer]
    return chances
