"""A customer who turned to another department: when, as their page says it, and nothing of all others."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from django.template.loader import render_to_string
from django.utils.translation import override

from recommendations.engine.ids import IdMap
from recommendations.services.review.change_point import change_in, changed_since
from recommendations.store.serving.snapshot_holder import current_snapshot
from tests.shop import Act, training_set

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("shop")]

TURNED, FAITHFUL, UNKNOWN = 11, 12, 13
TEA, SOAP = 501, 502


def test_it_is_the_first_basket_from_the_other_department() -> None:
    """Thirteen baskets of a day each, the last three of them of soap."""
    live = current_snapshot()
    assert live.model is not None
    acts = [
        Act(user, int(user == 0 and age <= 3), 100 * user + age, age=float(age))
        for user in (0, 1) for age in range(13, 0, -1)
    ]  # fmt: skip
    model = replace(
        live.model, users=IdMap(ids=np.array([TURNED, FAITHFUL])), categories=IdMap(ids=np.array([TEA, SOAP])),
        training=training_set(acts, n_users=2, category_of=[0, 1]),
    )  # fmt: skip
    names = replace(live.names, categories={TEA: ("FOOD > TEA", "Tea"), SOAP: ("HOME > SOAP", "Soap")})
    found = [change_in(replace(live, model=model, names=names), who) for who in (TURNED, FAITHFUL, UNKNOWN)]
    assert found == [live.model.as_of - timedelta(days=3), None, None]
    beside = replace(live.names, categories={TEA: ("FOOD > TEA", "Tea"), SOAP: ("FOOD > SOAP", "Soap")})
    assert change_in(replace(live, model=model, names=beside), TURNED) is None


def test_the_shop_has_one_department_to_which_nobody_can_turn() -> None:
    live = current_snapshot()
    assert live.model is not None
    assert {changed_since(key) for key in live.model.users.ids.tolist()} == {None}


@pytest.mark.parametrize(
    ("language", "told"),
    [("en", "Turned to other departments on"), ("zh-hans", "起转向其他部门")],
)
def test_a_page_says_so(language: str, told: str) -> None:
    with override(language):
        page = render_to_string(
            "dashboard/customer/changed.html", {"changed_since": datetime(2026, 9, 12, 6, tzinfo=UTC)}
        )
        assert told in page
        assert not render_to_string("dashboard/customer/changed.html", {"changed_since": None}).strip()
