"""What admins set up, as lists."""

from django.db.models import Exists, OuterRef

from recommendations.models import ApiKey, AuthenticatorApp, Placement, Staff


def placements() -> list[Placement]:
    return list(Placement.objects.select_related("blend"))


def api_keys() -> list[ApiKey]:
    """All keys, those that work first, of each the newest first."""
    keys = ApiKey.objects.select_related("created_by").order_by("-created_at")
    return sorted(keys, key=lambda key: key.revoked_at is not None or key.expires_at is not None)


def members() -> list[Staff]:
    """All staff, those who may sign in first; ``protected``: whether they have a second factor."""
    apps = AuthenticatorApp.objects.filter(user=OuterRef("pk"), confirmed=True)
    return list(Staff.objects.annotate(protected=Exists(apps)).order_by("-is_active", "name", "email"))
