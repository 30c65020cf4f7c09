"""Addresses of the dashboard; filters are plain query parameters, so that every view can be linked to."""

from django.contrib.auth.views import LogoutView
from django.urls import path

from analytics.pages import login, overview, preferences

urlpatterns = [
    path("", overview.overview, name="overview"),
    path("login/", login.Login.as_view(), name="login"),
    path("logout/", LogoutView.as_view(), name="logout"),
    path("preferences/", preferences.preferences, name="preferences"),
]
