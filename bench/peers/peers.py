"""Peers asked through files: their environments are made here on demand, their lists are judged by our own metrics."""

import hashlib
import logging
import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from bench.peers.exchange import Answer, Purchases, Question, read_answer, write_question
from bench.peers.models import PEERS, PYTHON, Peer
from bench.ranking.complete_journey import Part
from recommendations.engine.evaluation.accuracy import LENGTH
from recommendations.terms import Task

ROOT = Path(__file__).resolve().parents[2]
LOCKS = Path(__file__).resolve().parent / "requirements"
ENVIRONMENTS = ROOT / ".venv-peers"
TIME_LIMIT = 1800.0  # seconds for one model on one task
MAKING_LIMIT = 1800.0  # seconds for one environment, its download included
THREADS = "2"
LOG = logging.getLogger(__name__)


class PeerFailedError(RuntimeError):
    """A peer gave no lists; the message says why, in one line."""


@dataclass(frozen=True, kw_only=True, eq=False)
class PeerAnswer:
    """Outcome of one peer. Without an answer ``reason`` says why, and the bench goes on."""

    name: str
    answer: Answer | None = None
    reason: str = ""


def peer_answers(part: Part, task: Task, *, peers: Sequence[Peer] = PEERS) -> Iterator[PeerAnswer]:
    """Yield the answer of each peer that has settings for the task, as each is done.

    The lists [users, 20] are of ``part.truths[task].users``, in that order, as ``judge`` wants them.
    """
    for peer in peers:
        if task not in peer.settings:
            continue
        try:
            yield PeerAnswer(name=peer.name, answer=ranked(peer, part, task))
        except PeerFailedError as failed:
            yield PeerAnswer(name=peer.name, reason=str(failed))


def ranked(peer: Peer, part: Part, task: Task, *, limit: float = TIME_LIMIT) -> Answer:
    """The lists of the task's users, made by the peer in its own environment, which is made first if need be."""
    python = environment(peer.library)
    return asked([str(python), "-m", f"bench.peers.run_{peer.library}"], question(peer, part, task), limit=limit)


def question(peer: Peer, part: Part, task: Task, *, seed: int = 0) -> Question:
    acts = part.snapshot.training.interactions
    bought = acts.where(acts.bought)
    return Question(
        purchases=Purchases(
            user=bought.user,
            item=bought.item,
            basket=bought.basket,
            day=part.cut - bought.age.astype(np.float64),
            quantity=bought.quantity,
            until=part.cut,
        ),
        task=task.value,
        users=part.truths[task].users,
        k=LENGTH,
        exclude_seen=task is Task.DISCOVER,
        n_users=acts.n_users,
        n_items=acts.n_items,
        model=peer.model,
        settings=peer.settings[task],
        seed=seed,
    )


def asked(argv: Sequence[str], task: Question, *, limit: float) -> Answer:
    """Run a peer's program on a folder of its own and read what it wrote; ``PeerFailedError`` without an answer."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        write_question(folder, task)
        _run([*argv, name], limit=limit)
        try:
            answer = read_answer(folder)
        except (OSError, KeyError, ValueError) as unreadable:
            raise PeerFailedError(f"no answer could be read: {unreadable}") from unreadable
    if answer.ranked.shape != (len(task.users), task.k):
        raise PeerFailedError(f"lists of shape {answer.ranked.shape}, asked for {(len(task.users), task.k)}")
    if not ((answer.ranked >= -1) & (answer.ranked < task.n_items)).all():
        raise PeerFailedError("lists name items that the shop does not have")
    return answer


def environment(library: str, *, under: Path = ENVIRONMENTS) -> Path:
    """The Python of a library's environment; made if it is not there or its lock has changed."""
    lock = LOCKS / f"{library}.txt"
    made_from = hashlib.sha256(lock.read_bytes()).hexdigest()
    home = under / library
    python, stamp = home / "bin" / "python", home / "lock.sha256"
    if python.exists() and stamp.exists() and stamp.read_text(encoding="utf-8") == made_from:
        return python
    uv = shutil.which("uv") or str(ROOT / ".uv" / "bin" / "uv")
    LOG.info("making the environment of %s (once)", library)
    _run([uv, "venv", "--quiet", "--clear", "--python", PYTHON[library], str(home)], limit=MAKING_LIMIT)
    sync = [uv, "pip", "sync", "--quiet", "--python", str(python), "--require-hashes", "--only-binary", ":all:"]
    _run([*sync, str(lock)], limit=MAKING_LIMIT)
    stamp.write_text(made_from, encoding="utf-8")
    return python


def _run(argv: Sequence[str], *, limit: float) -> None:
    """Run quietly at the repository's root; ``PeerFailedError`` with the last words if it does not end well in time."""
    name = " ".join(Path(word).name for word in argv[:3])
    try:
        done = subprocess.run(
            argv, cwd=ROOT, env=_variables(), capture_output=True, text=True, timeout=limit, check=False
        )
    except subprocess.TimeoutExpired:
        raise PeerFailedError(f"{name}: not done within {limit:g} s") from None
    except OSError as missing:
        raise PeerFailedError(f"{name}: {missing}") from missing
    if done.returncode:
        words = [line.strip() for line in done.stderr.splitlines() if line.strip()]
        raise PeerFailedError(f"{name}: exit {done.returncode}: {words[-1] if words else 'without a word'}")


def _variables() -> dict[str, str]:
    """Environment variables of the caller, with the threads of each library's own pool limited."""
    pools = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "RAYON_NUM_THREADS", "NUMBA_NUM_THREADS")
    return {"UV_SYSTEM_CERTS": "1", **os.environ, **dict.fromkeys(pools, THREADS), "OMP_WAIT_POLICY": "PASSIVE"}
