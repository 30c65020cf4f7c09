"""``manage.py rotate_pseudonyms``: a layer of the newest of PSEUDONYM_KEYS over every pseudonym that is stored."""

import time
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from recommendations.services.privacy import rotation
from recommendations.services.privacy.sealed import PrivacyKeysMissingError, SealBrokenError


class Command(BaseCommand):
    help = (
        "Hashes every stored pseudonym once more, under the next of PSEUDONYM_KEYS, in one transaction. Add the key at "
        "the end of PSEUDONYM_KEYS and start every program again before; keep all keys afterwards."
    )

    def handle(self, *_args: Any, **_options: Any) -> None:
        began = time.perf_counter()
        try:
            layers = rotation.rotate_pseudonyms()
        except rotation.NextKeyLackingError as error:
            raise CommandError(
                "PSEUDONYM_KEYS has no new key. Put one at its end (in the file: on a line of its own), start web, "
                "workers and beat again with it, and run this again."
            ) from error
        except rotation.ForeignKeysError as error:
            raise CommandError("This database was filled under other keys than PSEUDONYM_KEYS has.") from error
        except rotation.ExperimentsRunError as error:
            raise CommandError(
                f"Experiments draw people by their pseudonyms; stop these first, or wait for their ends: {error}."
            ) from error
        except rotation.WritersGoOnError as error:
            raise CommandError(
                "An import, an erasure or retention was under way all the time; nothing was changed. Run it later."
            ) from error
        except (PrivacyKeysMissingError, SealBrokenError) as error:
            raise CommandError(f"A privacy request that waits does not open: {error}. Nothing was changed.") from error
        seconds = time.perf_counter() - began
        self.stdout.write(f"Pseudonyms have {layers} layers now, after {seconds:.1f} s. Keep all of PSEUDONYM_KEYS.")
