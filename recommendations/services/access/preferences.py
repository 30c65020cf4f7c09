"""Preferences of staff for the dashboard: language and theme follow the person from browser to browser."""

from recommendations.models import Staff


def remember_preferences(*, staff: Staff, language: str | None = None, theme: str | None = None) -> None:
    """Store the preferences that are given; the caller has checked that the values are among those on offer."""
    wanted = {name: value for name, value in (("language", language), ("theme", theme)) if value is not None}
    if wanted:
        Staff.objects.filter(pk=staff.pk).update(**wanted)
