"""``manage.py remove_second_factor EMAIL``: for the only admin, who has lost the phone and the recovery codes."""

from argparse import ArgumentParser
from typing import Any

from django.core.management import BaseCommand, CommandError

from recommendations.models import Staff
from recommendations.services.access import second_factor


class Command(BaseCommand):
    help = "Take the second factor of a member of staff away and end their sessions. Admins do it under Admin, Staff."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("email")

    def handle(self, *, email: str, **_options: Any) -> None:
        staff = Staff.objects.filter(email__iexact=email).first()
        if staff is None:
            raise CommandError(f"Nobody has the address {email}.")
        removed = second_factor.remove(staff=staff, by=None)
        self.stdout.write(f"{staff.email}: {'the second factor is gone' if removed else 'there was no second factor'}")
