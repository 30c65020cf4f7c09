"""Customers whom one row of the quality table serves better than another."""

from collections.abc import Sequence
from dataclasses import dataclass

from analytics.charts.differences import Bar, bars
from recommendations.models import Customer
from recommendations.services.operations.quality import NotMeasuredError, differences
from recommendations.terms import Task

MOST_DIFFERENT = 20  # customers
COLUMNS = ("customer", "a", "b", "difference")


@dataclass(frozen=True, kw_only=True)
class Differences:
    """How many customers either row serves better, how far apart they are, and the customers where it is most."""

    better: int
    worse: int
    same: int
    bars: Sequence[Bar]
    most: Sequence[tuple[Customer, float, float, float]]  # figure of the one, of the other, difference


def most_different(task: Task, *, a: str, b: str) -> Differences | None:
    """Two rows of the live version's table, customer by customer; None where its run did not keep them yet."""
    try:
        frame = differences(task=task, a=a, b=b)
    except NotMeasuredError:
        return None
    return Differences(
        better=int((frame["difference"] > 0).sum()),
        worse=int((frame["difference"] < 0).sum()),
        same=int((frame["difference"] == 0).sum()),
        bars=bars(frame["difference"].tolist()),
        most=[
            (Customer(pk=key), *figures)
            for key, *figures in zip(*(frame[column].head(MOST_DIFFERENT).tolist() for column in COLUMNS), strict=True)
        ],
    )
