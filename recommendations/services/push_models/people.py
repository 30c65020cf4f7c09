"""What is learned of the people of a decision: the hours at which they act, and the channels that they click."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from recommendations.engine.push.cases import CampaignTerms, Person
from recommendations.services.push_models.in_use import LearnedModels
from recommendations.store.models.model import Model
from recommendations.store.push.activity import click_shares, hours_of_all, hours_of_people


def with_habits(
    people: Mapping[int, Person],
    terms: Mapping[int, CampaignTerms],
    *,
    models: LearnedModels,
    model: Model | None,
    now: datetime,
) -> Mapping[int, Person]:
    """People with what the campaigns that want them ask for; nothing is read that none of these asks for.

    Where own hours are not in use, everybody's count. Without a model there are none.
    """
    if model is not None and any(each.best_within is not None for each in terms.values()):
        own = hours_of_people(people, model=model, now=now) if models.hours else {}
        all_of = hours_of_all(model)
        people = {key: replace(person, hours=own.get(key, all_of)) for key, person in people.items()}
    if any(each.best_channel for each in terms.values()):
        shares = click_shares(people, now=now)
        people = {key: replace(person, clicks=shares[key]) for key, person in people.items()}
    return people
