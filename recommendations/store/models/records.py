"""Candidate records of a cut: written block by block as they are made, and mapped where they are read.

The live cut has a record for everybody and a last one for a stranger; the two others, from which nobody is served, for
customers whose truth is known, and the stranger.
"""

from collections.abc import Iterable, Mapping
from contextlib import ExitStack

import numpy as np
from django.db import transaction
from django.db.models import Sum

from recommendations.engine.ids import IdMap
from recommendations.engine.ranking.candidates import Candidates
from recommendations.models import Artefact, ModelVersion
from recommendations.store.models.array_files import ArrayFile
from recommendations.store.models.artefacts import forget_arrays_called, load_arrays, write_array
from recommendations.terms import BlendName, Cut

FOLDER = "candidates"
PARTS = ("items", "z", "own")
USERS, ASKED = "ids/users", f"{FOLDER}/users"


def save_candidates(
    version: ModelVersion, cut: Cut, blocks: Iterable[Mapping[BlendName, Candidates]], *, n_records: int
) -> None:
    """Save records that come in consecutive blocks of one or more blends, ``n_records`` in all.

    They take the place of those that the cut has of these blends once the last block is there; those may be what the
    blocks are made of.
    """
    files: dict[str, ArrayFile] = {}
    instances: dict[str, tuple[str, ...]] = {}
    with ExitStack() as opened:
        for block in blocks:
            for blend, records in block.items():
                instances[f"{FOLDER}/{blend}/instances"] = records.instances
                for part in PARTS:
                    name = f"{FOLDER}/{blend}/{part}"
                    if name not in files:
                        files[name] = opened.enter_context(ArrayFile(version, cut, name, n_rows=n_records))
                    files[name].append(getattr(records, part))
        with transaction.atomic():
            forget_arrays_called(version, cut, [*files, *instances])
            rows = [file.finish() for file in files.values()]
            rows += [write_array(version, cut, name, np.array(names)) for name, names in instances.items()]
            Artefact.objects.bulk_create(rows)


def load_candidates(version_id: int, cut: Cut) -> dict[BlendName, Candidates]:
    """The records of a cut by blend; they stay on disk until they are touched."""
    arrays = load_arrays(version_id, cut, prefix=(f"{FOLDER}/", USERS))
    present = {name.split("/")[1] for name in arrays if name.endswith("/instances")}
    asked = IdMap(ids=np.append(arrays[ASKED], len(arrays[USERS]))) if ASKED in arrays else None
    return {
        BlendName(blend): Candidates(
            instances=tuple(str(name) for name in arrays[f"{FOLDER}/{blend}/instances"]),
            asked=asked,
            **{part: arrays[f"{FOLDER}/{blend}/{part}"] for part in PARTS},
        )
        for blend in sorted(present)
    }


def stored_bytes(version_id: int, cut: Cut) -> int:
    """Bytes that the records of a cut take."""
    rows = Artefact.objects.filter(version=version_id, cut=cut, name__startswith=f"{FOLDER}/")
    size: int = rows.aggregate(size=Sum("size"))["size"] or 0
    return size
