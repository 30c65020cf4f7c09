"""A customer whom a model learned from: erased at once, closed after the run that learned without them."""

from datetime import timedelta

import pytest
from django.utils import timezone

from recommendations.loop.run import run_loop
from recommendations.models import Artefact, ModelVersion, Receipt, ShopSetting
from recommendations.privacy_terms import HolderCode, RequestState
from recommendations.services.operations.runs import start_run
from recommendations.services.privacy import closing, receipts, work
from recommendations.services.privacy.erasing import scan
from recommendations.services.privacy.requests import EraseAsk, ask_erase
from recommendations.store.erasure.subjects import subject_of
from recommendations.store.models.model import load_recommenders
from recommendations.store.models.nets import KEY
from recommendations.terms import Cut, RunStatus
from tests.trained import NOW


@pytest.mark.django_db
def test_sums_of_many_go_with_the_next_run(shop: None) -> None:
    subject = subject_of("u3", [])
    cut = (NOW - timedelta(days=1)).timestamp() / 86_400
    net = {"path": "nets/live.npz", "sha256": "", "until": cut, "items": 1, "sequences": 1, "rounds": 1}
    ShopSetting.objects.create(key=KEY, value={Cut.LIVE: net | {"reached": None, "seconds": 1.0, "digest": ""}})
    assert scan(subject)[HolderCode.LEARNED] > 0
    request = ask_erase(EraseAsk(user_id="u3"), by=None, now=timezone.now())
    done = work.do_request(request.pk)
    request.refresh_from_db()
    assert (done, request.message) == (RunStatus.SUCCEEDED, "")
    assert request.state == RequestState.WAITING_FOR_RUN
    assert request.counts[HolderCode.LEARNED]["why"] == "sums_until_next_run"
    assert set(scan(subject).values()) == {0}
    first = Receipt.objects.get().document
    live = load_recommenders(ModelVersion.objects.live().get().pk, Cut.LIVE)
    assert first["sums"]["recommenders"] == sorted(name for name, each in live.items() if not each.exact_without)
    assert "als" in first["sums"]["recommenders"]
    assert first["nets_of_before"] == ["live"]
    assert first["sums"]["until"] > first["signed"][:10]

    assert closing.close_erasures(timezone.now()) == 0
    request.refresh_from_db()
    assert request.state == RequestState.WAITING_FOR_RUN
    known = ModelVersion.objects.live().get()

    run = start_run(by=None, now=NOW + timedelta(hours=1), in_worker=False)
    assert run_loop(run.pk, clock=timezone.now) is RunStatus.SUCCEEDED
    assert ModelVersion.objects.live().get() != known
    assert closing.close_erasures(timezone.now()) == 0  # some process may answer by the old one for some seconds
    assert closing.close_erasures(timezone.now() + timedelta(minutes=2)) == 1
    request.refresh_from_db()
    assert (request.state, request.sealed) == (RequestState.DONE, None)
    assert not Artefact.objects.filter(version=known).exists()
    last = Receipt.objects.order_by("-serial")[0].document
    assert last["versions_deleted"] == 1
    assert last["learned_by"] == str(ModelVersion.objects.live().get())
    assert (last["holders"]["learned"]["kept"], last["holders"]["learned"]["why"]) == (0, None)
    assert last["nets_of_before"] == ["live"]
    assert last["second_scan"]["found"] == 0
    assert receipts.verify(receipts.chain(), whole=True) == []
