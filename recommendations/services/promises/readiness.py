"""What a placement's new items lack before anything can be promised to them, and how much it is asked."""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime

from recommendations.models import NewItemPromise, Placement
from recommendations.promise_terms import Lacking
from recommendations.services.promises.publishing import PromiseForm
from recommendations.store.promises import arriving, showings


def lacking(placement: Placement, form: PromiseForm, *, now: datetime) -> Mapping[Lacking, int]:
    """How many items are new by a form, and cannot be shown yet, by what they lack."""
    return arriving.lacking(NewItemPromise(placement=placement, **asdict(form)), now=now)


def ready(placement: Placement, form: PromiseForm, *, now: datetime) -> int:
    """How many items are new by a form, can be shown, and were not noted yet."""
    return arriving.ready(NewItemPromise(placement=placement, **asdict(form)), now=now).count()


def answers_a_day(placement: Placement, *, now: datetime) -> float:
    """Answers of a placement a day, by the last week."""
    return showings.answers_a_day(placement.name, now=now)
