"""Staff of every role, signed in."""

from collections.abc import Callable

import pytest
from django.test import Client

from recommendations.models import Staff
from recommendations.terms import Role

MODEL_BACKEND = "django.contrib.auth.backends.ModelBackend"


@pytest.fixture
def client_of() -> Callable[[Role], Client]:
    """A client in which a staff member of the role is signed in."""

    def make(role: Role) -> Client:
        staff = Staff.objects.create_user(f"{role}@example.com", "correct horse", role=role, name=f"The {role}")
        client = Client()
        client.force_login(staff, backend=MODEL_BACKEND)
        return client

    return make


@pytest.fixture
def admin(client_of: Callable[[Role], Client]) -> Client:
    return client_of(Role.ADMIN)
