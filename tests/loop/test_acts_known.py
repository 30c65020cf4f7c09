"""A run keeps how good its lists are by acts known, or that too few people were left out to say."""

import pytest

from recommendations.models import Evaluation
from recommendations.terms import Task

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("shop")]


def test_a_shop_of_sixty_leaves_out_fifteen_and_says_nothing_of_them() -> None:
    stored = {run.task: run.acts_known for run in Evaluation.objects.all()}
    assert stored == {Task.HOME: {"left_out": 15, "bands": []}, Task.DISCOVER: {}}
