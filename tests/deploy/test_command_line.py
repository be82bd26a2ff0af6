"""Every command of the recipes is one that `simfactory` has, with options that it has."""

import os
import re
import shlex
import subprocess
import sys

import pytest
import yaml

CALL = "from simfactory.cli import main; main()"


def composed(root):
    services = yaml.safe_load((root / "compose.yaml").read_text(encoding="utf-8"))["services"].values()
    return [service["command"] for service in services if "simfactory" in str(service.get("image", service))]


def clustered(root):
    folder = root / "deploy" / "kubernetes"
    resources = [r for name in ("api.yaml", "workers.yaml") for r in yaml.safe_load_all((folder / name).read_text())]
    specs = [r["spec"].get("template") or r["spec"].get("jobTargetRef", {}).get("template") for r in resources]
    containers = [container for spec in specs if spec for container in spec["spec"]["containers"]]
    patch = yaml.safe_load((folder / "gpu.yaml").read_text(encoding="utf-8"))
    return [
        *(container["args"] for container in containers if container["image"] == "simfactory"),
        *(operation["value"] for operation in patch if operation["path"].endswith("/args")),
    ]


def scripted(root):
    text = (root / "deploy" / "slurm" / "workers.sbatch").read_text(encoding="utf-8")
    return [shlex.split(line)[2:] for line in text.splitlines() if line.startswith("exec simfactory ")]


def documented(root):
    text = (root / "docs" / "deployment.md").read_text(encoding="utf-8")
    blocks = "\n".join(re.findall(r"^```sh\n(.*?)^```$", text, re.MULTILINE | re.DOTALL))
    lines = re.findall(r"^simfactory (.*)$", blocks, re.MULTILINE)
    # An inline command may go on in the next line.
    lines += re.findall(
        r"`(?:run: )?simfactory ([^`]+)`", re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)
    )
    return [shlex.split(line) for line in lines]


def options_in(words):
    return {word.partition("=")[0] for word in words if word.startswith("--")}


def options_of(command):
    """Return the options that a subcommand's help names."""
    process = subprocess.run(
        [sys.executable, "-c", CALL, command, "--help"],
        env=os.environ | {"COLUMNS": "200"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert process.returncode == 0, f"simfactory {command}: {process.stderr[-500:]}"
    return set(re.findall(r"--[a-z][a-z-]+", process.stdout))


@pytest.mark.parametrize(
    ("source", "commands"),
    [
        (composed, {"up", "worker"}),
        (clustered, {"up", "worker"}),
        (scripted, {"worker"}),
        (documented, {"up", "worker", "submit", "verify"}),
    ],
)
def test_every_recipe_asks_for_commands_and_options_that_there_are(repository_root, source, commands):
    calls = source(repository_root)
    assert {words[0] for words in calls} == commands
    for command in commands:
        asked = set().union(*(options_in(words) for words in calls if words[0] == command))
        assert not asked - options_of(command), command


def test_an_option_that_there_is_not_is_found():
    assert options_in(["generate", "--category", "rigid", "--klips=3"]) - options_of("generate") == {"--klips"}
