"""The slates of a process on their way to Valkey."""

from threading import Thread

from recommendations.store.serving.slates import Log


def test_to_send_is_to_wait_for_what_the_thread_is_at() -> None:
    log = Log()
    with log._sending:  # the thread has taken some out, and they are not in Valkey yet
        sender = Thread(target=log.send)
        sender.start()
        sender.join(0.05)
        assert sender.is_alive()
    sender.join(5)
    assert not sender.is_alive()
