"""Other libraries on the bench's split, each in an environment of its own (``README.md``).

The bench calls ``peers.peer_answers(part, task)``, which gives a ``PeerAnswer`` per model as each is done: its name
and either an ``Answer`` (``ranked`` [users with truth, 20], ``fit_s``, ``score_s``, ``peak_mb``) or the reason why
there is none. ``exchange`` is all that both sides share; the ``run_*`` programs belong to the other side: they run on
the peer's own Python and import nothing of the product. ``python -m bench.peers`` prints the peers alone.
"""
