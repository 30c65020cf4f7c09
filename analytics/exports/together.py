"""Association rules as a file."""

from collections.abc import Sequence

from django.http import HttpResponse
from django.utils.translation import gettext as _

from analytics.exports.table import Value, csv_file
from analytics.queries.segments.together import Pair


def together_file(pairs: Sequence[Pair]) -> HttpResponse:
    """A CSV file in the order of the page, one line a rule."""
    head = [
        _("If: id"), _("If in the basket"), _("Then: id"), _("Then also"),
        _("Support"), _("Confidence"), _("Lift"), _("Baskets with both"), _("p-value"),
    ]  # fmt: skip
    rows: list[list[Value]] = [
        [
            first.shop_id, first.title, rule.consequent.shop_id, rule.consequent.title, rule.support, rule.confidence,
            rule.lift, rule.baskets, rule.p_value,
        ]
        for first, rule in pairs
    ]  # fmt: skip
    return csv_file("bought-together", head=head, rows=rows)
