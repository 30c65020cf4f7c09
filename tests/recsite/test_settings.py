"""Settings of production: safe as they stand, and refused where they are not. Each case is a process of its own."""

import os
import re
import subprocess
from ast import literal_eval
from collections.abc import Iterator

import pytest

from tests.architecture.source import ROOT
from tests.recsite.forks import Forks, forks

PRODUCTION = {
    "DJANGO_SETTINGS_MODULE": "recsite.settings",
    "SECRET_KEY": "s3cr3t-Key-of-production-0123456789-abcdefghijklmnopqrstuvwxyz",
    "PSEUDONYM_KEY": "another-key-that-never-changes-0123456789",
    "DATABASE_URL": "postgresql://recsite:pw@db.example/recsite?sslmode=verify-full",
    "REDIS_URL": "rediss://:pw@cache.example/0",
    "ALLOWED_HOSTS": "shop.example",
    "EMAIL_URL": "smtp://mail.example",
}
OURS = (
    "ENGINE",
    "RECSITE_",
    "SHOP_",
    "SHOPIFY_",
    "WOOCOMMERCE_",
    "SECRET_KEY",
    "PSEUDONYM_KEY",
    "INNER_",
    "PG",
    "VAPID_KEY",
    "DATABASE_URL",
    "REDIS_URL",
    "DATA",
    "DEBUG",
    "DJANGO_",
    "LOG_",
)


_forks: list[Forks] = []


@pytest.fixture(scope="module", autouse=True)
def _forking(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with forks(tmp_path_factory.mktemp("forks")) as each:
        _forks.append(each)
        yield
    _forks.clear()


def run(code: str, **changes: str | None) -> subprocess.CompletedProcess[str]:
    env = {name: value for name, value in os.environ.items() if not name.startswith(OURS)} | PRODUCTION
    env |= {name: value for name, value in changes.items() if value is not None}
    env = {name: value for name, value in env.items() if changes.get(name, "") is not None}
    return _forks[0].run(code, env)


def test_the_deployment_check_is_clean() -> None:
    code = """
import django; django.setup()
from django.conf import settings
from django.core.management import call_command
settings.SILENCED_SYSTEM_CHECKS = [*settings.SILENCED_SYSTEM_CHECKS, "recsite.W004"]  # a checkout has no static files
call_command("check", deploy=True, fail_level="WARNING")
"""
    done = run(code, BEHIND_PROXY="1")
    assert done.returncode == 0, done.stderr
    assert "no issues" in done.stdout + done.stderr


def test_the_deployment_check_names_servers_and_a_host_that_are_missing() -> None:
    """Nothing answers at port 1; ``migrate`` says so without a traceback, too."""
    away = {"DATABASE_URL": "postgresql://recsite:pw@127.0.0.1:1/recsite", "REDIS_URL": "redis://:pw@127.0.0.1:1/0"}
    code = """
import django; django.setup()
from django.core.management import call_command, execute_from_command_line
try:
    call_command("check", deploy=True, databases=["default"])
except BaseException as error:
    print(error)
execute_from_command_line(["manage.py", "migrate"])
"""
    done = run(code, BEHIND_PROXY="1", ALLOWED_HOSTS="", LOG_LEVEL="ERROR", **away)
    for check, variable in (("E005", "DATABASE_URL"), ("E006", "REDIS_URL"), ("E007", "ALLOWED_HOSTS")):
        assert f"recsite.{check}" in done.stdout
        assert variable in done.stdout
    assert done.returncode == 1
    assert "recsite.E005" in done.stderr
    assert "Traceback" not in done.stderr


def test_an_installation_that_shows_its_insides_is_refused() -> None:
    code = """
import django; django.setup()
from django.core.management import call_command
call_command("check", deploy=True)
"""
    done = run(code, DEBUG="1")
    assert done.returncode == 1
    assert "recsite.E001" in done.stderr


@pytest.mark.parametrize("name", ["SECRET_KEY", "PSEUDONYM_KEY", "DATABASE_URL", "REDIS_URL", "EMAIL_URL"])
def test_settings_that_production_needs_are_required(name: str) -> None:
    done = run("import recsite.settings", **{name: None})
    assert f"{name} is not set" in done.stderr


@pytest.mark.parametrize(
    ("name", "value", "complaint"),
    [
        ("SECRET_KEY", "demo-" + "x" * 60, "comes from the demo"),
        ("PSEUDONYM_KEY", "demo-" + "x" * 60, "comes from the demo"),
        ("PSEUDONYM_KEY", PRODUCTION["SECRET_KEY"], "must differ"),
        ("PSEUDONYM_KEYS", "a-new-key-without-the-one-before-0123456789", "must be the first of PSEUDONYM_KEYS"),
        ("PSEUDONYM_KEYS", ",".join([PRODUCTION["PSEUDONYM_KEY"]] * 2), "the same key twice"),
        ("PSEUDONYM_KEYS", f"{PRODUCTION['PSEUDONYM_KEY']}\nshort", "each needs at least 32"),
        ("PSEUDONYM_KEYZ", "x", "Unknown settings: PSEUDONYM_KEYZ"),
        ("DATABASE_URL", "postgresql://recsite:pw@db.example/recsite", "Add ?sslmode=verify-full"),
        ("DATABASE_URL", "postgresql://recsite:pw@/recsite?host=/run,db.example&sslmode=require", "DATABASE_URL leads"),
        ("DATABASE_URL", "postgresql://recsite:pw@localhost/recsite?hostaddr=10.0.0.7", "DATABASE_URL leads"),
        ("REDIS_URL", "redis://:pw@cache.example/0", "Begin it with rediss://"),
        ("REDIS_URL", "rediss://:pw@cache.example/0?ssl_cert_reqs=none", "REDIS_URL leads"),
        ("SECRET_KEY", "short", "at least 50"),
        ("ENGINE", "spark://master:7077", "such as sc://spark:15002"),
        ("SHOP_CURRENCY", "Dollar", "ISO 4217"),
        ("SHOP_TIME_ZONE", "Mars/Olympus", "SHOP_TIME_ZONE='Mars/Olympus' is unknown"),
        ("SHOP_DOMAIN", "shoes", "use one of articles, goods, music, video"),
        ("SHOP_LANGUAGE", "tlh", "use one of en, zh-hans"),
        ("RECSITE_DEBUG", "1", "Unknown settings: RECSITE_DEBUG"),
        ("SHOPIFY_WEBHOOK_SECRT", "x", "Unknown settings: SHOPIFY_WEBHOOK_SECRT"),
        ("WOOCOMMERCE_WEBHOOK_SECRETS", "x", "Unknown settings: WOOCOMMERCE_WEBHOOK_SECRETS"),
        ("LOG_LEVEL", "LOUD", "LOG_LEVEL='LOUD'"),
        ("PUBLIC_URL", "http://shop.example", "PUBLIC_URL='http://shop.example' is no address"),
        ("PUBLIC_URL", "https://shop.example/recsite", "without a path"),
        ("VAPID_KEY", "_" * 43, "VAPID_KEY is no key of VAPID"),
        ("VAPID_KEY", "short", "at least 43"),
        ("PUSH_SERVICE_HOSTS", "https://push.example/x", "is not a host"),
        ("WEBHOOK_HOSTS", "ftp://erp.internal", "is not a host"),
        ("ALLOWED_HOSTS", "*", "PUBLIC_URL='https://*' is no address"),
    ],
)
def test_unsafe_and_unknown_settings_are_refused(name: str, value: str, complaint: str) -> None:
    done = run("import recsite.settings", **{name: value})
    assert done.returncode == 1
    assert complaint in done.stderr


def test_names_that_the_docs_give_to_a_shop_stop_nothing() -> None:
    """A shop on the same machine exports them for the clients; whatever the docs call so is let alone."""
    pages = [(ROOT / "docs" / f"{page}.md").read_text(encoding="utf-8") for page in ("storefront", "clients", "oscar")]
    names = set(re.findall(r"RECSITE_[A-Z_]*[A-Z]", "".join(pages))) - {"RECSITE_DEMO"}
    assert {"RECSITE_URL", "RECSITE_KEY", "RECSITE_PAGES_KEY"} < names
    done = run("import recsite.settings", **dict.fromkeys(names, "x"))
    assert done.returncode == 0, done.stderr


def test_production_goes_by_https_and_health_does_not() -> None:
    code = """
import django; django.setup()
from django.test import Client
client = Client(headers={"host": "shop.example"})
print(client.get("/login/").status_code, client.get("/login/")["Location"])
print(Client(headers={"host": "127.0.0.1"}).get("/healthz").status_code)
secure = client.get("/healthz", secure=True)
print(secure["Strict-Transport-Security"], secure["X-Content-Type-Options"], secure["Referrer-Policy"])
print(client.get("/healthz", headers={"host": "evil.example"}, secure=True).status_code)
"""
    done = run(code, LOG_LEVEL="ERROR")
    assert done.stdout.splitlines() == [
        "301 https://shop.example/login/",
        "200",
        "max-age=31536000; includeSubDomains; preload nosniff same-origin",
        "400",
    ], done.stderr


def test_pages_are_closed_by_default_and_policy_is_strict() -> None:
    code = """
import django; django.setup()
from django.conf import settings
from django.test import Client
answer = Client(headers={"host": "shop.example"}).get("/", secure=True)
print(answer.status_code, answer["Location"])
policy = answer["Content-Security-Policy"]
print("unsafe" in policy, "script-src 'self'" in policy, "frame-ancestors 'none'" in policy)
print(settings.SESSION_COOKIE_SECURE, settings.CSRF_COOKIE_SECURE)
"""
    assert run(code).stdout.splitlines() == ["302 /login/?next=/", "False True True", "True True"]


def test_cookies_of_production_are_of_this_host_only() -> None:
    code = """
import django; django.setup()
from django.conf import settings
from analytics.pages.access.preferences import THEME_COOKIE
print(settings.SESSION_COOKIE_NAME, settings.CSRF_COOKIE_NAME, settings.LANGUAGE_COOKIE_NAME, THEME_COOKIE)
for kind in ("SESSION", "CSRF", "LANGUAGE"):
    names = ("SECURE", "DOMAIN", "PATH")
    print(*(getattr(settings, f"{kind}_COOKIE_{name}") for name in names))
"""
    assert run(code).stdout.splitlines() == [
        "__Host-recsite_session __Host-recsite_csrf __Host-django_language __Host-recsite_theme",
        *["True None /"] * 3,
    ]


def test_links_of_e_mails_lead_to_the_configured_address() -> None:
    code = "import recsite.settings as s; print(s.PUBLIC_URL)"
    assert run(code).stdout.split() == ["https://shop.example"]
    assert run(code, PUBLIC_URL="https://recsite.example:8443/").stdout.split() == ["https://recsite.example:8443"]


def test_e_mails_of_the_demo_lie_in_its_folder() -> None:
    code = "import recsite.settings as s; print(s.MAILERS['default']['OPTIONS']['file_path'])"
    assert run(code, RECSITE_DEMO="1", EMAIL_URL=None, DATA="/data").stdout.split() == ["/data/mail"]


def test_mail_to_customers_does_not_leave_a_demo_unless_somebody_says_so() -> None:
    code = "import recsite.settings as s; print(s.PUSH_MAIL_SERVER.get('host'))"
    ours, others = "smtp://127.0.0.1:2525", ("smtp://mail.example", "smtps://mail.example", "smtp://127.0.0.1:25")
    for address in others:
        refused = run(code, RECSITE_DEMO="1", PUSH_EMAIL_URL=address, POST_OFFICE=ours)
        assert "mail of a demo goes to its Mailbox" in refused.stderr
        assert "set DEMO_REAL_MAIL=1" in refused.stderr
        assert run(code, RECSITE_DEMO="1", PUSH_EMAIL_URL=address, DEMO_REAL_MAIL="0").returncode == 1
        assert run(code, RECSITE_DEMO="1", PUSH_EMAIL_URL=address, DEMO_REAL_MAIL="1").returncode == 0
        assert run(code, PUSH_EMAIL_URL=address).returncode == 0
    assert run(code, RECSITE_DEMO="1", PUSH_EMAIL_URL=ours, POST_OFFICE=ours).stdout.split() == ["127.0.0.1"]
    assert run(code, RECSITE_DEMO="1").stdout.split() == ["None"]


def test_mail_to_customers_goes_by_a_service_that_is_installed_and_known() -> None:
    code = "import recsite.settings as s; print(s.PUSH_MAIL_SERVER)"
    service = "anymail+mailgun://?api_key=a%2Bb&sender_domain=shop.example"
    options = {"api_key": "a+b", "sender_domain": "shop.example"}
    assert literal_eval(run(code, PUSH_EMAIL_URL=service).stdout) == {"provider": "mailgun", "options": options}
    missing = run(f"import sys; sys.modules['anymail'] = None; {code}", PUSH_EMAIL_URL=service)
    assert "install Recsite with its extra “esp”" in missing.stderr
    check = "import django; django.setup(); from django.core.management import call_command; call_command('check')"
    assert "recsite.E002" in run(check, PUSH_EMAIL_URL="anymail+pigeon://?api_key=a").stderr
    brevo = "anymail+brevo://?api_key=a"
    cases = {
        (service, ""): [],
        ("anymail+mailgun://", ""): ["recsite.E002"],
        ("anymail+mailgun://?api_key=a&sender_domian=b", ""): ["recsite.E002"],
        (brevo, "word"): ["recsite.E003"],
        (brevo, "hook:word"): [],
    }
    code = f"""
import os, django; django.setup()
from django.conf import settings
from django.core.checks import run_checks
from recsite import env
for os.environ["PUSH_EMAIL_URL"], secret in {list(cases)}:
    settings.PUSH_MAIL_SERVER, settings.PUSH_HOOK_SECRET = env.mail_server("PUSH_EMAIL_URL"), secret
    print([message.id for message in run_checks(tags=["compatibility"])])
"""  # a process for all of them: to begin one takes seconds
    assert [literal_eval(line) for line in run(code).stdout.splitlines()] == list(cases.values())


def test_the_demo_is_switched_on_by_its_variable_and_has_no_https() -> None:
    code = "import recsite.settings as s; print(s.DEMO, s.SECURE_SSL_REDIRECT, s.SECURE_HSTS_SECONDS)"
    assert run(code, RECSITE_DEMO="1").stdout.split() == ["True", "False", "0"]


def test_a_shop_without_the_demo_has_no_command_page_or_task_of_it() -> None:
    code = """
import django; django.setup()
from django.apps import apps
from django.core.management import get_commands
from django.urls import NoReverseMatch, reverse
from recsite.celery import app
print(apps.is_installed("demo"), {"demo", "load_complete_journey"} & set(get_commands()))
print([entry["task"] for entry in app.conf.beat_schedule.values() if "replay" in entry["task"]])
try:
    print(reverse("replay_progress"))
except NoReverseMatch:
    print("no page")
try:
    print(reverse("mailbox"))
except NoReverseMatch:
    print("no mailbox")
"""
    assert run(code).stdout.splitlines() == ["False set()", "[]", "no page", "no mailbox"]


def test_pictures_come_from_the_hosts_that_are_named_and_from_nowhere_else() -> None:
    code = "from recsite.settings import SECURE_CSP; print(SECURE_CSP['img-src'][-1], len(SECURE_CSP['img-src']))"
    assert run(code, PICTURE_HOSTS="https://cdn.example.com").stdout.split() == ["https://cdn.example.com", "4"]
    assert run(code).stdout.split() == ["blob:", "3"]
    for host in ("https://cdn.example.com/i", "cdn.example.com; script-src *", "'self'", "data:"):
        assert "is not a host" in run(code, PICTURE_HOSTS=host).stderr


@pytest.mark.parametrize(
    ("address", "told"),
    [
        ("smtp://ann:p%40ss@mail.example", "mail.example 587 ann p@ss False True"),
        ("smtps://mail.example:1465", "mail.example 1465 True False"),
    ],
)
def test_the_address_of_e_mail_sets_the_mailer(address: str, told: str) -> None:
    code = """
from recsite.settings import MAILERS
options = MAILERS["default"]["OPTIONS"]
print(*(
    options[name] for name in ("host", "port", "username", "password", "use_ssl", "use_tls") if options[name] != ""
))
"""
    done = run(code, EMAIL_URL=address)
    assert done.stdout.strip() == told, done.stderr


def test_a_malformed_address_of_e_mail_is_refused() -> None:
    told = run("import recsite.settings", EMAIL_URL="mail").stderr
    assert "EMAIL_URL must be console://, file:///folder" in told


def test_every_process_may_open_more_files_than_many_systems_begin_with() -> None:
    """A review of several versions maps more than a thousand arrays."""
    code = """if True:
        import resource
        hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        resource.setrlimit(resource.RLIMIT_NOFILE, (256, hard))
        import django
        django.setup()
        print(resource.getrlimit(resource.RLIMIT_NOFILE) == (min(hard, 65536) if hard > 0 else 65536, hard))
    """
    ended = run(code)
    assert (ended.returncode, ended.stdout.strip()) == (0, "True"), ended.stderr


def test_what_a_process_keeps_to_its_end_is_not_looked_through_for_garbage() -> None:
    """It took longer than to load it, at the end of every command."""
    code = """
import gc, django
before = gc.get_freeze_count()
django.setup()
print(gc.get_freeze_count() - before > 10_000, gc.isenabled())
"""
    assert run(code).stdout.split() == ["True", "True"]


@pytest.mark.parametrize(
    "changes",
    [
        {"DATABASE_URL": "postgresql:///recsite", "REDIS_URL": "redis://localhost/0"},
        {"DATABASE_URL": "postgresql://recsite@/recsite?host=/run/pg", "REDIS_URL": "redis://127.0.0.1/0"},
        {"DATABASE_URL": "postgresql://recsite@127.0.0.1,[::1]/recsite", "REDIS_URL": "redis://[::1]:6379/0"},
        {"DATABASE_URL": "postgresql://recsite@db/recsite?sslmode=verify-ca"},
        {"DATABASE_URL": "postgresql://db/recsite", "REDIS_URL": "redis://cache/0", "INNER_NETWORK": "1"},
        {"DATABASE_URL": "postgresql://db/recsite", "REDIS_URL": "redis://cache/0", "RECSITE_DEMO": "1"},
        {"PGSSLMODE": "verify-full", "DATABASE_URL": "postgresql://db/recsite"},
        {"PSEUDONYM_KEYS": f"{PRODUCTION['PSEUDONYM_KEY']}\n{'n' * 32}\n", "PSEUDONYM_KEY": None},
    ],
)
def test_servers_of_this_machine_and_proven_ones_are_taken(changes: dict[str, str | None]) -> None:
    done = run("from recsite import settings; print(len(settings.PSEUDONYM_KEYS))", **changes)
    assert (done.returncode, done.stdout.strip()) == (0, "2" if "PSEUDONYM_KEYS" in changes else "1"), done.stderr
