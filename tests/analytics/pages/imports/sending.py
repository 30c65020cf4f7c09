"""A file of items, handed in and taken as staff do it in a browser, with the worker's part done in between."""

from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from recommendations.tasks import work_on_file

NEW = reverse("new_import")
FILE = """item_id,title,price,categories
A1,Green tea,3.50,Drinks > Tea
A2,Coffee,4.00,Drinks > Coffee
A3,New mug,9.00,Kitchen
A4,Broken,minus one,Kitchen
"""


def look(client: Client, text: str | bytes = FILE, *, name: str = "spring.csv") -> HttpResponse:
    """Hand a file in, have it looked through as a worker would, and load the page of it."""
    content = text.encode() if isinstance(text, str) else text
    return worked_on(client, client.post(NEW, {"file": SimpleUploadedFile(name, content)}))


def take(client: Client, seen: HttpResponse) -> HttpResponse:
    address = reverse("take_import", args=[seen.context["job"].pk])
    return worked_on(client, client.post(address))


def worked_on(client: Client, answer: HttpResponse) -> HttpResponse:
    if answer.status_code != 302:
        return answer
    waiting = client.get(answer["Location"])
    if waiting.context and waiting.context.get("job"):
        page = waiting.content.decode()
        assert "<progress" in page
        assert 'hx-trigger="every 1s"' in page
        assert 'http-equiv="refresh"' in page
        work_on_file(str(waiting.context["job"].pk))
        return client.get(answer["Location"], follow=True)
    return waiting
