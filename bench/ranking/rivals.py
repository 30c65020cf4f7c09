"""Rivals of the hybrid on the demo's data: what needs no model, the article's method, other libraries."""

from bench.meter import metered
from bench.peers.peers import peer_answers
from bench.ranking.article import Article
from bench.ranking.demo_cut import Scored, of_users
from bench.ranking.judging import Entry
from bench.ranking.picking import Tell
from recommendations.engine.evaluation.backtest import baselines
from recommendations.terms import Task


def baseline_entries(test: Scored, task: Task) -> list[Entry]:
    """Entries of what needs no model, and of the method of the article that the project began with."""
    training, users = test.part.snapshot.training, test.part.truths[task].users
    with metered() as cost:
        lists = baselines(training, users, excluded=test.excluded(task))
    with metered() as fit:
        article = Article.fit(training)
    with metered() as score:
        ranked = article.ranked(users, excluded=test.excluded(task))
    answers = [of_users(test, task, Entry(name=name, kind="baseline", ranked=rows, score_s=cost.seconds / len(lists),
                                        peak_mb=cost.peak_mb)) for name, rows in lists.items()]  # fmt: skip
    entry = Entry(
        name="article", kind="baseline", ranked=ranked, fit_s=fit.seconds, score_s=score.seconds,
        peak_mb=max(fit.peak_mb, score.peak_mb),
    )  # fmt: skip
    return [*answers, of_users(test, task, entry)]


def peer_entries(test: Scored, task: Task, tell: Tell) -> list[Entry]:
    """Entries of the peers that answered; why another did not is reported."""
    answers = []
    for peer in peer_answers(test.part, task):
        if peer.answer is None:
            tell(f"{task}: {peer.name} gave no lists: {peer.reason}")
            continue
        tell(f"{task}: {peer.name} fitted in {peer.answer.fit_s:.1f} s, ranked in {peer.answer.score_s:.1f} s")
        entry = Entry(
            name=peer.name, kind="peer", ranked=peer.answer.ranked, fit_s=peer.answer.fit_s,
            score_s=peer.answer.score_s, peak_mb=peer.answer.peak_mb,
        )  # fmt: skip
        answers.append(of_users(test, task, entry))
    return answers
