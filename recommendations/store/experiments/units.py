"""People of experiments: who was exposed to which arm, settled from the slates that were written.

A person is in an experiment from their first answer under an arm of it. Whose keys are merged stays in the arm of the
earlier exposure, so that the slates that follow agree with it; who saw two arms all the same is left out of the sums.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import F, Q
from django.db.models.functions import Greatest

from recommendations.models import Experiment
from recommendations.store.attribution.statements import CUSTOMER_OF, UNIT_OF, WHOLE
from recommendations.store.live import fetch
from recommendations.store.temp_tables import rows, run
from recommendations.terms import ExperimentKind

OVERLAP = timedelta(minutes=5)
"""How much later than a newer one a slate may be written, and still count."""
LOCK = 7_264_104

_DUE = "unnest(%(experiments)s::bigint[], %(since)s::timestamptz[], %(starts)s::timestamptz[]) AS due(id, since, start)"
# Under which arm of which experiment a slate was served.
_EXPOSURES = """
recommendations_slate slate CROSS JOIN unnest(slate.arms) AS exposure(arm_id)
JOIN recommendations_arm arm ON arm.id = exposure.arm_id
"""
_FIRST_ARM = "(array_agg(arm.id ORDER BY slate.served_at, slate.recommendation_id))[1]"
_SETTLE = f"""
INSERT INTO recommendations_unit AS stored (experiment_id, unit, customer_id, arm_id, first_at, mixed)
SELECT exposed.experiment_id, exposed.unit, {CUSTOMER_OF.format("exposed.unit")}, exposed.arm_id, exposed.first_at,
       exposed.mixed
FROM (
  SELECT arm.experiment_id, slate.unit, {_FIRST_ARM} AS arm_id, min(slate.served_at) AS first_at,
         count(DISTINCT arm.id) > 1 AS mixed
  FROM {_EXPOSURES} JOIN {_DUE} ON due.id = arm.experiment_id
  WHERE slate.served_at >= %(oldest)s AND slate.served_at >= due.since AND slate.unit IS NOT NULL
  GROUP BY arm.experiment_id, slate.unit
) exposed
ON CONFLICT (experiment_id, unit) DO UPDATE SET
  customer_id = coalesce(stored.customer_id, excluded.customer_id),
  arm_id = CASE WHEN excluded.first_at < stored.first_at THEN excluded.arm_id ELSE stored.arm_id END,
  first_at = least(stored.first_at, excluded.first_at),
  mixed = stored.mixed OR excluded.mixed OR excluded.arm_id <> stored.arm_id
WHERE stored.customer_id IS NULL AND excluded.customer_id IS NOT NULL OR excluded.first_at < stored.first_at
  OR NOT stored.mixed AND (excluded.mixed OR excluded.arm_id <> stored.arm_id)
"""  # noqa: S608 - parts of our own
# Of keys that were parted, the arm that each saw itself counts again. One that saw none was only held to the other's
# and goes; one that saw the other's goes on with it.
_PART = f"""
WITH parted AS (
  SELECT undone.anonymous_id, undone.customer_id FROM recommendations_customeralias undone
  WHERE undone.changed_at >= %(oldest)s AND undone.undone_at IS NOT NULL AND NOT EXISTS (
    SELECT FROM recommendations_customeralias again WHERE again.anonymous_id = undone.anonymous_id
      AND again.customer_id = undone.customer_id AND again.undone_at IS NULL)
), key AS (
  SELECT anonymous_id AS id FROM parted UNION SELECT customer_id FROM parted UNION
  SELECT alias.anonymous_id FROM parted
  JOIN recommendations_customeralias alias ON alias.customer_id = parted.customer_id AND alias.undone_at IS NULL
), held AS (
  SELECT unit.id, unit.unit, unit.experiment_id, due.start
  FROM key JOIN recommendations_customer customer ON customer.id = key.id
  JOIN recommendations_unit unit ON unit.unit = {UNIT_OF.format("customer.pseudonym")}
  JOIN {_DUE} ON due.id = unit.experiment_id
  WHERE unit.stays_in_id IS NOT NULL
), own AS (
  SELECT held.id, {_FIRST_ARM} AS arm_id, min(slate.served_at) AS first_at
  FROM {_EXPOSURES} JOIN held ON held.unit = slate.unit AND held.experiment_id = arm.experiment_id
  WHERE slate.served_at >= %(first)s AND slate.served_at >= held.start
  GROUP BY held.id
), dropped AS (
  DELETE FROM recommendations_unit unit USING held
  WHERE unit.id = held.id AND held.id NOT IN (SELECT id FROM own) RETURNING unit.id
), freed AS (
  UPDATE recommendations_unit unit SET arm_id = own.arm_id, first_at = own.first_at,
    stays_in_id = CASE WHEN own.arm_id = unit.stays_in_id THEN unit.stays_in_id END
  FROM own
  WHERE unit.id = own.id AND (unit.arm_id, unit.first_at, unit.stays_in_id) IS DISTINCT FROM
    (own.arm_id, own.first_at, CASE WHEN own.arm_id = unit.stays_in_id THEN unit.stays_in_id END)
  RETURNING unit.id
)
SELECT id FROM dropped UNION ALL SELECT id FROM freed
"""  # noqa: S608
# Keys of people who were merged or exposed lately. A key without an exposure is held to the arm of the others where it
# joined them since the start; one with, where its own arm is another.
_JOIN = f"""
WITH touched AS (
  SELECT customer_id AS person FROM recommendations_customeralias WHERE changed_at >= %(oldest)s
  UNION
  SELECT {WHOLE.format("unit.customer_id")} FROM recommendations_unit unit JOIN {_DUE} ON due.id = unit.experiment_id
  WHERE unit.first_at >= due.since AND unit.customer_id IS NOT NULL
), key AS (
  SELECT touched.person, alias.anonymous_id AS id, alias.changed_at
  FROM touched JOIN recommendations_customeralias alias ON alias.customer_id = person AND alias.undone_at IS NULL
  UNION ALL
  SELECT touched.person, touched.person, max(alias.changed_at)
  FROM touched JOIN recommendations_customeralias alias ON alias.customer_id = person AND alias.undone_at IS NULL
  GROUP BY touched.person
), member AS (
  SELECT due.id AS experiment_id, key.person, key.id AS customer_id, key.changed_at >= due.start AS joined,
         {UNIT_OF.format("customer.pseudonym")} AS number, unit.id AS stored, unit.arm_id, unit.first_at
  FROM key JOIN recommendations_customer customer ON customer.id = key.id CROSS JOIN {_DUE}
  LEFT JOIN recommendations_unit unit
    ON unit.experiment_id = due.id AND unit.unit = {UNIT_OF.format("customer.pseudonym")}
), earliest AS (
  SELECT DISTINCT ON (experiment_id, person) * FROM member WHERE stored IS NOT NULL
  ORDER BY experiment_id, person, first_at, stored
)
INSERT INTO recommendations_unit AS stored (experiment_id, unit, customer_id, arm_id, first_at, stays_in_id)
SELECT member.experiment_id, member.number, member.customer_id, earliest.arm_id, earliest.first_at, earliest.arm_id
FROM member JOIN earliest USING (experiment_id, person)
WHERE member.number <> earliest.number
  AND CASE WHEN member.stored IS NULL THEN member.joined ELSE member.arm_id <> earliest.arm_id END
ON CONFLICT (experiment_id, unit) DO UPDATE SET stays_in_id = excluded.stays_in_id
WHERE stored.stays_in_id IS DISTINCT FROM excluded.stays_in_id
RETURNING id
"""  # noqa: S608


@transaction.atomic
def settle_units(now: datetime) -> int:
    """Add to the people of experiments who was exposed since the last pass; returns how many rows changed.

    It goes on after the newest slate that was written, not after the clock, so that a pause of the writers loses
    nobody; what is seen twice changes nothing. Of two processes one does nothing. Bandits have people of a day only,
    simulated experiments none.
    """
    if not rows("SELECT pg_try_advisory_xact_lock(%(lock)s)", lock=LOCK)[0][0]:
        return 0
    due = list(_due())
    if not due:
        return 0
    values = _values(due)
    changed = run(_SETTLE, **values)
    held = len(rows(_PART, **values)) + len(rows(_JOIN, **values))
    if held:
        transaction.on_commit(lambda: fetch.announce(fetch.Changed.EXPERIMENTS))
    ((newest,),) = rows("SELECT max(served_at) FROM recommendations_slate WHERE served_at >= %(oldest)s", **values)
    if newest:
        until = min(newest, now)
        own = Experiment.objects.filter(pk__in=[experiment.pk for experiment in due])
        own.filter(settled_until=None).update(settled_until=until)
        own.update(settled_until=Greatest(F("settled_until"), until))
    return changed + held


def _due() -> Sequence[Experiment]:
    """Experiments that began and have not settled the last slates before their end."""
    begun = Experiment.objects.filter(simulated=False, started_at__isnull=False).exclude(kind=ExperimentKind.BANDIT)
    open_ended = Q(ended_at=None) | Q(settled_until=None) | Q(settled_until__lt=F("ended_at") + OVERLAP)
    return list(begun.filter(open_ended).order_by("pk"))


def _values(due: Sequence[Experiment]) -> dict[str, Any]:
    starts = [experiment.started_at for experiment in due if experiment.started_at]
    since = [
        max(experiment.settled_until - OVERLAP, start) if experiment.settled_until else start
        for experiment, start in zip(due, starts, strict=True)
    ]
    return {
        "experiments": [experiment.pk for experiment in due], "starts": starts, "since": since, "oldest": min(since),
        "first": min(starts),
    }  # fmt: skip
