"""Packaging: our names are ours alone, every list of packages agrees, and locks are complete."""

import ast
import importlib.util
import re
import sys
from importlib.metadata import entry_points, packages_distributions

import pytest
from packaging.requirements import Requirement

TOP_LEVEL_NAMES = ["simfactory", "scenes", "layouts", "api", "training"]


def normalized(distribution: str) -> str:
    return re.sub(r"[-_.]+", "-", distribution).lower()


@pytest.mark.parametrize("name", TOP_LEVEL_NAMES)
def test_no_other_distribution_ships_our_package(name):
    others = set(packages_distributions().get(name, [])) - {"simfactory"}
    assert not others, f"{others} also ship a top-level package {name!r}: uninstall them"


def test_packages_are_imported_from_this_repository(package_names, repository_root):
    for name in package_names:
        spec = importlib.util.find_spec(name)
        assert spec is not None, f"{name} is not installed"
        assert spec.origin == str(repository_root / name / "__init__.py")


def test_packages_offer_their_types(package_names, repository_root):
    untyped = [name for name in package_names if not (repository_root / name / "py.typed").is_file()]
    assert not untyped, "a py.typed file tells type checkers to read the annotations of an installed package"


def test_every_list_of_packages_agrees_with_the_folders(pyproject, package_names, repository_root):
    present = [name for name in TOP_LEVEL_NAMES if (repository_root / name / "__init__.py").is_file()]
    tool = pyproject["tool"]
    lists = {
        "tool.hatch.build.targets.wheel.packages": package_names,
        "tool.mypy.files": tool["mypy"]["files"],
        "tool.coverage.run.source_pkgs": tool["coverage"]["run"]["source_pkgs"],
        "tool.importlinter.root_packages": tool["importlinter"]["root_packages"],
    }
    for contract in tool["importlinter"]["contracts"]:
        if contract["type"] == "forbidden":
            lists[f"source_modules of {contract['name']!r}"] = contract["source_modules"]
    wrong = {where: names for where, names in lists.items() if sorted(names) != sorted(present)}
    assert not wrong, f"the folders are {present}"


def test_commands_can_be_loaded():
    commands = entry_points(group="simfactory.commands")
    assert {"generate", "inspect", "preview", "verify", "doctor", "scenes", "spec"} <= commands.names
    for command in commands:
        assert callable(command.load()), command


def imported_packages(tree: ast.Module) -> set[str]:
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            names.add(node.module)
    return {name.split(".")[0] for name in names}


def distributions_named_in(requirements: list[str]) -> set[str]:
    return {normalized(Requirement(line).name) for line in requirements}


def test_every_import_is_a_declared_dependency(sources, pyproject):
    project = pyproject["project"]
    extras = project["optional-dependencies"]
    for_tests = distributions_named_in(extras["test"])
    for_use = distributions_named_in([line for name in extras if name != "test" for line in extras[name]])
    for_use |= distributions_named_in(project["dependencies"])
    providers = packages_distributions()
    undeclared = {
        f"{source.path}: {name}"
        for source in sources
        # The shipped conformance suites are run by pytest.
        for declared in [for_use | for_tests if "testing" in source.path.parts else for_use]
        for name in imported_packages(source.tree) - set(TOP_LEVEL_NAMES) - sys.stdlib_module_names
        if not declared & {normalized(provider) for provider in providers.get(name, [])}
    }
    assert not undeclared, "name the distribution in pyproject.toml, with its reason"


def locked(repository_root, name: str) -> dict[str, str]:
    """Each locked distribution's lines."""
    text = (repository_root / "requirements" / f"{name}.txt").read_text()
    blocks = re.split(r"\n(?=[a-z0-9])", re.sub(r"(?m)^#.*\n", "", text))
    return {re.match(r"[\w.-]+(?:\[[\w,-]+\])?==[^\s\\;]+", block)[0]: block for block in blocks if block.strip()}


@pytest.mark.parametrize("name", ["generate", "test"])
def test_locks_are_hashed(repository_root, name):
    unhashed = [pin for pin, block in locked(repository_root, name).items() if "--hash=sha256:" not in block]
    assert not unhashed


def test_test_lock_contains_the_generate_lock(repository_root):
    assert locked(repository_root, "generate").keys() <= locked(repository_root, "test").keys()


def test_generate_lock_meets_the_project_requirements(repository_root, pyproject):
    extras = pyproject["project"]["optional-dependencies"]
    lines = pyproject["project"]["dependencies"] + extras["newton"] + extras["render"] + extras["xarray"]
    pins = dict(pin.split("==") for pin in locked(repository_root, "generate"))
    unmet = [
        line
        for requirement, line in ((Requirement(line), line) for line in lines)
        if not requirement.specifier.contains(pins.get(normalized(requirement.name), "0"))
    ]
    assert not unmet, "the lock is older than pyproject.toml: make lock"


def test_torch_is_in_no_lock(repository_root):
    for name in ("generate", "test"):
        assert not [pin for pin in locked(repository_root, name) if pin.startswith("torch==")]
