"""Addresses of the dashboard; filters are plain query parameters, so that every view can be linked to."""

from django.contrib.auth.views import LogoutView
from django.urls import path

from analytics.pages import (
    activity,
    customer,
    customers,
    login,
    overview,
    password,
    preferences,
    quality,
    runs,
    search,
    verdicts,
)

urlpatterns = [
    path("", overview.overview, name="overview"),
    path("customers/", customers.customers, name="customers"),
    path("customers/random/", customers.random_customer, name="random_customer"),
    path("customers/most-changed/", customers.most_changed, name="most_changed"),
    path("customers/items/", customer.item_suggestions, name="item_suggestions"),
    path("customers/<int:pk>/", customer.customer, name="customer"),
    path("quality/", quality.quality, name="quality"),
    path("quality/wrong/", verdicts.wrong_items, name="wrong_items"),
    path("runs/", runs.runs, name="runs"),
    path("runs/start/", runs.start_run, name="start_run"),
    path("runs/<uuid:pk>/", runs.run, name="run"),
    path("runs/<uuid:pk>/progress/", runs.run_progress, name="run_progress"),
    path("runs/<uuid:pk>/cancel/", runs.cancel_run, name="cancel_run"),
    path("runs/<uuid:pk>/resume/", runs.resume_run, name="resume_run"),
    path("runs/<uuid:pk>/make-live/", runs.make_live, name="make_live"),
    path("activity/", activity.activity, name="activity"),
    path("search/", search.search, name="search"),
    path("login/", login.Login.as_view(), name="login"),
    path("logout/", LogoutView.as_view(), name="logout"),
    path("password/", password.Forgotten.as_view(), name="password_reset"),
    path("password/sent/", password.Sent.as_view(), name="password_reset_done"),
    path("password/<uidb64>/<token>/", password.Choose.as_view(), name="password_reset_confirm"),
    path("preferences/", preferences.preferences, name="preferences"),
]
