"""Codes of the statement of main parameters, which tells customers what recommendations go by."""

from collections.abc import Mapping
from enum import StrEnum


class ParameterKind(StrEnum):
    """What a recommender goes by, as a customer would say it; recommenders that go by the same are one."""

    AGAIN = "again"
    DUE = "due"
    FITTING = "fitting"
    LATELY = "lately"
    ALIKE_PEOPLE = "alike_people"
    INTERESTS = "interests"
    DESCRIPTION = "description"
    DESCRIPTION_IN_VIEW = "description_in_view"
    SEGMENT = "segment"
    FOLLOWED_PEOPLE = "followed_people"
    POPULAR = "popular"
    SAME_BUYERS = "same_buyers"
    SAME_BUYERS_IN_VIEW = "same_buyers_in_view"
    PATTERN = "pattern"
    NEXT = "next"
    NEXT_IN_VIEW = "next_in_view"
    ORDER = "order"
    VISIT = "visit"
    TOGETHER = "together"
    LEARNED_ORDER = "learned_order"


KINDS: Mapping[str, ParameterKind] = {
    "buy_again": ParameterKind.AGAIN,
    "repurchase": ParameterKind.DUE,
    "ease_home": ParameterKind.FITTING,
    "ease_discover": ParameterKind.FITTING,
    "recent_neighbours_home": ParameterKind.LATELY,
    "recent_neighbours_discover": ParameterKind.LATELY,
    "user_knn": ParameterKind.ALIKE_PEOPLE,
    "user_knn_discover": ParameterKind.ALIKE_PEOPLE,
    "interests": ParameterKind.INTERESTS,
    "interests_discover": ParameterKind.INTERESTS,
    "content": ParameterKind.DESCRIPTION,
    "content_discover": ParameterKind.DESCRIPTION,
    "content_ridge_discover": ParameterKind.DESCRIPTION,
    "content_context": ParameterKind.DESCRIPTION_IN_VIEW,
    "segments": ParameterKind.SEGMENT,
    "segments_discover": ParameterKind.SEGMENT,
    "social": ParameterKind.FOLLOWED_PEOPLE,
    "social_discover": ParameterKind.FOLLOWED_PEOPLE,
    "popularity_home": ParameterKind.POPULAR,
    "popularity_discover": ParameterKind.POPULAR,
    "item_knn": ParameterKind.SAME_BUYERS,
    "item_knn_discover": ParameterKind.SAME_BUYERS,
    "item_knn_context": ParameterKind.SAME_BUYERS_IN_VIEW,
    "als": ParameterKind.PATTERN,
    "als_discover": ParameterKind.PATTERN,
    "sequence": ParameterKind.NEXT,
    "next_item": ParameterKind.NEXT,
    "next_item_discover": ParameterKind.NEXT,
    "sequence_context": ParameterKind.NEXT_IN_VIEW,
    "next_item_context": ParameterKind.NEXT_IN_VIEW,
    "transformer": ParameterKind.ORDER,
    "transformer_discover": ParameterKind.ORDER,
    "session_knn": ParameterKind.VISIT,
    "also_bought": ParameterKind.TOGETHER,
    "second_stage": ParameterKind.LEARNED_ORDER,
}
"""What each instance of a recommender goes by; a test knows that none is missing."""


class Ordering(StrEnum):
    """What sets the order of a placement."""

    WEIGHTS = "weights"
    EVERYBODY = "everybody"  # one list, the same for all
    UNWEIGHED = "unweighed"  # a blend that has no weights yet: what is popular


class StatedRow(StrEnum):
    """The row of the record that a sentence comes from."""

    PLACEMENT = "placement"
    WEIGHTS = "weights"
    PROMISE = "promise"
    RULES = "rules"
    EXPERIMENT = "experiment"
    NOTHING = "nothing"  # what is always so


class StatementCause(StrEnum):
    """What changed, so that there is a new statement."""

    START = "start"  # there was none, or other words came with another version of Recsite
    WEIGHTS = "weights"
    BOOK = "book"
    PLACEMENT = "placement"
    PROMISE = "promise"
    EXPERIMENT = "experiment"


class StatedRule(StrEnum):
    """What a rule of the shop does, as customers are told."""

    PIN = "pin"
    BOOST = "boost"
    BURY = "bury"
    EXCLUDE = "exclude"
    INCLUDE_ONLY = "include_only"
    CAP = "cap"
    MINIMUM_SHARE = "minimum_share"


NOTABLE = 0.1
"""A part of at least this share of the weight is named."""
LEAST_NAMED = 3
"""So many, the largest, are named where no part has that share."""
