"""Staff: the people who use the dashboard. They sign in with an e-mail address."""

from importlib import import_module
from typing import Any, ClassVar

from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.contrib.sessions.backends.base import SessionBase
from django.contrib.sessions.base_session import AbstractBaseSession
from django.db import models
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext_lazy as _
from django_otp.plugins.otp_totp.models import TOTPDevice

from recommendations import terms
from recommendations.wording import labels


class StaffManager(BaseUserManager["Staff"]):
    def create_user(self, email: str, password: str | None = None, **fields: Any) -> "Staff":
        """Create staff; at first they read the shop's language, unless ``fields`` names another."""
        staff = self.model(email=self.normalize_email(email).lower(), **{"language": settings.SHOP_LANGUAGE, **fields})
        staff.set_password(password)
        staff.save(using=self._db)
        return staff

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> "Staff":
        return self.create_user(email, password, is_superuser=True, role=terms.Role.ADMIN, **fields)

    def get_by_natural_key(self, username: str | None) -> "Staff":
        return self.get(email__iexact=username)


class Staff(AbstractBaseUser, PermissionsMixin):
    class Theme(models.TextChoices):
        AUTO = "auto", _("As the system")
        LIGHT = "light", _("Light")
        DARK = "dark", _("Dark")

    email = models.EmailField(_("e-mail address"))
    name = models.CharField(_("name"), max_length=150, blank=True)
    role = models.CharField(_("role"), max_length=20, choices=labels.ROLES, default=terms.Role.VIEWER)
    language = models.CharField(_("language"), max_length=10, default="en")
    theme = models.CharField(_("theme"), max_length=5, choices=Theme, default=Theme.AUTO)
    time_zone = models.CharField(_("time zone"), max_length=64, blank=True, help_text=_("Empty: the shop's."))
    is_active = models.BooleanField(_("active"), default=True)
    tour_ended_at = models.DateTimeField(_("tour seen, or left"), null=True, blank=True)
    joined_at = models.DateTimeField(_("joined"), default=timezone.now)

    objects: ClassVar[StaffManager] = StaffManager()

    EMAIL_FIELD = "email"
    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        verbose_name = _("staff member")
        verbose_name_plural = _("staff")
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(Lower("email"), name="staff_email_once_in_any_case"),
        ]

    def __str__(self) -> str:
        """The name that colleagues read; of an address only what stands before the @."""
        return self.name or self.email.partition("@")[0]

    @property
    def is_staff(self) -> bool:
        """Whether a staff member may open the Django admin: those who look after the catalogue, and admins."""
        return self.is_active and self.role in {terms.Role.CATALOGUE_ADMIN, terms.Role.ADMIN}


class AuthenticatorApp(TOTPDevice):
    """App on a phone that makes the codes of the second factor (TOTP, RFC 6238).

    Its key is made of the stored seed and of ``SECRET_KEY``: who has a copy of the database cannot make codes.
    """

    class Meta:
        proxy = True
        verbose_name = _("authenticator app")
        verbose_name_plural = _("authenticator apps")

    @property
    def bin_key(self) -> bytes:
        return salted_hmac("authenticator-app", self.key, algorithm="sha256").digest()[:20]


class StaffSession(AbstractBaseSession):
    """Session of one browser; ``staff`` is empty until somebody signs in."""

    staff = models.ForeignKey(
        Staff, models.CASCADE, null=True, blank=True, related_name="sessions", verbose_name=_("staff member")
    )
    browser = models.CharField(_("browser"), max_length=100, blank=True)
    address = models.GenericIPAddressField(_("address"), null=True, blank=True)
    signed_in_at = models.DateTimeField(_("signed in"), null=True, blank=True)
    last_seen_at = models.DateTimeField(_("last seen"), default=timezone.now)

    class Meta:
        verbose_name = _("session")
        verbose_name_plural = _("sessions")

    @classmethod
    def get_session_store_class(cls) -> type[SessionBase]:
        store: type[SessionBase] = import_module(settings.SESSION_ENGINE).SessionStore
        return store
