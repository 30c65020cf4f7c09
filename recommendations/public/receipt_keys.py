"""Public keys under which anybody verifies receipts of erasures: ``/.well-known/recsite-receipts.json``."""

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_safe

from recommendations.services.privacy.receipts import FORMAT, public_keys


@require_safe
@login_not_required
def receipt_keys(_request: HttpRequest) -> JsonResponse:
    """Give the keys, that which signs first; none where the installation signs nothing yet."""
    keys = [{"id": name, "algorithm": "Ed25519", "public": public} for name, public in public_keys().items()]
    return JsonResponse({"format": FORMAT, "keys": keys})
