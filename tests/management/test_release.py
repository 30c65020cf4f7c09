"""Releases from the command line: made, listed, published, withdrawn and written to a file."""

import io
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from pytest_django.fixtures import Settings

from recommendations.models import Release
from recommendations.store.releases import noise
from tests.analytics.pages.privacy.releasing import drawn

pytestmark = pytest.mark.django_db


def run(*arguments: str | Path) -> str:
    output = io.StringIO()
    call_command("release", *map(str, arguments), stdout=output, stderr=io.StringIO())
    return output.getvalue()


def test_without_opendp_the_command_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(noise, "PACKAGE", "no_such_wheel")
    with pytest.raises(CommandError, match=r"pip install --require-hashes -r requirements/releases\.txt"):
        run("make")
    assert not Release.objects.exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        *((["--epsilon", each], f"--epsilon {each} is no number") for each in ("0", "-1", "1e9", "NaN", "none")),
        (["--until", "2999-01-01"], "no day of the last year that is over"),
        (["--until", "spring"], "is no day such as"), (["--until", "2027-02-30"], "is no day such as"),
        (["--epsilon", "9"], "would pass PRIVACY_BUDGET"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said(
    arguments: list[str], words: str, monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    settings.PRIVACY_BUDGET = 8
    monkeypatch.setattr(noise, "PACKAGE", "json")  # it is there, and not asked
    with pytest.raises(CommandError, match=words):
        run("make", *arguments)
    assert not Release.objects.exists()


def test_a_release_is_listed_published_withdrawn_and_written(tmp_path: Path) -> None:
    release, nothing = drawn(told=3), drawn(told=0, weeks_ago=1)
    listed = run("list").splitlines()
    assert listed[0].startswith(f"{release.pk}  types 2026-08-17/2026-09-13 ε1  made  67% of the first 3 expected")
    assert "too few customers" in listed[1]
    assert listed[-1] == "ε 2 of 13 spent within 365 days"
    assert f"/releases/{release.pk}.csv" in run("publish", str(release.pk)[:8])
    assert "  public  " in run("list")
    with pytest.raises(CommandError, match="published already"):
        run("publish", str(release.pk))
    run("withdraw", str(release.pk))
    with pytest.raises(CommandError, match="It is not published"):
        run("withdraw", str(release.pk))
    run("file", str(release.pk), "--file", tmp_path / "types.csv")
    assert (tmp_path / "types.csv").read_bytes().decode() == run("file", str(release.pk))
    assert len(run("file", str(release.pk)).splitlines()) == 4
    with pytest.raises(CommandError, match="nothing in it"):
        run("file", str(nothing.pk))
    with pytest.raises(CommandError, match="2 releases begin with"):
        run("publish", "")
    with pytest.raises(CommandError, match="cannot be written"):
        run("file", str(release.pk), "--file", tmp_path / "no" / "folder.csv")


@pytest.mark.skipif(not noise.is_installed(), reason="it needs the extra releases")
def test_a_release_is_made_here() -> None:
    assert "too few customers" in run("make", "--of", "items", "--weeks", "1")
    assert Release.objects.get().spent.epsilon == 1
