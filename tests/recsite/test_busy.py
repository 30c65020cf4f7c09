"""The page for whoever finds no room gives a form back what it sent, and repeats no secret."""

import threading
from html.parser import HTMLParser
from io import BytesIO
from urllib.parse import urlencode

import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory

from recsite import busy
from recsite.busy import FORM, LONGEST_BODY, busy_page, sent_fields
from recsite.lanes import BUSY, Lanes

pytestmark = pytest.mark.usefixtures("full")

RULE = "/rules/7/?from=list&n=1"
BACK = "Go back and send it again"


class Form(HTMLParser):
    """What a browser would send from the page: where to, how, and which hidden fields."""

    def __init__(self, answer: HttpResponse) -> None:
        super().__init__()
        self.forms: list[dict[str, str | None]] = []
        self.fields: list[tuple[str | None, str | None]] = []
        self.tags: list[str] = []
        self.text = answer.content.decode()
        self.feed(self.text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        self.tags.append(tag)
        if tag == "form":
            self.forms.append(values)
        if tag == "input":
            self.fields.append((values["name"], values["value"]))


def sent(client: Client, path: str, fields: list[tuple[str, str]], **headers: str) -> Form:
    answer = client.post(path, urlencode(fields), content_type=FORM, headers=headers)
    assert (answer.status_code, answer["Retry-After"]) == (503, "2")
    return Form(answer)


def test_all_fields_come_back_in_order_and_go_to_the_same_address(client: Client) -> None:
    fields = [
        ("csrfmiddlewaretoken", "abc"), ("rule", "2"), ("name", "茶 & “tea”"), ("rule", "1"), ("note", "a\r\nb"),
        ("ends_at", ""), ("rule", "2"), ("then", "publish"),
    ]  # fmt: skip
    form = sent(client, RULE, fields)
    assert form.fields == fields
    assert [(each["method"], each["action"]) for each in form.forms] == [("post", RULE)]
    assert "Send it again" in form.text
    assert "data-failed" in form.text
    assert BACK not in form.text


def test_what_is_typed_is_no_markup(client: Client) -> None:
    fields = [('"><script>alert(1)</script>', "1"), ("name", """'"><script>alert(2)</script>""")]
    form = sent(client, "/rules/new/?a=%22%3E%3Cscript%3E", fields)
    assert form.fields == fields
    assert "<script>alert" not in form.text
    assert form.tags.count("script") == Form(client.get("/rules/")).tags.count("script")
    foreign = RequestFactory().post("/", "a=1", content_type=FORM, PATH_INFO="//evil.example/")
    assert Form(busy_page(foreign)).forms[0]["action"] == "/%2Fevil.example/"


@pytest.mark.parametrize(
    "path",
    ["/login/", "/login/code/", "/admin/login/", "/password/", "/password/MQ/set-password/", "/account/password/",
     "/account/second-factor/", "/admin/password_change/", "/admin/recommendations/staff/1/password/"],
)  # fmt: skip
def test_pages_of_passwords_and_codes_have_no_fields(client: Client, path: str) -> None:
    form = sent(client, path, [("csrfmiddlewaretoken", "abc"), ("username", "ada"), ("code", "123456")])
    assert (form.fields, form.forms) == ([], [])
    assert BACK in form.text
    assert "123456" not in form.text


@pytest.mark.parametrize("name", ["password", "new_password1", "otp_token", "api_token", "Password"])
def test_no_field_of_a_secret_is_repeated_wherever_it_is_sent(client: Client, name: str) -> None:
    form = sent(client, "/setup/staff/invite/", [("csrfmiddlewaretoken", "abc"), (name, "hidden-words")])
    assert form.fields == []
    assert "hidden-words" not in form.text


def test_files_and_long_bodies_are_to_be_sent_from_their_page(client: Client) -> None:
    answer = client.post("/catalogue/import/", {"a": "1", "file": SimpleUploadedFile("a.csv", b"x")})
    assert Form(answer).fields == []
    assert BACK in answer.content.decode()
    fits = [("a", "x" * (LONGEST_BODY - 2))]
    assert sent(client, "/rules/new/", fits).fields == fits
    long = sent(client, "/rules/new/", [("a", "x" * (LONGEST_BODY - 1))])
    assert long.fields == []
    assert BACK in long.text


class Body(BytesIO):
    """A body that waits for its sender before its first byte."""

    def __init__(self, content: bytes) -> None:
        super().__init__(content)
        self.begun, self.goes_on, self.touched = threading.Event(), threading.Event(), False

    def read(self, size: int | None = -1, /) -> bytes:
        self.touched = True
        self.begun.set()
        self.goes_on.wait(10)
        return super().read(size)


def request_of(body: Body, *, length: int) -> HttpRequest:
    environ = {"CONTENT_TYPE": FORM, "CONTENT_LENGTH": str(length), "wsgi.input": body}
    return RequestFactory().post("/rules/new/", **environ)


def test_a_body_is_read_for_one_at_a_time_and_never_beyond_the_limit() -> None:
    slow, late, long = Body(b"a=1"), Body(b"a=2"), Body(b"a=3")
    answers: list[list[tuple[str, str]]] = []
    reader = threading.Thread(target=lambda: answers.append(sent_fields(request_of(slow, length=3))))
    reader.start()
    assert slow.begun.wait(10)
    assert sent_fields(request_of(late, length=3)) == []
    slow.goes_on.set()
    reader.join(10)
    assert answers == [[("a", "1")]]
    late.goes_on.set()
    long.goes_on.set()
    assert sent_fields(request_of(long, length=LONGEST_BODY + 1)) == []
    assert (late.touched, long.touched) == (False, False)
    assert sent_fields(request_of(late, length=3)) == [("a", "2")]


@pytest.mark.parametrize("body", [b"", b"a", b"a=%FF", b"\xff=1", b"&".join([b"a=1"] * 1_001)])
def test_what_did_not_come_whole_or_is_odd_is_not_repeated(body: bytes) -> None:
    whole = Body(body)
    whole.goes_on.set()
    assert sent_fields(request_of(whole, length=len(body) if len(body) > 1 else 3)) == []


def test_a_page_that_was_opened_has_a_link_to_itself(client: Client) -> None:
    page = client.get(RULE)
    text = page.content.decode()
    assert 'href="/rules/7/?from=list&amp;n=1"' in text
    assert Form(page).forms == []
    assert "Try again" in text
    assert page["Refresh"] == "2"  # by itself
    assert "Refresh" not in client.post(RULE, {"name": "tea"})
    assert "Refresh" not in client.get(RULE, headers={"HX-Request": "true"})
    assert "data-failed" not in text


def test_the_look_of_the_product_in_the_readers_language(client: Client) -> None:
    stranger = client.get("/rules/").content.decode()
    assert 'class="rail"' not in stranger
    client.cookies[settings.SESSION_COOKIE_NAME] = "whatever"
    page = client.get("/rules/")
    assert '<a href="/catalogue/"' in page.content.decode()
    client.cookies[settings.LANGUAGE_COOKIE_NAME] = "zh-hans"
    chinese = client.get("/rules/").content.decode()
    assert "当前请求的页面过多" in chinese
    assert "规则" in chinese
    assert "重新发送" in sent(client, "/rules/new/", [("a", "1")]).text
    assert "Content-Security-Policy" in page
    assert (page["Cache-Control"], page["X-Content-Type-Options"]) == ("no-store", "nosniff")


def test_htmx_gets_what_it_drops(client: Client) -> None:
    form = sent(client, RULE, [("name", "tea")], **{"HX-Request": "true"})
    assert form.fields == []
    assert "Load the page again" in form.text


def test_a_request_that_was_handed_on_in_vain_comes_back_too() -> None:
    request = RequestFactory().post(RULE, "a=1&b=", content_type=FORM, **{BUSY: True})
    answer = Lanes(lambda _request: HttpResponse())(request)
    assert isinstance(answer, HttpResponse)
    assert Form(answer).fields == [("a", "1"), ("b", "")]


def test_nothing_is_asked_of_the_database_and_the_reading_place_is_given_back(client: Client) -> None:
    """No mark lets this module use the database: a query would fail each of these tests."""
    for _ in range(3):
        assert sent(client, RULE, [("a", "1")]).fields == [("a", "1")]
    with busy._reading.entered():
        assert BACK in sent(client, RULE, [("a", "1")]).text
