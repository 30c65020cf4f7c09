"""Settings of what people may ask for and are told: keys, how long backups last, the smallest group, a budget."""

from django.core.exceptions import ImproperlyConfigured

from recsite import env

SHORTEST = 32  # characters


def pseudonym_keys() -> list[str]:
    """Keys of pseudonyms, the oldest first: each later one hashes what the one before made."""
    keys = env.secrets("PSEUDONYM_KEYS", shortest=SHORTEST)
    first = env.secret("PSEUDONYM_KEY", shortest=SHORTEST, default="" if keys else None)
    if first and keys and keys[0] != first:
        raise ImproperlyConfigured("PSEUDONYM_KEY must be the first of PSEUDONYM_KEYS, or be left out.")
    keys = keys or [first]
    if len(set(keys)) < len(keys):
        raise ImproperlyConfigured("PSEUDONYM_KEYS has the same key twice; each must be a new one.")
    return keys


PSEUDONYM_KEYS = pseudonym_keys()
RECEIPT_KEYS = env.seeds("RECEIPT_KEYS")  # the first signs receipts; the public halves of all are shown
EXPORT_KEYS = env.secrets("EXPORT_KEYS", shortest=32)  # the first seals exports and waiting ids, all of them open
SMALLEST_GROUP = env.integer("SMALLEST_GROUP", default=5, at_least=3)  # people of whom others are told a number
PRIVACY_BUDGET = env.integer("PRIVACY_BUDGET", default=13, at_least=0)  # ε of the releases of 365 days; 0: none
BACKUP_DAYS = env.integer("BACKUP_DAYS", default=35, at_least=0)  # after which no copy has what was erased
