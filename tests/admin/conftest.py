"""Staff of each role, signed in to the admin."""

from collections.abc import Callable

import pytest
from django.test import Client

from recommendations.models import Staff
from recommendations.terms import Role


@pytest.fixture
def signed_in(db: None) -> Callable[[Role], Client]:
    def make(role: Role = Role.ADMIN) -> Client:
        client = Client()
        staff = Staff.objects.create_user(f"{role}@example.com", "a long password", role=role)
        client.force_login(staff, backend="django.contrib.auth.backends.ModelBackend")
        return client

    return make


@pytest.fixture
def admin(signed_in: Callable[[Role], Client]) -> Client:
    return signed_in(Role.ADMIN)
