"""Settings of one install = one shop, read top to bottom. docs/settings.md lists every variable of the environment.

``RECSITE_DEMO`` is set by ``python -m recsite.embedded`` (``make demo``, ``make test``): plain http on this machine,
secrets made on the spot. Everything else is production, where secrets are required and http is sent on to https.
"""

import logging.config
import tomllib
from datetime import timedelta
from pathlib import Path
from zoneinfo import available_timezones

import structlog
from django.core.exceptions import ImproperlyConfigured
from django.utils.csp import CSP
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from redis.backoff import NoBackoff
from redis.retry import Retry

from recommendations.domains.protocol import DomainName
from recommendations.terms import Trust
from recsite import details, env, privacy_settings, wire
from recsite.engine_settings import *  # noqa: F403
from recsite.privacy_settings import *  # noqa: F403

BASE_DIR = Path(__file__).resolve().parent.parent
VERSION = tomllib.loads((BASE_DIR / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]

# --- What this install is

DEMO = env.flag("RECSITE_DEMO", default=False)
DEBUG = env.flag("DEBUG", default=False)
DATA = env.folder("DATA", default=BASE_DIR / ".local")

LANGUAGES = [("en", _("English")), ("zh-hans", _("Simplified Chinese"))]
SHOP_NAME = env.text("SHOP_NAME", default="Recsite")
SHOP_CURRENCY = env.text("SHOP_CURRENCY", default="USD")
SHOP_TIME_ZONE = env.choice("SHOP_TIME_ZONE", among=available_timezones(), default="UTC")
SHOP_DOMAIN = env.choice("SHOP_DOMAIN", among=list(DomainName), default=DomainName.GOODS)
SHOP_LANGUAGE = env.choice("SHOP_LANGUAGE", among=[code for code, _name in LANGUAGES], default="en")
_purchases_from = env.choice("PURCHASES_FROM", among=["server", "pages"], default="server")
PURCHASES_FROM = Trust.PAGE if _purchases_from == "pages" else Trust.SERVER
if not (len(SHOP_CURRENCY) == 3 and SHOP_CURRENCY.isascii() and SHOP_CURRENCY.isupper()):
    raise ImproperlyConfigured(f"SHOP_CURRENCY={SHOP_CURRENCY!r} is not an ISO 4217 code such as USD or EUR.")

# --- The feed of items: a file, a folder or an address, looked at every so many hours; who embeds their texts

ITEM_FEED = env.secret("ITEM_FEED", shortest=1, default="")  # an address may hold a password
ITEM_FEED_HOURS = env.integer("ITEM_FEED_HOURS", default=24, at_least=1)
ITEM_FEED_FULL = env.flag("ITEM_FEED_FULL", default=False)
ITEM_FEED_MAP = env.pairs("ITEM_FEED_MAP")
EMBEDDING_URL, EMBEDDING_MODEL = env.service("EMBEDDING_URL", model="EMBEDDING_MODEL")
EMBEDDING_KEY = env.secret("EMBEDDING_KEY", shortest=1, default="")
EMBEDDING_PER_RUN = env.integer("EMBEDDING_PER_RUN", default=5_000, at_least=1)
PICTURES_PER_RUN = env.integer("PICTURES_PER_RUN", default=5_000, at_least=0)

# --- Secrets

SECRET_KEY = env.secret("SECRET_KEY", shortest=50)
if not DEMO and any(secret.startswith("demo-") for secret in (SECRET_KEY, *privacy_settings.PSEUDONYM_KEYS)):
    raise ImproperlyConfigured("SECRET_KEY or PSEUDONYM_KEY comes from the demo; make new ones for production.")
if not DEMO and SECRET_KEY in privacy_settings.PSEUDONYM_KEYS:
    raise ImproperlyConfigured("SECRET_KEY and PSEUDONYM_KEY must differ: one may be changed, the other must not.")

# Push: the first seals or signs, all of them open. Without these nobody can be written to, and the pages say so.
CONTACT_KEYS = env.secrets("CONTACT_KEYS", shortest=32)
CONTACT_HASH_KEY = env.secret("CONTACT_HASH_KEY", shortest=32, default="")
LINK_KEYS = env.secrets("LINK_KEYS", shortest=32)
VAPID_KEY = env.vapid_key("VAPID_KEY")  # signs for push services; browsers subscribe under its public half
DOUBLE_OPT_IN = env.flag("DOUBLE_OPT_IN", default=True)

# --- Applications

INSTALLED_APPS = [
    "recsite",
    "recommendations",
    "analytics",
    "recsite.apps.AdminConfig",  # Django's, with our site
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "django.contrib.humanize",
    "rest_framework",
    "drf_spectacular",
    "axes",
    "django_otp",
    "django_otp.plugins.otp_static",
    "django_otp.plugins.otp_totp",
    "django_htmx",
    "django_structlog",
]
# What an app that not every shop installs adds to the dashboard: sections of the rail (the name of the page, its icon
# and title), cards above the list of runs, and queries that find something while events of days gone by come in.
MORE_SECTIONS: list[tuple[str, str, Promise]] = []
RUN_CARDS: list[str] = []
CATCHING_UP: list[str] = []
if DEMO:
    INSTALLED_APPS.append("demo")
    MORE_SECTIONS.append(("mailbox", "mail", _("Mailbox")))
    RUN_CARDS.append("demo.pages.card")
    CATCHING_UP.append("demo.replay.going_on")
MIDDLEWARE = [
    "recsite.timing.RequestTiming",
    "recsite.of_api.ApiHeaders",
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.csp.ContentSecurityPolicyMiddleware",
    "recsite.lanes.Lanes",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "recsite.of_pages.Compression",
    "recsite.of_pages.Headers",
    "recsite.of_pages.Sessions",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "recsite.of_pages.Authentication",
    "django_htmx.middleware.HtmxMiddleware",
    "analytics.pages.failure.Busy",
    "analytics.pages.failure.SentOnly",
    "analytics.pages.access.login.LoginRequired",  # deny by default
    "recsite.logs.RequestLog",
    "recsite.of_pages.Messages",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "axes.middleware.AxesMiddleware",
    "recommendations.api.access.RateHeaders",
]
ROOT_URLCONF = "recsite.urls"
WSGI_APPLICATION = "recsite.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.template.context_processors.tz",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "analytics.pages.layout.frame",
            ],
        },
    }
]

# --- PostgreSQL (the record), Valkey (cache, broker, live state)

_connection, _options = env.database("DATABASE_URL")
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        **_connection,
        "CONN_MAX_AGE": 0,  # the pool keeps connections open, not Django
        "CONN_HEALTH_CHECKS": True,  # a restart of the database fails no request
        "OPTIONS": {
            "connect_timeout": 2,
            **_options,
            "pool": {
                "min_size": 0,
                "max_size": env.integer("DATABASE_POOL", default=8, at_least=1),
                "timeout": 0.8,  # seconds; then a request answers 503, within a second
                "reconnect_timeout": 1,  # else each try waits twice as long, and an outage is felt as long again
            },
        },
    }
}
REDIS_URL, LEAN_VALKEY = env.valkey("REDIS_URL"), env.LEAN_VALKEY
if not (env.flag("INNER_NETWORK", default=False) or DEMO):
    wire.refuse_plain(_connection, _options, valkey=REDIS_URL)
CACHES = {
    "default": {
        "BACKEND": "recommendations.store.live.django_cache.Cache",
        "LOCATION": REDIS_URL,
        "KEY_PREFIX": "cache",
        "OPTIONS": {"socket_connect_timeout": 0.5, "socket_timeout": 1, "retry": Retry(NoBackoff(), 0)} | LEAN_VALKEY,
    }
}

# --- Files

STATIC_URL = "static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
STATICFILES_DIRS = [BASE_DIR / "static"]
WHITENOISE_KEEP_ONLY_HASHED_FILES = True
WHITENOISE_SKIP_COMPRESS_EXTENSIONS = ["map", "png", "jpg", "webp", "woff", "woff2", "gz", "br"]
ARTEFACT_CACHE = env.folder("ARTEFACT_CACHE", default=DATA / "artefact-cache")
_PRIVATE = {"file_permissions_mode": 0o600, "directory_permissions_mode": 0o700}
STORAGES = {
    "default": {
        "BACKEND": "django.core.files.storage.FileSystemStorage",
        "OPTIONS": {"location": DATA / "media", **_PRIVATE},
    },
    "artefacts": env.storage("ARTEFACTS", default=DATA / "artefacts", in_folder=_PRIVATE),
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}

# --- Language and time

LANGUAGE_CODE = SHOP_LANGUAGE
LOCALE_PATHS = [BASE_DIR / "locale" / "domains" / SHOP_DOMAIN, BASE_DIR / "locale"]  # the first that has words for it
TIME_ZONE = SHOP_TIME_ZONE  # days and hours are shown as the shop lives them; PostgreSQL stores UTC
USE_I18N = True
USE_TZ = True

# --- Staff and sessions

AUTH_USER_MODEL = "recommendations.Staff"
SILENCED_SYSTEM_CHECKS = ["auth.W004"]  # an e-mail address is unique in any case: a constraint that the check overlooks
AUTHENTICATION_BACKENDS = ["axes.backends.AxesStandaloneBackend", "django.contrib.auth.backends.ModelBackend"]
PASSWORD_HASHERS = ["recommendations.services.access.hashing.OneAtATime"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "login"
SESSION_ENGINE = "recommendations.services.access.sessions"
SESSION_COOKIE_AGE = 60 * 60 * 24 * 7  # seconds from the login, however busy
ANSWERS_DISK = env.integer("ANSWERS_DISK", default=20, at_least=0) * 10**9
ANSWERS_DAYS = env.integer("ANSWERS_DAYS", default=30, at_least=1)
SESSION_IDLE = timedelta(hours=env.integer("SESSION_IDLE_HOURS", default=8, at_least=1))
SECOND_FACTOR = env.choice("SECOND_FACTOR", among=["optional", "required"], default="optional" if DEMO else "required")
OTP_TOTP_ISSUER = SHOP_NAME
AXES_HANDLER = "recommendations.services.access.attempts.Attempts"
AXES_FAILURE_LIMIT = 5
AXES_COOLOFF_TIME = 0.25  # hours
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]  # nobody can lock somebody else out from elsewhere
AXES_CLIENT_IP_CALLABLE = "recommendations.services.access.addresses.client_network"
AXES_RESET_ON_SUCCESS = True
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False  # it ends when the page says
FAILURES_PER_ADDRESS = 50  # wrong passwords of all accounts together, within the same time
AXES_USERNAME_FORM_FIELD = "username"  # as the login forms call it; by default axes looks for "email", and locks nobody
AXES_USERNAME_CALLABLE = "analytics.pages.access.login.account_of"
AXES_LOCKOUT_TEMPLATE = "registration/login.html"  # says how long to wait
AXES_VERBOSE = False

# --- E-mail: invitations and forgotten passwords; and to customers

# The demo's lie in a folder that only its user can read: their links set passwords.
MAILERS = {"default": env.mailer("EMAIL_URL", default=f"file://{DATA / 'mail'}" if DEMO else None)}
DEFAULT_FROM_EMAIL = env.text("EMAIL_FROM", default="recsite@localhost")
PUSH_MAIL_SERVER = env.mail_server("PUSH_EMAIL_URL")  # to customers
PUSH_HOOK_SECRET = env.text("PUSH_HOOK_SECRET", default="")  # proves events of a mail service
WAITING_LINES = env.integer("WAITING_LINES", default=20_000, at_least=0)  # per key, of events whose items are to come
SHOPIFY_WEBHOOK_SECRET = env.text("SHOPIFY_WEBHOOK_SECRET", default="")  # these prove orders
WOOCOMMERCE_WEBHOOK_SECRET = env.text("WOOCOMMERCE_WEBHOOK_SECRET", default="")
POST_OFFICE = env.text("POST_OFFICE", default="")  # the demo's own; set by recsite.supervisor
DEMO_REAL_MAIL = env.flag("DEMO_REAL_MAIL", default=False)
if DEMO and PUSH_MAIL_SERVER and not DEMO_REAL_MAIL and env.text("PUSH_EMAIL_URL") != POST_OFFICE:
    raise ImproperlyConfigured(
        "PUSH_EMAIL_URL is set, and mail of a demo goes to its Mailbox. Leave it out, or set DEMO_REAL_MAIL=1 as well"
        " if mail is really to leave this machine."
    )
MAILBOX = DATA / "post"  # where the demo's post office writes what it takes
PUSH_FROM = env.text("PUSH_FROM", default="push@shop.example" if DEMO else "")
BOUNCE_DOMAIN = env.text("BOUNCE_DOMAIN", default="")  # mail that comes back goes there, each to its own address
PUSH_EMAIL_PER_MINUTE = env.integer("PUSH_EMAIL_PER_MINUTE", default=600, at_least=1)
PUSH_SERVICE_HOSTS = [host.lower() for host in env.hosts("PUSH_SERVICE_HOSTS")]  # beside those of the browsers' makers
WEBHOOK_HOSTS = env.origins("WEBHOOK_HOSTS")  # inside the shop's own network
POSTAL_ADDRESS = env.text("POSTAL_ADDRESS", default="1 Market Square, Demo Town" if DEMO else "")
FOUR_EYES = env.flag("FOUR_EYES", default=not DEMO)  # who wrote part of a campaign does not approve it
SUBJECT_MARK = env.text("SUBJECT_MARK", default="")
PASSWORD_RESET_TIMEOUT = 60 * 60 * 24 * 3  # seconds that a link works; an invitation's, too

# --- What browsers may do (no inline script, no inline style, no eval)

PICTURE_HOSTS = env.hosts("PICTURE_HOSTS")
SECURE_CSP = {
    "default-src": [CSP.SELF],
    "script-src": [CSP.SELF],
    # The hash is that of the empty <style> which Plotly makes; it then fills it through the CSSOM.
    "style-src": [CSP.SELF, "'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='"],
    "img-src": [CSP.SELF, "data:", "blob:", *PICTURE_HOSTS],
    "object-src": [CSP.NONE],
    "base-uri": [CSP.SELF],
    "form-action": [CSP.SELF],
    "frame-ancestors": [CSP.NONE],
}
X_FRAME_OPTIONS = "DENY"

# --- Who may reach us and how

PAGES_URL = env.text("PAGES_URL", default="")  # of the process that makes pages in this one's place
ALLOWED_HOSTS = [*env.words("ALLOWED_HOSTS", default="localhost"), "127.0.0.1"]  # the latter for the health check
PUBLIC_URL = env.web_address(
    "PUBLIC_URL", default="http://127.0.0.1:8000" if DEMO else f"https://{ALLOWED_HOSTS[0]}", plain=DEMO
)
SHOP_URL = env.web_address("SHOP_URL", default=PUBLIC_URL, plain=DEMO)  # where messages lead
SHOP_HOSTS = env.words("SHOP_HOSTS")
CSRF_TRUSTED_ORIGINS = env.words("CSRF_TRUSTED_ORIGINS")
BEHIND_PROXY = env.flag("BEHIND_PROXY", default=False)
if BEHIND_PROXY:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_SSL_REDIRECT = SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = LANGUAGE_COOKIE_SECURE = not DEMO
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$"]
SECURE_HSTS_SECONDS = 0 if DEMO else 60 * 60 * 24 * 365
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = not DEMO
# Browsers take a cookie of such a name from this host by https only, so none next to it can set one.
COOKIE_PREFIX = "" if DEMO else "__Host-"
SESSION_COOKIE_NAME = f"{COOKIE_PREFIX}recsite_session"
CSRF_COOKIE_NAME = f"{COOKIE_PREFIX}recsite_csrf"
LANGUAGE_COOKIE_NAME = f"{COOKIE_PREFIX}django_language"
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"  # in no cookie of its own
DATA_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024  # the API's limit of a body

# --- API

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["recommendations.api.access.ApiKeyAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["recommendations.api.access.HasScope"],
    "DEFAULT_THROTTLE_CLASSES": ["recommendations.api.access.KeyRate"],
    "DEFAULT_PARSER_CLASSES": ["recommendations.api.parsing.Json"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_SCHEMA_CLASS": "recommendations.api.schema.ScopedSchema",
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "recommendations.api.http.negotiation.Negotiation",
    "EXCEPTION_HANDLER": "recommendations.api.errors.problem_handler",
    "COERCE_DECIMAL_TO_STRING": True,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Recsite",
    "DESCRIPTION": "The storefront API: events in, recommendations out. Errors are problems as RFC 9457 has them.",
    "VERSION": "1",
    "OAS_VERSION": "3.1.0",
    "SERVERS": [{"url": "/", "description": "This installation"}],
    "TAGS": [
        {"name": "events", "description": "What customers do"},
        {"name": "recommendations", "description": "What to show them"},
        {"name": "catalogue", "description": "What is for sale"},
        {"name": "customers", "description": "Who they are"},
        {"name": "privacy", "description": "What they may ask of the shop"},
        {"name": "review", "description": "What was served, and what came of it"},
        {"name": "operations", "description": "How the installation does"},
    ],
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "POSTPROCESSING_HOOKS": ["recommendations.api.schema.complete"],
    "PATH_CONVERTER_OVERRIDES": {"shop_id": str},
}

# --- Logs: one JSON object a line, with the request id that follows into tasks; no personal data

LOG_LEVEL = env.choice("LOG_LEVEL", among=["DEBUG", "INFO", "WARNING", "ERROR"], default="INFO")
DJANGO_STRUCTLOG_CELERY_ENABLED = True
DJANGO_STRUCTLOG_TRUST_UPSTREAM_REQUEST_ID = True  # ApiHeaders has seen to it that it is plain
DJANGO_STRUCTLOG_IP_LOGGING_ENABLED = False
DJANGO_STRUCTLOG_STATUS_START_LOG_LEVEL = logging.DEBUG
DJANGO_STRUCTLOG_CELERY_TASK_START_LOG_LEVEL = logging.DEBUG
DJANGO_STRUCTLOG_CELERY_TASK_SUCCESS_LOG_LEVEL = logging.DEBUG  # one comes every second
_steps: list[structlog.typing.Processor] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
]
structlog.configure(
    processors=[
        structlog.stdlib.filter_by_level,
        *_steps,
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
    ],
    logger_factory=structlog.stdlib.LoggerFactory(),
    cache_logger_on_first_use=True,
)
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "json": {
            "()": structlog.stdlib.ProcessorFormatter,
            "foreign_pre_chain": _steps,
            "processors": [
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                details.say_error,
                structlog.processors.JSONRenderer(),
            ],
        }
    },
    "filters": {"without_address": {"()": "recsite.logs.WithoutAddress"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "json", "filters": ["without_address"]}},
    "root": {"handlers": ["console"], "level": LOG_LEVEL},
    "loggers": {name: {"handlers": [], "propagate": True} for name in ("django", "django.server")},
}

env.refuse_unasked(*env.OURS)
