"""The product's sums of an invented experiment are those that pandas makes of its plain rows."""

import math
from dataclasses import replace

import pytest
from django.db import connection
from django.utils import timezone

from bench.meter import Progress
from bench.readings import crowd
from bench.readings.recomputed import Sums, largest_difference, mixed_people, record_of, sums_of
from recommendations.store.experiments.totals import totals
from recommendations.store.experiments.units import settle_units


@pytest.mark.django_db
def test_totals_are_those_of_plain_rows() -> None:
    """Without what was given back, or with the arms swapped, they are others."""
    now = timezone.now()
    own = crowd.fill(1_000, 4_000, now=now, tell=Progress(silent=True))
    assert settle_units(now) >= 1_000
    result = totals(own, now=now)
    seen: Sums = {
        (arm, str(metric)): {name: getattr(sums.moments, name) for name in ("n", "y", "yy", "x", "xx", "xy")}
        for (arm, segment, metric), sums in result.sums.items()
        if segment is None
    }
    connection.ensure_connection()
    record = record_of(connection.connection, own.pk, now=now)
    again = sums_of(record)
    assert largest_difference(seen, again) < 1e-9
    assert mixed_people(record) == result.facts["mixed"] > 0
    assert all(sum(sums["y"] for (_, name), sums in seen.items() if name == metric) for _, metric in seen)
    without = replace(record, events=record.events[record.events["name"] != "refund"])
    assert largest_difference(seen, sums_of(without)) > 0.01
    swapped = record.slates.assign(arm=sum(record.arms) - record.slates["arm"])
    assert largest_difference(seen, sums_of(replace(record, slates=swapped))) > 0.001


def test_sums_of_other_arms_or_metrics_are_not_alike() -> None:
    one: Sums = {(1, "revenue"): {"n": 2.0, "y": 200.0}}
    assert largest_difference(one, one) == 0
    assert largest_difference(one, {(1, "revenue"): {"n": 2.0, "y": 100.0}}) == 1
    assert math.isinf(largest_difference(one, {(2, "revenue"): {"n": 2.0, "y": 200.0}}))
