"""Pages as a test reads them."""

import html
import re

from django.test import Client


def text(client: Client, address: str, *, status: int = 200) -> str:
    """The source of a page, its entities resolved."""
    answer = client.get(address)
    assert answer.status_code == status
    return html.unescape(answer.content.decode())


def seen(client: Client, address: str) -> dict[str, str]:
    """The field by which a dialog says what it showed."""
    return {"seen_token": re.findall(r'name="seen_token" value="([^"]+)"', text(client, address))[0]}
