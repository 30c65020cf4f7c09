"""Celery tasks: each parses its argument and makes one call."""

from uuid import UUID

from celery import shared_task
from django.utils import timezone

from recommendations.push_terms import Channel
from recommendations.services.access import passwords
from recommendations.services.access.sessions import SessionStore
from recommendations.services.agents import practice as agent_practice
from recommendations.services.agents.guarding import watch_agent as look_at_agent
from recommendations.services.agents.learning import learn_night
from recommendations.services.agents.statements import write_statements
from recommendations.services.audiences.editing import refresh_audiences
from recommendations.services.campaigns import receipt_uploads
from recommendations.services.catalogue import embedding, feed_schedule, files, pictures, uploads
from recommendations.services.contacts import confirmations, own_data
from recommendations.services.experiments import bandits, practice, readings, starting
from recommendations.services.operations import housekeeping, jobs, quarantine
from recommendations.services.privacy import closing, retention, work
from recommendations.services.promises import keeping
from recommendations.services.push import plans, ticks
from recommendations.services.releases import making
from recommendations.services.watches import after_run, judging, luck
from recommendations.services.weights import draft_estimates, suggestions


@shared_task(name="recommendations.tasks.run_loop")
def run_loop(run_id: str) -> str | None:
    return after_run.run_loop(UUID(run_id), clock=timezone.now)


@shared_task(name="recommendations.tasks.start_daily_run")
def start_daily_run() -> None:
    closing.start_daily_run(now=timezone.now())


@shared_task(name="recommendations.tasks.watch_jobs")
def watch_jobs() -> int:
    return len(jobs.watch_jobs(now=timezone.now()))


@shared_task(name="recommendations.tasks.write_slates")
def write_slates() -> int:
    return housekeeping.write_slates()


@shared_task(name="recommendations.tasks.restore_live_state")
def restore_live_state() -> int:
    return housekeeping.restore_live_state()


@shared_task(name="recommendations.tasks.write_source_hours")
def write_source_hours() -> int:
    housekeeping.join_waiting()
    return housekeeping.write_source_hours(now=timezone.now())


@shared_task(name="recommendations.tasks.prepare_partitions")
def prepare_partitions() -> int:
    housekeeping.forget_waiting(now=timezone.now())
    housekeeping.drop_import_tables()
    housekeeping.forget_resting_work(now=timezone.now())
    return housekeeping.prepare_partitions(now=timezone.now())


@shared_task(name="recommendations.tasks.sweep_quarantines")
def sweep_quarantines() -> int:
    return quarantine.sweep()


@shared_task(name="recommendations.tasks.count_audiences")
def count_audiences() -> int:
    return refresh_audiences(now=timezone.now())


@shared_task(name="recommendations.tasks.keep_promises")
def keep_promises() -> int:
    return keeping.keep_promises(now=timezone.now())


@shared_task(name="recommendations.tasks.judge_new_items")
def judge_new_items() -> int:
    return keeping.judge_new_items(now=timezone.now())


@shared_task(name="recommendations.tasks.settle_units")
def settle_units() -> int:
    return readings.settle_units(timezone.now())


@shared_task(name="recommendations.tasks.read_experiments")
def read_experiments() -> int:
    return readings.read_experiments(timezone.now())


@shared_task(name="recommendations.tasks.begin_experiments")
def begin_experiments() -> int:
    return starting.begin_experiments(timezone.now())


@shared_task(name="recommendations.tasks.tick_bandits")
def tick_bandits() -> int:
    return bandits.tick_bandits(timezone.now())


@shared_task(name="recommendations.tasks.judge_rates")
def judge_rates() -> int:
    return judging.judge_rates(timezone.now())


@shared_task(name="recommendations.tasks.measure_luck")
def measure_luck() -> int:
    return luck.measure_luck()


@shared_task(name="recommendations.tasks.decide_pushes")
def decide_pushes() -> int:
    return ticks.decide(now=timezone.now())


@shared_task(name="recommendations.tasks.send_pushes")
def send_pushes(channel: str = Channel.EMAIL) -> int:
    return ticks.send(Channel(channel))


@shared_task(name="recommendations.tasks.settle_pushes")
def settle_pushes() -> int:
    return ticks.settle(now=timezone.now())


@shared_task(name="recommendations.tasks.teach_agent")
def teach_agent() -> str | None:
    now = timezone.now()
    version = learn_night(now=now)
    write_statements(now=now)
    return version.digest if version else None


@shared_task(name="recommendations.tasks.watch_agent")
def watch_agent() -> int:
    return look_at_agent(now=timezone.now())


@shared_task(name="recommendations.tasks.practise_agent")
def practise_agent(key: str) -> str | None:
    return agent_practice.work(UUID(key))


@shared_task(name="recommendations.tasks.plan_sending")
def plan_sending(key: str) -> str | None:
    return plans.make_plan(UUID(key))


@shared_task(name="recommendations.tasks.send_confirmations")
def send_confirmations() -> int:
    return confirmations.send_waiting(now=timezone.now())


@shared_task(name="recommendations.tasks.search_weights")
def search_weights(key: str) -> str | None:
    return suggestions.search(UUID(key))


@shared_task(name="recommendations.tasks.estimate_draft")
def estimate_draft(key: str) -> str | None:
    return draft_estimates.estimate(UUID(key))


@shared_task(name="recommendations.tasks.practise")
def practise(key: str) -> str | None:
    return practice.work(UUID(key))


@shared_task(name="recommendations.tasks.forget_answers")
def forget_answers() -> int:
    return housekeeping.forget_answers(now=timezone.now())


@shared_task(name="recommendations.tasks.forget_messages")
def forget_messages() -> int:
    return housekeeping.forget_messages(now=timezone.now())


@shared_task(name="recommendations.tasks.forget_files")
def forget_files() -> int:
    return files.forget_old(now=timezone.now())


@shared_task(name="recommendations.tasks.forget_sessions")
def forget_sessions() -> None:
    SessionStore.clear_expired()


@shared_task(name="recommendations.tasks.send_password_link")
def send_password_link(address: str) -> None:
    passwords.send_link(address)


@shared_task(
    name="recommendations.tasks.send_own_data_link",
    autoretry_for=(own_data.NotTakenError,),
    retry_backoff=60,
    max_retries=4,
)
def send_own_data_link(address_pk: int) -> None:
    own_data.send_link(address_pk, now=timezone.now())


@shared_task(name="recommendations.tasks.work_on_file")
def work_on_file(key: str) -> str | None:
    return uploads.work(UUID(key), also=receipt_uploads.WORK)


@shared_task(name="recommendations.tasks.look_at_feed")
def look_at_feed() -> int:
    return len(feed_schedule.look(now=timezone.now()))


@shared_task(name="recommendations.tasks.embed_items")
def embed_items() -> int:
    return embedding.embed_items(now=timezone.now())


@shared_task(name="recommendations.tasks.look_at_pictures")
def look_at_pictures() -> int:
    return pictures.look_at_pictures(now=timezone.now())


@shared_task(name="recommendations.tasks.do_privacy_request")
def do_privacy_request(key: str) -> str | None:
    return work.do_request(UUID(key))


@shared_task(name="recommendations.tasks.make_release")
def make_release(key: str) -> str | None:
    return making.work(UUID(key))


@shared_task(name="recommendations.tasks.close_erasures")
def close_erasures() -> int:
    return closing.close_erasures(timezone.now())


@shared_task(name="recommendations.tasks.expire")
def expire() -> int:
    return len(retention.expire(now=timezone.now()))


@shared_task(name="recommendations.tasks.go_on_expiring")
def go_on_expiring() -> int:
    return len(retention.go_on(now=timezone.now()))
