"""How much what somebody likes shifted of late: their last 7 days against their last 90.

Both profiles hold the largest shares, the largest first. The shift is what the leading category of the last 7 days has
gained in share since the 90 days: 0.3 says that it went from, say, 10 % to 40 %. Whoever did next to nothing lately has
a profile made of everybody's habits, which says nothing about them: no shift.
"""

from django.db.models import Case, Expression, F, FloatField, Func, IntegerField, Value, When
from django.db.models.functions import Coalesce, Greatest

LATELY = 7  # half-life in days of the second profile
LEAST = 1.0  # weight of acts within the last days from which they say something


class Subscript(Func):
    """SQL's ``array[position]``; NULL where the position is."""

    template = "((%(expressions)s])"
    arg_joiner = ")["


def leading(profile: str) -> F:
    """Key of the category with the largest share of a profile (name of a relation)."""
    return F(f"{profile}__categories__0")


def shift(*, long_term: str, lately: str) -> Expression:
    """Share that the leading category gained; both are names of relations to profiles. 0 where nothing is known."""
    at = Func(F(f"{long_term}__categories"), leading(lately), function="array_position", output_field=IntegerField())
    before = Subscript(F(f"{long_term}__shares"), at, output_field=FloatField())
    gained = F(f"{lately}__shares__0") - Coalesce(before, Value(0.0))
    return Case(
        When(**{f"{lately}__weight__gte": LEAST}, then=Greatest(gained, Value(0.0))),
        default=Value(0.0),
        output_field=FloatField(),
    )
