"""A release as a file, with all that who reads it has to know; in the reader's language."""

import csv
import io

from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from recommendations.models import Release
from recommendations.services.catalogue.spreadsheets import harmless

BYTE_ORDER_MARK = "\ufeff"  # without it, spreadsheets read Chinese as something else


def release_csv(release: Release) -> str:
    """CSV, a line for each value that is told of, the largest first."""
    head = [
        pgettext("release", "Rank"), pgettext("release", "Id"), pgettext("release", "Name"),
        pgettext("release", "Customers, with noise"), _("Within, in 19 of 20 cases"), _("First day"), _("Last day"),
        _("Values of a customer at most"), "ε", pgettext("release", "What it means"),
    ]  # fmt: skip
    same = [
        release.expected["within"], release.first_day.isoformat(), release.last_day.isoformat(), release.bound,
        f"{release.epsilon.normalize():f}", meaning(release),
    ]  # fmt: skip
    text = io.StringIO(BYTE_ORDER_MARK)
    text.seek(0, io.SEEK_END)
    writer = csv.writer(text)
    writer.writerow(head)
    for rank, (code, name, number) in enumerate(release.rows, start=1):
        writer.writerow([rank, harmless(code), harmless(name), number, *same])
    return text.getvalue()


def file_name(release: Release) -> str:
    return f"{release.domain}-{release.first_day}-{release.last_day}.csv"


def meaning(release: Release) -> str:
    """What ε is worth to one customer, in words."""
    text = _(
        "Whether one customer is among those counted changes the chance of any such table by no more than the factor "
        "e^%(epsilon)s."
    )
    return text % {"epsilon": f"{release.epsilon.normalize():f}"}
