"""The making of a release, which a worker does: count within the bound, draw the noise once, keep what it leaves.

What is counted is never stored, and nothing but the noisy numbers decides what is told.
"""

from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import numpy as np
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from recommendations.engine.frames import IdArray
from recommendations.engine.privacy.bounds import bounded_counts, favourite_counts
from recommendations.engine.privacy.noise_law import LEVEL, expected_share, reach
from recommendations.models import Release
from recommendations.privacy_terms import ReleaseDomain
from recommendations.services.releases.ledger import BudgetSpentError, require_budget, spend
from recommendations.store.jobs import run_job
from recommendations.store.releases import noise
from recommendations.store.releases.acts import PublicValues, period_acts, public_values
from recommendations.store.releases.noise import Draw, NoiseUnavailableError, noisy_counts
from recommendations.terms import RunStatus

MOST_ROWS = 100
PART = 4
"""At most one of so many values is told, so that noise alone would have few of the true ones among them."""
LEAST_SHARE = 0.5
"""Share of the true first values that has to be expected among those told: below it they are noise."""
REFUSALS = (BudgetSpentError, NoiseUnavailableError)

type Clock = Callable[[], datetime]


def work(key: UUID, *, clock: Clock = timezone.now, draw: Draw = noisy_counts) -> RunStatus | None:
    """Make a release; None where it is made, or another worker is at it. What fails before the noise spends nothing."""
    release = Release.objects.filter(pk=key).first()
    return run_job(release, lambda job: _make(job, draw, clock), clock=clock, refusals=REFUSALS)


def missing_noise() -> str | None:
    """What to do where no noise can be drawn, as OpenDP is not installed; None where it is."""
    return None if noise.is_installed() else noise.REMEDY


def _make(release: Release, draw: Draw, clock: Clock) -> None:
    if release.drawn_at is not None:
        return
    require_budget(release.epsilon, now=clock())
    values, counts = count_people(release, rng=np.random.default_rng())
    noisy = draw(counts, bound=release.bound, epsilon=release.epsilon)
    _store(release, values, noisy, now=clock())


def count_people(release: Release, *, rng: np.random.Generator) -> tuple[PublicValues, IdArray]:
    """The public values with the people of each, counted within the bound."""
    domain = ReleaseDomain(release.domain)
    since, until = _midnight(release.first_day), _midnight(release.last_day + timedelta(days=1))
    values = public_values(domain, since=since)
    acts = period_acts(domain, values, since=since, until=until)
    if domain is ReleaseDomain.INTERESTS:
        return values, favourite_counts(acts.people, acts.values, times=acts.times, domain=len(values.keys), rng=rng)
    return values, bounded_counts(acts.people, acts.values, domain=len(values.keys), bound=release.bound, rng=rng)


@transaction.atomic
def _store(release: Release, values: PublicValues, noisy: IdArray, *, now: datetime) -> None:
    """Spend the budget and keep what was drawn, which both happen or neither."""
    spend(release, now=now)
    fields = {"drawn_at": now, "values": len(noisy), **_outcome(release, values, noisy)}
    for name, value in fields.items():
        setattr(release, name, value)
    release.save(update_fields=list(fields))


def _outcome(release: Release, values: PublicValues, noisy: IdArray) -> dict[str, Any]:
    """What is told, by the noisy numbers alone."""
    scale = release.bound / float(release.epsilon)
    top = min(MOST_ROWS, len(noisy) // PART)
    share = expected_share(noisy, scale=scale, top=top) if top else 0.0
    first = np.argsort(-noisy, kind="stable")[:top]
    rows = [[values.codes[place], values.names[place], int(noisy[place])] for place in first if noisy[place] > 0]
    enough = share >= LEAST_SHARE and bool(rows)
    return {
        "enough": enough,
        "rows": rows if enough else [],
        "expected": {"share": round(share, 3), "within": reach(LEVEL, scale=scale)},
    }


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), ZoneInfo(settings.SHOP_TIME_ZONE))
