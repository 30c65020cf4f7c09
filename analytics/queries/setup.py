"""What admins set up, as lists."""

from recommendations.models import ApiKey, Placement


def placements() -> list[Placement]:
    return list(Placement.objects.select_related("blend"))


def api_keys() -> list[ApiKey]:
    """All keys, those that work first, of each the newest first."""
    keys = ApiKey.objects.select_related("created_by").order_by("-created_at")
    return sorted(keys, key=lambda key: key.revoked_at is not None or key.expires_at is not None)
