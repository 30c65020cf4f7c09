"""The API's addresses. What is not here is a 404 as problem+json."""

from django.urls import re_path

from recommendations.api.unknown import unknown

urlpatterns = [
    re_path(r"^v1/", unknown, name="unknown-path"),
]
