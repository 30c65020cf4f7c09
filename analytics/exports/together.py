"""Association rules as a file."""

from collections.abc import Sequence

from django.http import HttpResponse
from django.utils.translation import gettext as _

from analytics.exports.table import Value, csv_file
from analytics.queries.segments.association_rules import PairRow


def together_file(lines: Sequence[PairRow]) -> HttpResponse:
    """A CSV file in the order of the page, one line a rule."""
    head = [
        _("If: id"), _("If in the basket"), _("Then: id"), _("Then also"),
        _("Support"), _("Confidence"), _("Lift"), _("Baskets with both"), _("p-value"),
    ]  # fmt: skip
    rows: list[list[Value]] = [
        [
            line.first.shop_id,
            line.first.title,
            line.then.shop_id,
            line.then.title,
            line.rule.support,
            line.rule.confidence,
            line.rule.lift,
            line.rule.baskets,
            line.rule.p_value,
        ]
        for line in lines
    ]
    return csv_file("bought-together", head=head, rows=rows)
