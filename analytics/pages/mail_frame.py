"""A mail in a frame of its own: its policy lets nothing run, load or be sent, wherever its address is opened."""

from django.conf import settings
from django.http import HttpResponse

POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src https: data: {pictures}; form-action 'none'; "
    "base-uri 'none'; frame-ancestors 'self'; sandbox allow-popups allow-popups-to-escape-sandbox"
)
PICTURES = "/api/v1/items/"
"""Part of this site of which a mail may show pictures, and ask nothing else."""
IN_NEW_TABS = '<!doctype html><base target="_blank">'
"""What a mail in its frame begins with: its links would else open in the frame, which most pages refuse."""


def mail_frame(html: str, *, status: int = 200) -> HttpResponse:
    """The HTML part of a mail alone; the view that answers it is framed by pages of this site."""
    response = HttpResponse(IN_NEW_TABS + html, status=status)
    response["Content-Security-Policy"] = POLICY.format(pictures=f"{settings.PUBLIC_URL}{PICTURES}")
    response["Referrer-Policy"] = "no-referrer"
    response["X-Frame-Options"] = "SAMEORIGIN"
    return response
