"""The quality table as a file."""

from collections.abc import Sequence

from django.http import HttpResponse
from django.utils.translation import gettext as _

from analytics.exports.table import Value, csv_file
from analytics.queries.quality.acts_known import LittleKnown
from analytics.queries.quality.leader_table import COLUMNS, Quality
from analytics.templatetags.words import label, measured_label, metric_label
from recommendations.models import Evaluation, Measurement
from recommendations.wording import labels

ENDS = ("value", "low", "high")
GAP_PARTS = ("learned", "after", "gap")


def quality_file(found: Quality, *, sort: str) -> HttpResponse:
    """A CSV file as the page: each figure with its interval, then the paired difference to the hybrid with its own."""
    head = [_("Recommender"), _("Code"), _("Kind"), _("Training, s")]
    for metric in COLUMNS:
        words = metric_label(metric)
        for what in (words, _("%(metric)s, difference to the hybrid") % {"metric": words}):
            head += [what, _("%(what)s: low end") % {"what": what}, _("%(what)s: high end") % {"what": what}]
    return csv_file(f"quality-{found.task}", head=head, rows=[_line(row) for row in found.sorted(sort)])


def acts_known_file(known: LittleKnown) -> HttpResponse:
    """A CSV file of how good the lists are by how much is known."""
    head = [_("Acts known"), _("Customers")]
    for words in (_("Hybrid"), _("Best sellers"), _("Ahead of best sellers")):
        head += [words, _("%(what)s: low end") % {"what": words}, _("%(what)s: high end") % {"what": words}]
    rows = [(each, (each.blend, each.popular, each.ahead)) for each in known.bands]
    lines = [[each.words, each.people, *(getattr(row, end) for row in own for end in ENDS)] for each, own in rows]
    return csv_file("quality-acts-known", head=head, rows=lines)


def gaps_file(evaluation: Evaluation) -> HttpResponse:
    """A CSV file of what each recommender finds of what it learned, and of what came after."""
    head = [_("Recommender"), _("Code")]
    for words in (_("On what it learned"), _("On what came after"), _("Gap")):
        head += [words, _("%(what)s: low end") % {"what": words}, _("%(what)s: high end") % {"what": words}]
    lines = [
        [measured_label(name), name, *(facts[part][end] for part in GAP_PARTS for end in ENDS)]
        for name, facts in evaluation.generalisation.items()
    ]
    return csv_file(f"quality-gaps-{evaluation.task}", head=head, rows=lines)


def _line(row: Measurement) -> Sequence[Value]:
    figures = [
        table.get(metric, {}).get(end) for metric in COLUMNS for table in (row.metrics, row.against) for end in ENDS
    ]
    return [measured_label(row.name), row.name, label(labels.MEASURED_KINDS, row.kind), row.fit_seconds, *figures]
