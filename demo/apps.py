"""The Django app that only a demo installs."""

from django.apps import AppConfig


class DemoConfig(AppConfig):
    name = "demo"
