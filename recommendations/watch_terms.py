"""Codes of watches: rates that are watched, the ways that they go, what changes lists, what a guard looks at."""

from enum import StrEnum


class WatchedRate(StrEnum):
    """What is watched: hour by hour at each placement, events of the whole shop, the last three with each run."""

    CLICKS = "clicks"  # lists clicked, of those served in the hour
    PURCHASES = "purchases"  # lists bought from, of those served
    REVENUE = "revenue"  # attributed revenue per list served
    FALLBACK = "fallback"  # answers with a reason why not from the model
    SLOW = "slow"  # answers that took longer than usually 95 % do
    EVENTS = "events"  # of the whole shop
    INTERESTS = "interests"  # shares of categories
    POPULARITY = "popularity"  # shares of items
    OVERFIT = "overfit"  # what recommenders find of what they learned, less what they find of what came after


WITH_RUNS = frozenset({WatchedRate.INTERESTS, WatchedRate.POPULARITY, WatchedRate.OVERFIT})
"""What is read with each run, and has no hours."""


class AlarmDirection(StrEnum):
    """The way that a rate goes."""

    RISE = "rise"
    FALL = "fall"


class ChurnPart(StrEnum):
    """Parts of the system that change lists from one run to the next."""

    MODEL = "model"  # data, and settings where they are not parted from it
    WEIGHTS = "weights"
    RULES = "rules"
    CATALOGUE = "catalogue"
    SETTINGS = "settings"  # of the recommenders


class GuardCheck(StrEnum):
    """What may be so unusual about a model version that it waits for a person."""

    CUSTOMERS = "customers"
    ITEMS = "items"
    EVENTS = "events"
    TRUTH = "truth"  # customers who bought in the test window
    CONFIRMED = "confirmed"  # their share of the customers
    SET_ASIDE = "set_aside"  # share of the events
    TRENDING = "trending"  # share of the list that hardly any confirmed customer buys
    ACCURACY = "accuracy"
    SEGMENTS = "segments"  # gone, although live rules or weights hang on them
