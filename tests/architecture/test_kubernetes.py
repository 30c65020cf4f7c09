"""The manifests for Kubernetes are valid, and start what docker-compose.yml starts, as shut in as there."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from tests.architecture.source import ROOT

BASE = ROOT / "deploy/kubernetes/base"
SERVICES = ("web", "pages", "loop", "worker", "beat", "migrate")
NEWEST, OLDEST = kubernetes_validate.latest_version(), "1.30"
"""Versions of Kubernetes; in the oldest ``preStop`` has ``sleep``."""


def manifests() -> Iterator[tuple[Path, dict[str, Any]]]:
    for path in sorted(BASE.glob("*.yaml")):
        if path.name != "kustomization.yaml":
            yield from ((path, each) for each in yaml.safe_load_all(path.read_text(encoding="utf-8")))


def named(kind: str) -> dict[str, dict[str, Any]]:
    return {each["metadata"]["name"]: each["spec"] for _, each in manifests() if each["kind"] == kind}


def pods() -> dict[str, dict[str, Any]]:
    templates = {**named("Deployment"), **named("Job")}
    return {name: spec["template"]["spec"] for name, spec in templates.items()}


def compose() -> dict[str, Any]:
    services: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))["services"]
    return services


def containers(pod: dict[str, Any]) -> list[dict[str, Any]]:
    return [*pod["containers"], *pod.get("initContainers", ())]


@pytest.mark.parametrize("version", [OLDEST, NEWEST])
def test_every_manifest_keeps_strictly_to_the_schema(version: str) -> None:
    for _path, each in manifests():
        kubernetes_validate.validate(each, version, strict=True)


def test_a_misspelt_key_is_found() -> None:
    [(_, service), *_] = [(path, each) for path, each in manifests() if each["kind"] == "Service"]
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate({**service, "spec": {**service["spec"], "selektor": {}}}, NEWEST, strict=True)


def kustomization() -> dict[str, Any]:
    whole: dict[str, Any] = yaml.safe_load((BASE / "kustomization.yaml").read_text(encoding="utf-8"))
    return whole


def test_every_file_is_applied() -> None:
    assert sorted(kustomization()["resources"]) == sorted({path.name for path, _ in manifests()})


def test_pods_run_what_the_containers_run() -> None:
    assert set(pods()) == set(SERVICES)
    for name, pod in pods().items():
        [container] = pod["containers"]
        command = [re.sub(r"\$\{WEB_WORKERS:-(\d+)\}", r"\1", part) for part in compose()[name]["command"]]
        assert container["args"] == command, name
    assert [named("Deployment")[name]["replicas"] for name in ("loop", "beat")] == [1, 1]
    assert {named("Deployment")[name]["strategy"]["type"] for name in ("loop", "beat")} == {"Recreate"}


def test_pods_are_shut_in() -> None:
    for name, pod in pods().items():
        inside = pod["securityContext"]
        assert (inside["runAsNonRoot"], inside["runAsUser"]) == (True, 10001), name  # the user of the Dockerfile
        assert inside["seccompProfile"] == {"type": "RuntimeDefault"}, name
        assert pod["automountServiceAccountToken"] is False, name
        for container in containers(pod):
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }, name
            assert container["resources"]["limits"]["memory"], name


def test_only_those_reach_the_world_that_do_so_in_containers() -> None:
    [world] = [spec for spec in named("NetworkPolicy").values() if "0.0.0.0/0" in str(spec)]
    [chosen] = world["podSelector"]["matchExpressions"]
    theirs = {name for name in SERVICES if "egress" in compose()[name].get("networks", ())}
    assert set(chosen["values"]) == theirs == {"web", "pages", "worker"}
    assert named("NetworkPolicy")["nothing"] == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}


def test_what_the_settings_name_is_documented_and_no_secret() -> None:
    [settings] = kustomization()["configMapGenerator"]
    names = [each.partition("=")[0] for each in settings["literals"]]
    assert {"ALLOWED_HOSTS", "BEHIND_PROXY", "DATA"} <= {*names}
    documented = (ROOT / "docs/settings.md").read_text(encoding="utf-8")
    threads = {"OMP_NUM_THREADS", "OMP_WAIT_POLICY", "OPENBLAS_NUM_THREADS"}
    assert [name for name in names if name not in threads and f"`{name}`" not in documented] == []
    assert not {"SECRET_KEY", "PSEUDONYM_KEY", "DATABASE_URL", "REDIS_URL", "EMAIL_URL"} & {*names}
