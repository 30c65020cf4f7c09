"""The people of a sending as a file; without addresses."""

from collections.abc import Iterable

from django.http import HttpResponse
from django.utils.translation import gettext as _

from analytics.exports.table import Value, csv_file
from recommendations.models import Considered, Occurrence
from recommendations.wording import push_labels


def sending_file(occurrence: Occurrence, cases: Iterable[Considered]) -> HttpResponse:
    """A CSV file in the order of the page, one line a person and occasion."""
    head = [
        _("Customer"), _("Verdict"), _("Would have been sent"), _("Channel"), _("When"), _("Chance"), _("Value"),
        _("Items"), _("Lost to"), _("Occasion"),
    ]  # fmt: skip
    verdicts, channels = dict(push_labels.VERDICTS), dict(push_labels.CHANNELS)
    rows: Iterable[list[Value]] = (
        [
            each.customer.code, str(verdicts[each.verdict]), int(each.would_send),
            str(channels[each.channel]) if each.channel else None,
            each.due_at.isoformat() if each.due_at else None, round(each.chance, 5), round(each.value, 4),
            len(each.items), str(each.lost_to) if each.lost_to else None, each.key,
        ]
        for each in cases
    )  # fmt: skip
    return csv_file(f"{occurrence.campaign.slug}-{occurrence.key}", head=head, rows=rows)
