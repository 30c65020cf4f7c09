"""The quality table as a file."""

from collections.abc import Sequence

from django.http import HttpResponse
from django.utils.translation import gettext as _

from analytics.exports.table import Value, csv_file
from analytics.queries.quality.leader_table import COLUMNS, Quality
from analytics.templatetags.words import label, measured_label, metric_label
from recommendations.models import Measurement
from recommendations.wording import labels

ENDS = ("value", "low", "high")


def quality_file(found: Quality, *, sort: str) -> HttpResponse:
    """A CSV file as the page: each figure with its interval, then the paired difference to the hybrid with its own."""
    head = [_("Recommender"), _("Code"), _("Kind"), _("Training, s")]
    for metric in COLUMNS:
        words = metric_label(metric)
        for what in (words, _("%(metric)s, difference to the hybrid") % {"metric": words}):
            head += [what, _("%(what)s: low end") % {"what": what}, _("%(what)s: high end") % {"what": what}]
    return csv_file(f"quality-{found.task}", head=head, rows=[_line(row) for row in found.sorted(sort)])


def _line(row: Measurement) -> Sequence[Value]:
    figures = [
        table.get(metric, {}).get(end) for metric in COLUMNS for table in (row.metrics, row.against) for end in ENDS
    ]
    return [measured_label(row.name), row.name, label(labels.MEASURED_KINDS, row.kind), row.fit_seconds, *figures]
