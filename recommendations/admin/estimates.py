"""Pages of tables with millions of rows: counts are estimated, and a page is never far from the first."""

import json
from typing import Any

from django.db.models import Model
from django.utils.functional import cached_property

from recommendations.admin.generic import Paginator

COUNTED = 20_000  # more rows than this are estimated
MOST_PAGES = 200


class EstimatingPaginator[Row: Model](Paginator[Row]):
    """Paginator that counts few rows exactly; of many it asks the planner how many it expects."""

    @cached_property
    def count(self) -> int:
        rows: Any = self.object_list
        plan = rows.order_by().explain(format="json")
        if not plan:  # a filter that nothing passes: Django asks nothing
            return 0
        expected = int(json.loads(plan)[0]["Plan"]["Plan Rows"])
        if expected > COUNTED:
            return expected
        return int(rows.order_by().count())

    @cached_property
    def num_pages(self) -> int:
        """Number of pages, bounded: filters lead further back than pages, each of which skips all rows before it."""
        return min(MOST_PAGES, super().num_pages)
