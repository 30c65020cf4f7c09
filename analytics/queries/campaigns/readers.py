"""Whom a campaign is looked at as: real customers whom it could go to."""

import random
from collections.abc import Sequence

from recommendations.models import Campaign, Customer, Permission
from recommendations.push_terms import ConsentState
from recommendations.services.campaigns.form import CampaignForm
from recommendations.services.customers import find_customers
from recommendations.services.push.trying import LOOKED_AT, in_view


def reachable(campaign: Campaign, form: CampaignForm) -> list[int]:
    """Keys of the people in view who said yes on one of its channels, in their order; of everybody where nobody did."""
    people = in_view(form.who)
    yes = Permission.objects.filter(channel__in=form.channels, purpose=campaign.purpose, state=ConsentState.GIVEN)
    said_yes = set(yes.values_list("contact_id", flat=True))
    return [key for key in people if key in said_yes] or people


def neighbour(people: Sequence[int], current: int | None, *, step: int) -> int | None:
    """Whoever stands so many places after or before somebody; the order goes round."""
    if not people:
        return None
    if current not in people:
        return people[0]
    return people[(people.index(current) + step) % len(people)]


def some_of(people: Sequence[int], *, most: int = LOOKED_AT) -> list[int]:
    """A few of them at random."""
    return random.sample(people, min(len(people), most))


def existing(key: int | None) -> int | None:
    """The key itself, if there is such a customer."""
    return key if key is not None and Customer.objects.filter(pk=key, erased_at=None).exists() else None


def named(text: str) -> int | None:
    """Key of the customer with this code or this id of the shop."""
    match = find_customers(typed=text)
    return match[0].customer.pk if match else None
