"""The receipts of erasures: the list, which checks them, and each of them as a file."""

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from analytics.parameters import page_number
from analytics.queries.privacy import receipts as query
from recommendations.models import Receipt
from recommendations.services.privacy.receipts import envelope


@require_safe
def privacy_receipts(request: HttpRequest) -> HttpResponse:
    page, rows = query.receipts(page=page_number(request.GET.get("page")))
    context = {
        "section": "privacy",
        "page": page,
        "receipts": rows,
        "broken": sum(not row.fits for row in rows),
    }
    return render(request, "dashboard/privacy/receipts.html", context)


@require_safe
def privacy_receipt(request: HttpRequest, serial: int) -> HttpResponse:  # noqa: ARG001 - of every view
    """A receipt as a file, which ``manage.py verify_receipt`` reads."""
    receipt = get_object_or_404(Receipt, pk=serial)
    answer = JsonResponse(envelope(receipt), json_dumps_params={"indent": 2, "ensure_ascii": False})
    answer["Content-Disposition"] = f'attachment; filename="receipt-{receipt.pk}.json"'
    return answer
