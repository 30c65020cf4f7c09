"""Privacy from the command line: people erased and exported, receipts verified without anything of ours."""

import io
import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from recommendations.channels import signing
from recommendations.channels.sealing import base64url
from recommendations.models import AuditEntry, LegalHold, PrivacyRequest, PurposeWord, StatedTaste
from recommendations.privacy_terms import RequestState
from recommendations.store.erasure.line_files import place_of
from recommendations.store.events.pseudonyms import pseudonym
from recommendations.store.events.tombstones import comebacks_of
from recommendations.store.holders import registry
from recsite import env
from tests.privacy_holders import JoinHolder, TasteHolder, somebody


@pytest.fixture(autouse=True)
def _holders(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "HOLDERS", (TasteHolder(), JoinHolder()))


def run(*arguments: str | Path) -> str:
    output = io.StringIO()
    call_command(*map(str, arguments), stdout=output, stderr=io.StringIO())
    return output.getvalue()


@pytest.mark.django_db
def test_people_are_erased_line_by_line_and_their_chain_verifies(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    somebody("nora", "phone")  # no request has this in its number by chance
    somebody("bo")
    assert run("privacy", "find", "nora").split() == ["interests", "2", "customer", "1"]
    monkeypatch.setattr(sys, "stdin", io.StringIO("nora\nbo\n\n"))
    said = run("privacy", "erase", "-")
    assert ("nora" in said, said.count("done")) == (False, 2)
    assert "5 deleted or changed" in said  # tastes, an alias, and both rows
    assert not StatedTaste.objects.exists()

    chain, keys = tmp_path / "chain.json", tmp_path / "keys.json"
    chain.write_text(run("privacy", "receipts"))
    keys.write_bytes(Client().get("/.well-known/recsite-receipts.json").content)
    assert "4 receipts, each as it was signed." in run("verify_receipt", chain, "--keys", keys, "--chain")

    bare = {"PATH": os.environ["PATH"], "PYTHONPATH": os.environ.get("PYTHONPATH", "")}
    command = [sys.executable, "manage.py", "verify_receipt", str(chain), "--keys", str(keys)]
    alone = subprocess.run(command, env=bare, capture_output=True, text=True, check=False)
    assert (alone.returncode, alone.stdout.count("as it was signed on")) == (0, 4), alone.stderr

    content = json.loads(chain.read_text())
    first, *later = content["receipts"]
    let_go = {"format": signing.ANCHOR, "through": 1, "hash": later[0]["document"]["previous"], "flaws": []}
    signature = base64url(signing.sign(let_go, settings.RECEIPT_KEYS[0]))
    chain.write_text(json.dumps({"anchor": {**first, "document": let_go, "signature": signature}, "receipts": later}))
    assert "Up to Receipt 1 they were let go" in run("verify_receipt", chain, "--keys", keys, "--chain")
    content["receipts"][1]["document"]["holders"]["interests"]["found"] = 0
    chain.write_text(json.dumps(content))
    with pytest.raises(CommandError, match="Receipt 2 was changed"):
        run("verify_receipt", chain, "--keys", keys)
    one = str(PrivacyRequest.objects.order_by("created_at").first())
    assert len(json.loads(run("privacy", "receipts", one))["receipts"]) == 2


@pytest.mark.django_db
def test_a_chain_whose_tail_was_cut_off_is_told_by_the_log(
    django_capture_on_commit_callbacks: Callable[..., Any], tmp_path: Path
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        for name in ("nora", "bo"):
            run("privacy", "erase", name)
    chain, keys, log = tmp_path / "chain.json", tmp_path / "keys.json", place_of("receipts.log")
    chain.write_text(run("privacy", "receipts"))
    keys.write_bytes(Client().get("/.well-known/recsite-receipts.json").content)
    whole, checked = json.loads(chain.read_text()), ("verify_receipt", chain, "--keys", keys, "--chain")
    assert "Nothing of the 4 in the log is missing." in run(*checked, "--log", log)

    chain.write_text(json.dumps({"receipts": whole["receipts"][:2]}))
    assert "2 receipts" in run(*checked)
    with pytest.raises(CommandError, match=r"The chain lacks what the log has: Receipts 3–4\."):
        run(*checked, "--log", log)
    bare = {"PATH": os.environ["PATH"], "PYTHONPATH": os.environ.get("PYTHONPATH", "")}
    command = [sys.executable, "manage.py", *map(str, checked), "--log", str(log)]
    alone = subprocess.run(command, env=bare, capture_output=True, text=True, check=False)
    assert (alone.returncode, "Receipts 3–4" in alone.stderr) == (1, True), alone.stderr
    chain.write_text('{"receipts": []}')
    with pytest.raises(CommandError, match=r"Receipts 1–4\."):
        run(*checked, "--log", log)

    chain.write_text(json.dumps(whole))
    log.write_bytes(b"".join(log.read_bytes().splitlines(keepends=True)[:3]) + b'{"number":9')
    assert "The log lacks Receipt 4." in run(*checked, "--log", log)
    with pytest.raises(CommandError, match="give --chain"):
        run(*checked[:-1], "--log", log)
    for wrong, words in ((tmp_path / "none", "cannot be read"), (keys, "no receipt in")):
        with pytest.raises(CommandError, match=words):
            run(*checked, "--log", wrong)


@pytest.mark.django_db
def test_an_export_is_written_where_it_is_wanted_and_over_nothing(tmp_path: Path) -> None:
    somebody("ada")
    run("privacy", "export", "ada", "--file", tmp_path / "ada.zip", "--lang", "zh-hans")
    assert "interests/tastes.json" in zipfile.ZipFile(tmp_path / "ada.zip").namelist()
    with pytest.raises(CommandError, match="cannot be written"):
        run("privacy", "export", "ada", "--file", tmp_path / "ada.zip")


@pytest.mark.django_db
def test_a_hold_lasts_until_it_is_lifted() -> None:
    day = (timezone.now() + timedelta(days=9)).date().isoformat()
    assert "Hold" in run("privacy", "hold", "phone", "--anonymous", "--reason", "case 12", "--until", day)
    assert "held" in run("privacy", "erase", "phone", "--anonymous", "--reference", "t-1")
    listed = run("privacy", "requests")
    assert "t-1" in listed
    assert "case 12" in listed
    with pytest.raises(CommandError, match="another request"):
        run("privacy", "erase", "tablet", "--anonymous", "--reference", "t-1")
    number = LegalHold.objects.get().pk
    for wrong in (["--reason", " "], []):
        with pytest.raises(CommandError, match="--reason"):
            run("privacy", "lift", str(number), *wrong)
    waiting = PrivacyRequest.objects.get()
    assert f"The erasure {waiting.pk} begins within a minute." in run(
        "privacy", "lift", str(number), "--reason", "case closed"
    )
    assert AuditEntry.objects.get(verb="lift").note == "case closed"
    with pytest.raises(CommandError, match="no hold"):
        run("privacy", "lift", str(number), "--reason", "again")
    assert "done" in run("privacy", "erase", "phone", "--anonymous", "--reference", "t-1")
    assert PrivacyRequest.objects.get().state == RequestState.DONE
    assert run("privacy", "requests") == ""
    for wrong in ("2020-01-01", "soon", "2026-13-45"):
        with pytest.raises(CommandError, match="--until"):
            run("privacy", "hold", "ada", "--reason", "x", "--until", wrong)
    with pytest.raises(CommandError, match="--reason"):
        run("privacy", "hold", "ada", "--reason", " ")


@pytest.mark.django_db
def test_a_blocked_id_is_somebody_new_once_it_is_unblocked() -> None:
    somebody("ada")
    with pytest.raises(CommandError, match="not blocked"):
        run("privacy", "unblock", "ada")
    run("privacy", "erase", "ada", "--mode", "block")
    assert comebacks_of([pseudonym("ada")])[pseudonym("ada")].blocked
    assert "somebody new" in run("privacy", "unblock", "ada")
    assert not comebacks_of([pseudonym("ada")])[pseudonym("ada")].blocked
    assert AuditEntry.objects.get(verb="unblock").object_type == "tombstone"
    with pytest.raises(CommandError, match="not blocked"):
        run("privacy", "unblock", "ada")


def test_what_is_no_receipt_or_no_key_is_said(tmp_path: Path) -> None:
    file, keys = tmp_path / "file.json", tmp_path / "keys.json"
    keys.write_text('{"keys": []}')
    for content, words in (("{", "is not JSON"), ("[]", "no receipt"), ("{}", "no receipt")):
        file.write_text(content)
        with pytest.raises(CommandError, match=words):
            run("verify_receipt", file, "--keys", keys)
    with pytest.raises(CommandError, match="cannot be read"):
        run("verify_receipt", tmp_path / "none", "--keys", keys)
    with pytest.raises(CommandError, match="file of keys"):
        run("verify_receipt", file, "--keys", file)


def test_keys_are_made_to_be_set_as_they_stand(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    keys = dict(line.split("=", 1) for line in run("privacy_keys").splitlines())
    assert list(keys) == ["RECEIPT_KEYS", "EXPORT_KEYS"]
    for name, value in keys.items():
        monkeypatch.delenv(f"{name}_FILE", raising=False)
        monkeypatch.setenv(name, value)
    assert env.seeds("RECEIPT_KEYS") == [keys["RECEIPT_KEYS"]]
    assert env.secrets("EXPORT_KEYS", shortest=32) == [keys["EXPORT_KEYS"]]
    run("privacy_keys", "--folder", tmp_path / "keys")
    signing.signing_key((tmp_path / "keys" / "receipt_keys").read_text().strip())
    monkeypatch.setenv("RECEIPT_KEYS", "x" * 43 + "!")
    with pytest.raises(Exception, match="no key of Ed25519"):
        env.seeds("RECEIPT_KEYS")


@pytest.mark.django_db
def test_staff_note_what_a_letter_says() -> None:
    assert run("privacy", "say", "measure", "refused", "ada", "--proof", "letter 12").split()[2:4] == [
        "measure",
        "refused",
    ]
    word = PurposeWord.objects.get()
    assert (word.source, word.proof, word.customer.measure) == ("staff", {"reference": "letter 12"}, False)
    with pytest.raises(CommandError, match="about an address"):
        run("privacy", "say", "push", "given", "ada")
