"""Hashing of passwords, one at a time: it takes a third of a second, and must not keep the threads from answers."""

import threading

from django.contrib.auth.hashers import PBKDF2PasswordHasher

PATIENCE = 3.0  # seconds
_hashing = threading.BoundedSemaphore(1)
_waiting = threading.BoundedSemaphore(1)


class HashingBusyError(Exception):
    """Somebody waits for a password to be hashed already; another one is to try again in a moment."""


class OneAtATime(PBKDF2PasswordHasher):
    """Django's hasher within a budget: of each process's threads one hashes, one waits, and none else is held."""

    def encode(self, password: str, salt: str, iterations: int | None = None) -> str:
        """Hash a password. Raises HashingBusyError."""
        if not _waiting.acquire(blocking=False):
            raise HashingBusyError
        try:
            if not _hashing.acquire(timeout=PATIENCE):
                raise HashingBusyError
        finally:
            _waiting.release()
        try:
            return super().encode(password, salt, iterations)
        finally:
            _hashing.release()
