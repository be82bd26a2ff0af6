"""The images' files: hashed requirements, no root, only what belongs in them; a licence that its user alone accepts."""

import json
import re
import subprocess
import tomllib

import pytest


def instructions(path):
    """Return the instructions of a Dockerfile, continued lines joined, without comments."""
    text = re.sub(r"^#.*\n", "", path.read_text(encoding="utf-8"), flags=re.MULTILINE).replace("\\\n", " ")
    return [tuple(line.split(None, 1)) for line in text.splitlines() if line.strip()]


@pytest.fixture(params=["Dockerfile", "Dockerfile.isaac"])
def any_image(request, repository_root):
    return instructions(repository_root / request.param)


@pytest.fixture
def image(repository_root):
    return instructions(repository_root / "Dockerfile")


def test_bases_have_a_version(any_image):
    values = dict(value.split("=", 1) for word, value in any_image if word == "ARG")
    for word, value in any_image:
        if word == "FROM":
            name = re.sub(r"\$\{(\w+)\}", lambda match: values[match[1]], value).split()[0]
            assert re.search(r":\d", name), name


def test_images_do_not_run_as_root(any_image):
    users = [value for word, value in any_image if word == "USER"]
    assert users[-1] == "1234:1234"
    (entry,) = [k for k, (word, _) in enumerate(any_image) if word == "ENTRYPOINT"]
    assert any_image.index(("USER", "1234:1234")) < entry


def test_the_user_is_the_one_that_compose_and_the_cluster_name(repository_root):
    assert 'user: "1234:1234"' in (repository_root / "compose.yaml").read_text(encoding="utf-8")
    for name in ("api.yaml", "workers.yaml"):
        assert "runAsUser: 1234\n" in (repository_root / "deploy" / "kubernetes" / name).read_text(encoding="utf-8")


def test_everything_in_the_image_is_hashed(image):
    installs = [value for word, value in image if word == "RUN" and "pip install" in value]
    assert len(installs) == 2
    assert "--require-hashes" in installs[0]
    assert "requirements/generate.txt" in installs[0]
    assert {"--no-deps", "--no-build-isolation", "--no-index"} <= set(installs[1].split())


def test_the_builder_gets_only_what_the_image_is_made_from(repository_root, image):
    lines = (repository_root / ".dockerignore").read_text(encoding="utf-8").splitlines()
    rules = [line for line in lines if line and not line.startswith("#")]
    assert rules[0] == "*", "everything is left out but what is named"
    sent = {rule[1:] for rule in rules if rule.startswith("!")}
    assert {"simfactory", "scenes", "layouts", "pyproject.toml", "README.md", "LICENSE"} <= sent
    assert not {".env", ".git", "tests", "out"} & sent
    assert "requirements/generate.txt" in sent
    assert ("COPY", "requirements/generate.txt requirements/") in image


def test_the_package_list_is_sent(repository_root):
    pyproject = tomllib.loads((repository_root / "pyproject.toml").read_text())
    packages = pyproject["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    lines = (repository_root / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert {f"!{package}" for package in packages} <= set(lines)


def test_isaac_does_not_start_before_its_user_has_accepted_the_licence(repository_root):
    (entry,) = [value for word, value in instructions(repository_root / "Dockerfile.isaac") if word == "ENTRYPOINT"]
    command = [*json.loads(entry), "worker", "--help"]
    refused = subprocess.run(command, env={}, capture_output=True, text=True, timeout=30, check=False)
    assert refused.returncode != 0
    assert "ACCEPT_EULA" in refused.stderr
    accepted = subprocess.run(
        command, env={"ACCEPT_EULA": "Y"}, capture_output=True, text=True, timeout=30, check=False
    )
    assert "ACCEPT_EULA" not in accepted.stderr
    assert "python.sh" in accepted.stderr, "it goes on to the vendor's Python, which is not here"


def test_nothing_of_ours_accepts_the_licence(repository_root):
    accepting = re.compile(
        r"^(?!\s*#).*(?:ACCEPT_EULA|PRIVACY_CONSENT)\s*[=:]\s*[\"']?(?:Y|YES|1|true)\b", re.MULTILINE | re.IGNORECASE
    )
    assert accepting.search("      ACCEPT_EULA: Y\n")
    paths = [repository_root / name for name in ("compose.yaml", "Dockerfile", "Dockerfile.isaac", ".env.example")]
    paths += [path for path in (repository_root / "deploy").rglob("*") if path.suffix in {".yaml", ".sbatch", ".sh"}]
    assert not [path for path in paths if accepting.search(path.read_text(encoding="utf-8"))]
