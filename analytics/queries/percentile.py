"""PostgreSQL's percentiles for Django's aggregates."""

from django.db.models import Aggregate, FloatField


class Percentile(Aggregate):
    """The value below which ``share`` of the rows lie, interpolated; None over no rows."""

    template = "percentile_cont(%(share)s) WITHIN GROUP (ORDER BY %(expressions)s)"
    output_field = FloatField()
