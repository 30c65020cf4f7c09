"""The customers whose truth is asked for: all who have any, or where they are very many, a uniform sample of them.

Who is drawn depends on the seed of the run and on their pseudonym alone, so a customer's place in it says nothing of
what they do, and every cut and task of a run draws the same people first.
"""

from collections.abc import Mapping

import numpy as np

from recommendations.engine.evaluation.split import Truth
from recommendations.engine.frames import IdArray
from recommendations.engine.ids import IdMap
from recommendations.models import ModelVersion
from recommendations.store import temp_tables
from recommendations.terms import Task

MOST = 100_000
"""Most customers by whom a run tunes and measures."""

PANEL_CUSTOMERS = 4_000
"""Most customers by whom a page measures while somebody waits; its process holds their candidates."""

_DRAWN = """
SELECT customer.id FROM unnest(%(keys)s::bigint[]) AS known (key) JOIN recommendations_customer customer ON id = key
ORDER BY sha256(customer.pseudonym || convert_to(%(seed)s::text, 'UTF8')) LIMIT %(most)s
"""


def sampled(truths: Mapping[Task, Truth], users: IdMap, *, seed: int, most: int | None = None) -> Mapping[Task, Truth]:
    """The truths of at most ``most`` customers, else of ``MOST``; ``users`` are the customers' keys by row."""
    most = MOST if most is None else most
    buyers = np.unique(np.concatenate([truth.users for truth in truths.values()]))
    if len(buyers) <= most:
        return truths
    asked = users.rows(first_drawn(users.ids[buyers], seed=seed, most=most))
    return {task: truth.only(asked) for task, truth in truths.items()}


def of_a_panel(version_id: int, truths: Mapping[Task, Truth], users: IdMap) -> Mapping[Task, Truth]:
    """The truths of at most ``PANEL_CUSTOMERS`` customers of a version."""
    seed = ModelVersion.objects.values_list("run__seed", flat=True).get(pk=version_id)
    return sampled(truths, users, seed=seed, most=PANEL_CUSTOMERS)


def first_drawn(keys: IdArray, *, seed: int, most: int) -> IdArray:
    """The keys of the customers who are drawn first under a seed, at most so many, in the order of the draw."""
    return np.array([key for (key,) in temp_tables.rows(_DRAWN, keys=keys.tolist(), seed=seed, most=most)], np.int64)
