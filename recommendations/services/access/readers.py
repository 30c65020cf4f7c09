"""Readers of what is open to everybody, of whom nothing is known but the network that they come from."""

from django.conf import settings
from django.http import HttpRequest
from django.utils.crypto import salted_hmac
from django.utils.translation import get_supported_language_variant
from django.utils.translation.trans_real import parse_accept_lang_header

from recommendations.services.access.addresses import client_network
from recommendations.services.access.keys import rates
from recommendations.services.access.rates import Rate

READS = 60  # a minute


def count_reader(request: HttpRequest, name: str) -> Rate:
    """Count a request for something that is open by its network, which is not stored."""
    network = salted_hmac(__name__, client_network(request), algorithm="sha256").hexdigest()[:32]
    return rates().take(f"open:{name}:{network}", limit=READS)


def reader_language(request: HttpRequest, chosen: str | None) -> str:
    """The language that was chosen, else the first of the browser's that there is, else the shop's; no cookie counts.

    So a cache tells readers apart by what ``Vary: Accept-Language`` names.
    """
    if chosen in dict(settings.LANGUAGES):
        return str(chosen)
    for language, _quality in parse_accept_lang_header(request.headers.get("Accept-Language", "")):
        try:
            return get_supported_language_variant(language)
        except LookupError:
            continue
    return settings.LANGUAGE_CODE
