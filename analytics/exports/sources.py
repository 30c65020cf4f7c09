"""What each API key sent, hour by hour, as a file."""

from collections.abc import Iterable

from django.http import HttpResponse
from django.utils.timezone import localtime
from django.utils.translation import gettext as _

from analytics.exports.table import Value, csv_file
from analytics.queries.sources import KeySource
from analytics.templatetags.words import label
from recommendations.wording import labels


def sources_file(sources: Iterable[KeySource]) -> HttpResponse:
    """A CSV file with a row per key and hour in which something came."""
    head = [
        _("Key"), _("Prefix"), _("Where it is used"), _("Hour"), _("Lines"), _("People"), _("New people"),
        _("Purchases"), _("Accepted without a name"), _("Of crawlers"), _("Without proof"), _("Events of no use"),
        _("Waiting for their item"), _("Refused requests"), _("Unusual"),
    ]  # fmt: skip
    rows: list[list[Value]] = [
        [
            source.key.name, source.key.prefix, label(labels.SIDES, source.key.side),
            localtime(sent.hour).isoformat(timespec="minutes"), *sent[1:], int(sent.hour in unusual),
        ]
        for source in sources
        for unusual in [{each.sent.hour for each in source.unusual}]
        for sent in source.sent
    ]  # fmt: skip
    return csv_file("sources", head=head, rows=rows)
