"""Where every address leads: API, admin, health, pages for customers, and the dashboard for the rest."""

from django.conf import settings
from django.contrib import admin
from django.urls import include, path

from recommendations.api.metrics import Metrics
from recommendations.public.how_we_recommend import how_we_recommend
from recommendations.public.receipt_keys import receipt_keys
from recommendations.public.releases import public_release
from recsite import health

urlpatterns = [
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("metrics", Metrics.as_view(), name="metrics"),
    path(".well-known/recsite-receipts.json", receipt_keys, name="receipt_keys"),
    path("i18n/", include("django.conf.urls.i18n")),
    path("api/", include("recommendations.api.urls")),
    path("m/", include("recommendations.public.urls")),
    path("how-we-recommend/", how_we_recommend, name="how_we_recommend"),
    path("releases/<uuid:pk>.csv", public_release, name="public_release"),
    path("admin/", admin.site.urls),
    *([path("", include("demo.urls"))] if settings.DEMO else []),
    path("", include("analytics.urls")),
]

handler404 = "analytics.pages.failure.missing"
handler500 = "analytics.pages.failure.failed"
