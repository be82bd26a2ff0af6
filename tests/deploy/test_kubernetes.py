"""The manifests for Kubernetes: valid by its own schemas, and what they name in each other is there."""

import copy
import re

import jsonschema
import kubernetes_validate
import pytest
import yaml

VERSIONS = ["1.30", "1.34"]
QUEUES = {"rq:queue:sf-newton-high", "rq:queue:sf-newton-default", "rq:queue:sf-newton-low"}


def closed(required=(), **properties):
    return {"type": "object", "properties": properties, "required": [*required], "additionalProperties": False}


COUNT = {"type": "integer", "minimum": 0}
TEXT = {"type": "string", "minLength": 1}

# What KEDA 2.13 and newer take, as far as we use it; the pods in it are checked by Kubernetes's schema of a Job.
KEDA = {
    "TriggerAuthentication": closed(
        ["secretTargetRef"],
        secretTargetRef={
            "type": "array",
            "minItems": 1,
            "items": closed(["parameter", "name", "key"], parameter={"enum": ["password"]}, name=TEXT, key=TEXT),
        },
    ),
    "ScaledJob": closed(
        ["jobTargetRef", "triggers"],
        jobTargetRef={"type": "object"},
        pollingInterval=COUNT,
        minReplicaCount=COUNT,
        maxReplicaCount=COUNT,
        successfulJobsHistoryLimit=COUNT,
        failedJobsHistoryLimit=COUNT,
        rollout=closed(strategy={"enum": ["default", "gradual"]}),
        scalingStrategy=closed(
            strategy={"enum": ["default", "accurate", "eager"]},
            multipleScalersCalculation={"enum": ["max", "min", "avg", "sum"]},
        ),
        triggers={
            "type": "array",
            "minItems": 1,
            "items": closed(
                ["type", "metadata"],
                type={"const": "redis"},
                # Numbers are text here, too.
                metadata=closed(
                    ["address", "listName", "listLength"],
                    address={"type": "string", "pattern": r"^[\w.-]+:\d+$"},
                    listName=TEXT,
                    listLength={"type": "string", "pattern": r"^[1-9]\d*$"},
                    activationListLength={"type": "string", "pattern": r"^\d+$"},
                    databaseIndex={"type": "string", "pattern": r"^\d+$"},
                    enableTLS={"enum": ["true", "false"]},
                ),
                authenticationRef=closed(["name"], name=TEXT),
            ),
        },
    ),
}


def validate(resource, version):
    """Check one resource.

    Raises:
        jsonschema.ValidationError: It is none.
    """
    if resource["apiVersion"] != "keda.sh/v1alpha1":
        kubernetes_validate.validate(resource, version, strict=True)
        return
    jsonschema.validate(resource["spec"], KEDA[resource["kind"]])
    if resource["kind"] == "ScaledJob":
        job = {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "x"}}
        kubernetes_validate.validate(job | {"spec": resource["spec"]["jobTargetRef"]}, version, strict=True)


def patched(resource, operations):
    """Return a resource after a JSON patch of `add` and `replace` into objects."""
    resource = copy.deepcopy(resource)
    for operation in operations:
        *path, last = [step.replace("~1", "/").replace("~0", "~") for step in operation["path"].split("/")[1:]]
        place = resource
        for step in path:
            place = place[int(step) if isinstance(place, list) else step]
        assert (last in place) == (operation["op"] == "replace"), operation
        place[last] = operation["value"]
    return resource


@pytest.fixture(scope="module")
def folder(repository_root):
    return repository_root / "deploy" / "kubernetes"


@pytest.fixture(scope="module")
def kustomization(folder):
    return yaml.safe_load((folder / "kustomization.yaml").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def resources(folder, kustomization):
    found = [
        resource
        for name in kustomization["resources"]
        for resource in yaml.safe_load_all((folder / name).read_text(encoding="utf-8"))
    ]
    return {(resource["kind"], resource["metadata"]["name"]): resource for resource in found}


@pytest.fixture(scope="module")
def gpu_worker(folder, resources):
    return patched(resources["ScaledJob", "worker"], yaml.safe_load((folder / "gpu.yaml").read_text(encoding="utf-8")))


def pods_of(resources):
    """Return the specs of pods by the names of what makes them."""
    pods = {}
    for (kind, name), resource in resources.items():
        spec = resource.get("spec", {})
        if template := spec.get("template") or spec.get("jobTargetRef", {}).get("template"):
            pods[f"{kind}/{name}"] = template
    return pods


@pytest.mark.parametrize("version", VERSIONS)
def test_manifests_are_valid(resources, gpu_worker, version):
    for resource in [*resources.values(), gpu_worker]:
        validate(resource, version)


@pytest.mark.parametrize(
    ("key", "path", "value"),
    [
        (("Deployment", "api"), "spec/replica", 1),
        (("Deployment", "api"), "spec/replicas", "one"),
        (("Deployment", "api"), "spec/template/spec/containers/0/livenes", {}),
        (("StatefulSet", "redis"), "spec/template/spec/containers/0/image", 8.1),
        (("ScaledJob", "worker"), "spec/jobTargetRef/template/spec/containers/0/argv", []),
        (("ScaledJob", "worker"), "spec/jobTargetRef/backoffLimit", "none"),
        (("ScaledJob", "worker"), "spec/triggers/0/metadata/listLength", 2),
        (("ScaledJob", "worker"), "spec/triggers/0/metadata/listLen", "2"),
        (("ScaledJob", "worker"), "spec/maxReplicas", 3),
        (("TriggerAuthentication", "redis"), "spec/secretTargetRef/0/parameter", "pass"),
    ],
)
def test_a_broken_manifest_is_refused(resources, key, path, value):
    broken = copy.deepcopy(resources[key])
    *steps, last = path.split("/")
    place = broken
    for step in steps:
        place = place[int(step) if isinstance(place, list) else step]
    place[last] = value
    with pytest.raises(jsonschema.ValidationError):
        validate(broken, VERSIONS[0])


def test_every_manifest_is_applied(folder, kustomization):
    others = {"kustomization.yaml", "gpu.yaml"}
    assert set(kustomization["resources"]) == {path.name for path in folder.glob("*.yaml")} - others


def test_everything_is_in_one_namespace(resources):
    named = {resource["metadata"].get("namespace") for (kind, _), resource in resources.items() if kind != "Namespace"}
    assert named == {"simfactory"}
    assert ("Namespace", "simfactory") in resources


def test_the_lines_for_gpus_apply_their_patch_to_the_workers(folder):
    text = (folder / "kustomization.yaml").read_text(encoding="utf-8")
    with_gpus = yaml.safe_load(re.sub(r"^# (?=patches:|  - \{path)", "", text, flags=re.MULTILINE))
    (patch,) = with_gpus["patches"]
    assert (folder / patch["path"]).is_file()
    assert patch["target"] == {"group": "keda.sh", "kind": "ScaledJob", "name": "worker"}


def test_workers_differ_with_gpus_in_what_a_gpu_needs(resources, gpu_worker):
    def container(resource):
        (only,) = resource["spec"]["jobTargetRef"]["template"]["spec"]["containers"]
        return only

    plain, with_gpu = container(resources["ScaledJob", "worker"]), container(gpu_worker)
    assert (plain["args"][4], with_gpu["args"][4]) == ("cpu", "cuda:0")
    assert plain["args"][:4] == with_gpu["args"][:4]
    assert plain["args"][-2:] == with_gpu["args"][-2:] == ["--max-idle", "60"]
    assert with_gpu["resources"]["limits"]["nvidia.com/gpu"] == "1"


def test_images_have_a_version_and_ours_is_named_once(resources, kustomization):
    images = {c["image"] for pod in pods_of(resources).values() for c in pod["spec"]["containers"]}
    (ours,) = kustomization["images"]
    assert re.search(r"\d", ours["newTag"])
    assert images - {ours["name"]} == {"valkey/valkey:8.1-alpine"}


def test_pods_keep_the_restricted_standard(resources):
    pods = pods_of(resources)
    assert len(pods) == 3
    labels = resources["Namespace", "simfactory"]["metadata"]["labels"]
    assert labels["pod-security.kubernetes.io/enforce"] == "restricted"
    for name, pod in pods.items():
        context = pod["spec"]["securityContext"]
        assert context["runAsNonRoot"], name
        assert context["runAsUser"] > 0, name
        assert context["seccompProfile"] == {"type": "RuntimeDefault"}, name
        assert not pod["spec"]["automountServiceAccountToken"], name
        for container in pod["spec"]["containers"]:
            context = container["securityContext"]
            assert context["readOnlyRootFilesystem"], name
            assert not context["allowPrivilegeEscalation"], name
            assert context["capabilities"] == {"drop": ["ALL"]}, name


def test_mounts_have_volumes_and_claims(resources):
    for name, pod in pods_of(resources).items():
        spec = pod["spec"]
        volumes = {volume["name"]: volume for volume in spec["volumes"]}
        if name == "StatefulSet/redis":
            templates = resources["StatefulSet", "redis"]["spec"]["volumeClaimTemplates"]
            volumes |= {template["metadata"]["name"]: template for template in templates}
        assert {mount["name"] for c in spec["containers"] for mount in c["volumeMounts"]} == volumes.keys(), name
        for volume in volumes.values():
            if claim := volume.get("persistentVolumeClaim"):
                assert ("PersistentVolumeClaim", claim["claimName"]) in resources


def test_datasets_are_shared_between_nodes(resources):
    assert resources["PersistentVolumeClaim", "data"]["spec"]["accessModes"] == ["ReadWriteMany"]


def test_services_reach_pods(resources):
    for (kind, name), service in resources.items():
        if kind == "Service":
            wanted = service["spec"]["selector"].items()
            chosen = [pod for pod in pods_of(resources).values() if wanted <= pod["metadata"]["labels"].items()]
            assert len(chosen) == 1, name
            ports = {port["name"] for c in chosen[0]["spec"]["containers"] for port in c["ports"]}
            assert {port["targetPort"] for port in service["spec"]["ports"]} <= ports, name


def test_only_our_pods_and_keda_reach_redis(resources):
    spec = resources["NetworkPolicy", "redis"]["spec"]
    assert (
        spec["podSelector"]["matchLabels"].items()
        <= pods_of(resources)["StatefulSet/redis"]["metadata"]["labels"].items()
    )
    (rule,) = spec["ingress"]
    assert [*map(list, rule["from"])] == [["podSelector"], ["namespaceSelector"]]
    ours = rule["from"][0]["podSelector"]["matchLabels"].items()
    assert all(ours <= pod["metadata"]["labels"].items() for pod in pods_of(resources).values())


def test_secrets_are_those_that_the_documented_command_makes(resources, repository_root):
    text = (repository_root / "docs" / "deployment.md").read_text(encoding="utf-8")
    (name,) = re.findall(r"create secret generic (\S+)", text)
    made = {(name, key) for key in re.findall(r"--from-literal=([\w-]+)=", text)}
    used = {
        (entry["valueFrom"]["secretKeyRef"]["name"], entry["valueFrom"]["secretKeyRef"]["key"])
        for pod in pods_of(resources).values()
        for container in pod["spec"]["containers"]
        for entry in container["env"]
        if "valueFrom" in entry
    }
    for reference in resources["TriggerAuthentication", "redis"]["spec"]["secretTargetRef"]:
        used.add((reference["name"], reference["key"]))
    assert used == made


def test_every_queue_wakes_workers(resources):
    triggers = resources["ScaledJob", "worker"]["spec"]["triggers"]
    assert {trigger["metadata"]["listName"] for trigger in triggers} == QUEUES
    for trigger in triggers:
        assert trigger["metadata"]["address"] == "redis.simfactory.svc.cluster.local:6379"
        assert ("TriggerAuthentication", trigger["authenticationRef"]["name"]) in resources


def test_a_worker_has_time_to_give_back_what_it_cannot_finish(resources):
    template = resources["ScaledJob", "worker"]["spec"]["jobTargetRef"]["template"]
    assert template["spec"]["terminationGracePeriodSeconds"] >= 30


def test_one_api_at_a_time_writes_the_database(resources):
    spec = resources["Deployment", "api"]["spec"]
    assert (spec["replicas"], spec["strategy"]) == (1, {"type": "Recreate"})


def test_the_cluster_starts_what_compose_starts(resources, compose):
    """Both must follow the same changes of the command line."""
    services = compose.config().services
    pods = pods_of(resources)
    api, worker = (pods[name]["spec"]["containers"][0]["args"] for name in ("Deployment/api", "ScaledJob/worker"))
    assert api == services["api"]["command"]
    assert worker == [*services["worker"]["command"], "--max-idle", "60"]
