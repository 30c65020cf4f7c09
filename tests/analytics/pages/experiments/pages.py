"""Pages as a test reads them."""

import html

from django.test import Client


def text(client: Client, address: str, *, status: int = 200) -> str:
    """The source of a page, its entities resolved."""
    answer = client.get(address)
    assert answer.status_code == status
    return html.unescape(answer.content.decode())
