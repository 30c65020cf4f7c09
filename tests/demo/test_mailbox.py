"""The demo's mailbox: what a mail says is shown, whatever is in it, and nothing of it acts."""

import random
from pathlib import Path

import pytest
import pytest_django
from django.conf import settings as site
from django.test import Client
from django.urls import reverse

from demo import mailbox
from recommendations.customer_codes import customer_code
from recommendations.models import Staff
from recommendations.terms import Role
from tests.demo.mails import mail, put

pytestmark = pytest.mark.django_db

HOSTILE = """<html onload="top.location='https://evil.example'"><head><base href="https://evil.example/" target="_top">
<meta http-equiv="refresh" content="0;url=https://evil.example"><script>top.hurt = true</script></head>
<body><img src=x onerror="top.hurt = true"><form action="https://evil.example"><input name=q></form>
<a href="javascript:top.hurt=true">run</a> <a href="https://evil.example/?<script>alert(1)</script>">out</a></body></html>"""


@pytest.fixture
def folder(tmp_path: Path, settings: pytest_django.Settings) -> Path:
    settings.MAILBOX = tmp_path / "post"
    return settings.MAILBOX


def client_as(role: Role) -> Client:
    client = Client()
    client.force_login(Staff.objects.create_user(f"{role}@example.com", "pw", role=role))
    return client


@pytest.fixture
def publisher() -> Client:
    return client_as(Role.PUBLISHER)


def page(client: Client, name: str = "mailbox", *arguments: str, **query: str) -> str:
    answer = client.get(reverse(name, args=arguments), query)
    assert answer.status_code == 200
    return answer.content.decode()


def test_it_is_empty_at_first(folder: Path, publisher: Client) -> None:
    assert not folder.exists()
    assert "No mail" in page(publisher)
    assert "Nothing matches" in page(publisher, q="x")


def test_the_newest_stand_first_fifty_a_page(folder: Path, publisher: Client) -> None:
    for number in range(60):
        put(folder, mail(f"Mail {number:02}"), minutes=number)
    (folder / "99999999999999999999-0123456789abcdef.eml").touch()
    (folder / "notes.eml").touch()
    first, second = page(publisher), page(publisher, page="2")
    assert first.index("Mail 59") < first.index("Mail 58") < first.index("Mail 10")
    assert "Mail 09" not in first
    assert "Mail 09" in second
    assert "60 e-mails" in first
    assert page(publisher, page="9999999").count("/mailbox/2") == 10


def test_mail_is_searched_by_recipient_and_subject(folder: Path, publisher: Client) -> None:
    put(folder, mail("Bitte bestätigen"), to="customer-C-AAAA@shop.example")
    put(folder, mail("请确认您的邮箱地址"), to="customer-C-BBBB@shop.example", minutes=1)
    assert mailbox.matching(folder, "BESTÄTIGEN") == mailbox.keys_of(folder)[1:]
    assert mailbox.matching(folder, "c-bbbb@") == mailbox.keys_of(folder)[:1]
    assert "请确认您的邮箱地址" in page(publisher, q="确认")
    assert "Bitte" not in page(publisher, q="确认")


def test_a_mail_is_taken_apart(folder: Path, publisher: Client, settings: pytest_django.Settings) -> None:
    settings.PUBLIC_URL = "http://127.0.0.1:8000"
    own = f"{settings.PUBLIC_URL}/m/k/token/"
    html = f'<p>Hi</p><a href="{own}">Look <b>and</b> confirm</a> <a href="https://a.example/x"><img alt="Out"></a>'
    html += f'<a href="{own}">again</a> <a href="{settings.PUBLIC_URL}/m/x/">old</a> <a href="mailto:a@b.example">m</a>'
    key = put(folder, mail("Please", html=html, List_Unsubscribe="<https://u.example/1>"), to=address(7))
    text = page(publisher, "mail", key)
    assert f'href="/customers/{customer_code(7)}/"' in text
    assert "As text" in text
    assert "List-Unsubscribe" in text
    opened = mailbox.mail_of(folder, key)
    assert opened
    assert opened.links == [
        (own, "Look and confirm"), ("https://a.example/x", "Out"), (f"{settings.PUBLIC_URL}/m/x/", "old"),
        ("mailto:a@b.example", "m"), ("https://u.example/1", "List-Unsubscribe"),
    ]  # fmt: skip
    for words in ("Page to confirm the address", "a.example", "No page", "No web page", "u.example"):
        assert f">{words}</td>" in text
    assert 'href="mailto:' not in text
    assert dict(opened.headers)["Delivered-To"] == address(7)


def address(key: int) -> str:
    return f"customer-{customer_code(key)}@shop.example"


def test_the_frame_has_a_policy_of_its_own(folder: Path, publisher: Client) -> None:
    key = put(folder, mail(html='<p style="color:red">Größe</p>'))
    assert 'sandbox="allow-popups allow-popups-to-escape-sandbox"' in page(publisher, "mail", key)
    answer = publisher.get(reverse("mail_html", args=[key]))
    policy = dict(part.strip().partition(" ")[::2] for part in answer["Content-Security-Policy"].split(";"))
    assert policy == {
        "default-src": "'none'",
        "style-src": "'unsafe-inline'",
        "img-src": f"https: data: {site.PUBLIC_URL}/api/v1/items/",
        "form-action": "'none'",
        "base-uri": "'none'",
        "frame-ancestors": "'self'",
        "sandbox": "allow-popups allow-popups-to-escape-sandbox",
    }
    assert answer["X-Frame-Options"] == "SAMEORIGIN"
    assert answer["Referrer-Policy"] == "no-referrer"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Content-Type"] == "text/html; charset=utf-8"
    assert answer.content.decode().startswith('<!doctype html><base target="_blank"><p style="color:red">Größe')
    assert "unsafe" not in publisher.get(reverse("mail", args=[key]))["Content-Security-Policy"]


def test_who_looks_can_unsubscribe_as_the_customer(folder: Path, publisher: Client) -> None:
    own = f"{site.PUBLIC_URL}/m/u/token/"
    key = put(folder, mail(html=f'<a href="{own}">Unsubscribe</a>', List_Unsubscribe=f"<{own}>"))
    text = page(publisher, "mail", key)
    assert '<form class="card-fill actions" method="post" action="/m/u/token/" target="_blank"' in text
    assert 'name="List-Unsubscribe" value="One-Click"' in text
    for other in ("https://elsewhere.example/m/u/token/", f"{site.PUBLIC_URL}/m/p/token/"):
        assert "One-Click" not in page(publisher, "mail", put(folder, mail(List_Unsubscribe=f"<{other}>")))


@pytest.mark.parametrize("role", list(Role))
def test_who_may_publish_alone_opens_mails_as_their_links_act_for_the_customer(folder: Path, role: Role) -> None:
    key, client = put(folder, mail("Please confirm", html="<p>Hi</p>")), client_as(role)
    opens = role in {Role.PUBLISHER, Role.ADMIN}
    listed = page(client)
    assert "Please confirm" in listed
    assert (f'href="/mailbox/{key}/"' in listed, "opening one is for: Publisher / Admin." in listed) == (
        opens,
        not opens,
    )
    for name in ("mail", "mail_html"):
        assert client.get(reverse(name, args=[key])).status_code == (200 if opens else 403)
    if opens:
        assert "act for the customer, as if they had pressed them" in page(client, "mail", key)


def test_what_is_hostile_is_told_and_not_done(folder: Path, publisher: Client) -> None:
    subject = "<script>alert(1)</script>\u202egnp.exe"
    key = put(folder, mail(subject, html=HOSTILE, text=HOSTILE), to="<img src=x onerror=alert(1)>@shop.example")
    text, listed = page(publisher, "mail", key), page(publisher)
    for shown in (text, listed):
        assert "&lt;script&gt;alert(1)&lt;/script&gt;gnp.exe" in shown
        assert "<script>alert" not in shown
        assert "onerror=alert(1)>" not in shown
    assert 'href="javascript:' not in text
    assert "top.hurt = true</script>" not in text


@pytest.mark.parametrize(
    "key", ["x", "..", "20261128120000000000-0123456789abcdeg", "99999999999999999999-0123456789abcdef", "servers"]
)
def test_other_names_are_refused(folder: Path, publisher: Client, key: str) -> None:
    put(folder, mail(html="<p>Hi</p>"))
    (folder.parent / "servers.eml").write_bytes(mail("secret", html="secret"))
    (folder / "servers.eml").write_bytes(mail("secret", html="secret"))
    assert mailbox.mail_of(folder, key) is None
    assert mailbox.html_of(folder, key) is None
    for path in (
        f"/mailbox/{key}/",
        f"/mailbox/{key}/html/",
        f"/mailbox/%2e%2e%2f{key}/",
        f"/mailbox/..%2f{key}/html/",
    ):
        answer = publisher.get(path)
        assert answer.status_code in {302, 404}  # 302: ".." leads to where it says
        assert b"secret" not in answer.content


def test_names_lead_nowhere_else(folder: Path) -> None:
    key = put(folder, mail())
    for name in (f"../post/{key}", f"./{key}", f"{key}/../{key}", f"{key}\n", f"{key}\x00", f"/{folder}/{key}", ""):
        assert mailbox.mail_of(folder, name) is None


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\r\n\r\n",
        b"Subject: =?utf-8?b?!!!?=\r\nContent-Type: text/html; charset=klingon\r\n\r\n\xff<p>\xfe",
        b"Subject: =?klingon?q?=FF?=\r\nTo: \xff\xfe\r\nContent-Type: text/plain; charset=utf-16\r\n\r\n\x00\xd8",
        b"Content-Type: multipart/mixed\r\n\r\nno boundary",
        b"Content-Type: text/html\r\nContent-Transfer-Encoding: base64\r\n\r\n=!=!",
        b"Content-Type: text/html\r\n\r\n" + b"<" * 300_000,
        b"".join(b'Content-Type: multipart/mixed; boundary="%d"\r\n\r\n--%d\r\n' % (n, n) for n in range(3_000)),
        b"Subject: " + b"x" * 200_000 + b"\r\n\r\n",
        b'Content-Type: text/html\r\n\r\n<a href="http://[bad">x</a><a href>y</a><a>z',
        *(random.Random(seed).randbytes(5_000) for seed in range(20)),
    ],
)  # fmt: skip
def test_whatever_comes_can_be_opened(folder: Path, publisher: Client, content: bytes) -> None:
    key = put(folder, content)
    page(publisher)
    page(publisher, q="x")
    assert "Leads to" in page(publisher, "mail", key) or "This mail has no links" in page(publisher, "mail", key)
    assert publisher.get(reverse("mail_html", args=[key])).status_code in {200, 404}


def test_a_mail_that_went_meanwhile_is_left_out(folder: Path, publisher: Client) -> None:
    keys = [put(folder, mail(f"Mail {number}"), minutes=number) for number in range(2)]
    (folder / f"{keys[0]}.eml").unlink()
    assert [line.subject for line in mailbox.lines_of(folder, keys)] == ["Mail 1"]
    assert publisher.get(reverse("mail", args=[keys[0]])).status_code == 404


def test_real_mail_is_said_to_go_elsewhere(folder: Path, publisher: Client, settings: pytest_django.Settings) -> None:
    settings.DEMO_REAL_MAIL = True
    assert not folder.exists()
    text = page(publisher)
    assert "mail goes to a server of yours" in text
    assert "no mail leaves this machine" not in text


def test_strangers_see_nothing(folder: Path) -> None:
    key = put(folder, mail(html="<p>Hi</p>"))
    for name, arguments in (("mailbox", []), ("mail", [key]), ("mail_html", [key])):
        answer = Client().get(reverse(name, args=arguments))
        assert (answer.status_code, answer["Location"][:7]) == (302, "/login/")
