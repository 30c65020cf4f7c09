"""Health of the data that came in: refused rows of imports, events left out, and customers like robots.

A customer is suspected to be a robot when a single day has more of their events than people do: more than 50 times the
median of all customers' days, and at least 500 (``engine/preprocess/clean.py``). The loop leaves those days out.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

import numpy as np
from django.utils.functional import Promise

from recommendations.models import Import
from recommendations.store.imports.reasons import REASONS
from recommendations.store.models.model import load_bursts, moment


@dataclass(frozen=True, kw_only=True)
class Refused:
    """Rows that one import refused for one reason; ``remedy`` says what to do about it."""

    source: Import
    code: str
    remedy: Promise | str
    rows: int


@dataclass(frozen=True, kw_only=True)
class Suspect:
    """A customer like a robot; ``customer`` is a key, ``busiest`` the day with most events (UTC)."""

    customer: int
    days: int
    events: int
    busiest: date
    most: int


def refused(imports: Iterable[Import]) -> list[Refused]:
    """Refused rows by import and reason, the most rows first."""
    refusals = [
        Refused(source=one, code=code, remedy=REASONS.get(code, code.replace("_", " ")), rows=rows)
        for one in imports
        for code, rows in one.reasons.items()
    ]
    return sorted(refusals, key=lambda each: (-each.rows, each.code))


def suspects(model: int | None) -> list[Suspect] | None:
    """Customers like robots as the version's run saw them, the busiest first; None where its run kept no list."""
    bursts = load_bursts(model) if model else None
    if bursts is None:
        return None
    robots = []
    for customer in dict.fromkeys(bursts[:, 0].tolist()):
        days = bursts[bursts[:, 0] == customer]
        busiest = days[np.argmax(days[:, 2])]
        robots.append(
            Suspect(
                customer=customer,
                days=len(days),
                events=int(days[:, 2].sum()),
                busiest=moment(float(busiest[1])).date(),
                most=int(busiest[2]),
            )
        )
    return robots
