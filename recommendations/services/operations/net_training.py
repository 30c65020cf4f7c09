"""Training of the transformer's nets on the cuts of the live version: on demand, and going on after a kill."""

import hashlib
import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field

import numpy as np

from recommendations.engine.frames import FloatArray
from recommendations.engine.preprocess.matrix import TrainingSnapshot
from recommendations.engine.recommenders import net_training
from recommendations.engine.recommenders.net_training import Plan, Training
from recommendations.engine.recommenders.sequence_net import NetShapeError
from recommendations.engine.recommenders.transformer import Transformer
from recommendations.models import ModelVersion
from recommendations.store.advisory_lock import advisory_lock
from recommendations.store.domain import shop_domain
from recommendations.store.models import live_version, model, nets
from recommendations.store.models.nets import KEY, StoredNet
from recommendations.terms import Cut

LOCK = 7_041_983

NETS = KEY
"""Of the shop's settings, where the nets of the cuts stand by their names."""

SHARES: Mapping[Cut, float] = {Cut.TUNING: 0.6, Cut.TEST: 0.2, Cut.LIVE: 0.2}
"""Of the time, by cut, earliest first: a later cut's net goes on from the earlier one's."""

BETWEEN_CHECKPOINTS = 30.0  # seconds


class CannotTrainError(Exception):
    """No net can be trained here; the message says why, and what to do."""


def has_nets() -> bool:
    """Whether the shop's domain has recommenders that a net serves."""
    return Transformer.NAME in shop_domain().extra


def train_nets(
    *, seconds: float, seed: int, plan: Plan, tell: Callable[[Cut, Training], None]
) -> Iterator[tuple[Cut, StoredNet]]:
    """Train a net for each cut of the live version, within ``seconds`` together; yield each when it is stored.

    Raises CannotTrainError.
    """
    with _alone():
        version = _version()
        for cut, share in SHARES.items():
            yield cut, _Work(version, cut, plan=plan, seconds=share * seconds, seed=seed, tell=tell).done()


def _version() -> ModelVersion:
    if not has_nets():
        raise CannotTrainError(
            f"A shop of {shop_domain().name} has no transformer: it is for domains where the order counts, "
            "which are articles, music and video (SHOP_DOMAIN)."
        )
    version = live_version.live_version()
    if version is None:
        raise CannotTrainError("There is no live model yet, whose history a net could learn: run manage.py run_loop.")
    try:
        net_training.torch_library()
    except net_training.TorchUnavailableError as error:
        raise CannotTrainError(str(error)) from error
    return version


@contextmanager
def _alone() -> Iterator[None]:
    with advisory_lock(LOCK) as alone:
        if not alone:
            raise CannotTrainError("A net is being trained elsewhere. Wait for it, or stop it.")
        yield


@dataclass
class _Work:
    """The training of one cut's net; it goes on from a checkpoint of the same work."""

    version: ModelVersion
    cut: Cut
    plan: Plan = field(kw_only=True)
    seconds: float = field(kw_only=True)
    seed: int = field(kw_only=True)
    tell: Callable[[Cut, Training], None] = field(kw_only=True)
    kept_at: float = field(default_factory=time.monotonic, init=False)

    def done(self) -> StoredNet:
        """Train the net and store it; one that is stored already is left as it is."""
        stored = nets.stored_nets().get(self.cut)
        if stored is not None and stored.digest == self.digest:
            return stored
        snapshot, _ = model.load_snapshot(self.version.pk, self.cut)
        since, before = self._net_before(snapshot)
        try:
            taught = net_training.sequences_of(snapshot.training, self.plan, seed=self.seed, since=since)
            checkpoint = nets.load_checkpoint(self.digest)
            progress = (
                net_training.start(taught, self.plan, seed=self.seed, before=before)
                if checkpoint is None
                else Training.restored(*checkpoint)
            )
            net = net_training.train(
                taught, self.plan, progress, seconds=self.seconds, seed=self.seed, tell=self._heard
            )
        except net_training.TooFewSequencesError as error:
            raise CannotTrainError(str(error)) from error
        return nets.save_net(
            self.cut, net, snapshot.items.ids, until=snapshot.cut, sequences=len(taught.sequences),
            rounds=progress.best_round, reached=progress.best_reached if progress.judged else None,
            seconds=progress.seconds, digest=self.digest,
        )  # fmt: skip

    @property
    def digest(self) -> str:
        settings = asdict(self.plan) | {"threads": None}
        said = [self.version.pk, self.version.edition, self.cut, settings, self.seconds, self.seed]
        return hashlib.sha256(json.dumps(said).encode()).hexdigest()

    def _net_before(self, snapshot: TrainingSnapshot) -> tuple[float, Mapping[str, FloatArray] | None]:
        """The net to go on from, and how many days before the cut its history ends; none where all begins.

        One of this very history has seen all that could be held out to see when to stop.
        """
        try:
            newest = nets.net_at(np.nextafter(snapshot.cut, -np.inf), snapshot.items)
        except (nets.NetDamagedError, NetShapeError):
            newest = None
        return (np.inf, None) if newest is None else (snapshot.cut - newest[0].until, newest[1])

    def _heard(self, progress: Training) -> None:
        self.tell(self.cut, progress)
        if time.monotonic() - self.kept_at >= BETWEEN_CHECKPOINTS:
            arrays, facts = progress.stored()
            nets.save_checkpoint(arrays, digest=self.digest, facts=facts)
            self.kept_at = time.monotonic()


def forget_nets() -> int:
    """Forget all nets, so that the next run has no transformer; how many there were."""
    with _alone():
        return nets.forget_nets()
