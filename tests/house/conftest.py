"""What the house rules look at: the files of the repository and the syntax trees of its packages."""

import ast
import subprocess
import tomllib
from dataclasses import dataclass
from pathlib import Path

import pytest


@dataclass(frozen=True, kw_only=True, slots=True)
class Source:
    """One Python module of a shipped package."""

    path: Path  # relative to the repository
    text: str
    tree: ast.Module

    @property
    def line_count(self) -> int:
        return len(self.text.splitlines())


@pytest.fixture(scope="session")
def pyproject(repository_root: Path) -> dict:
    return tomllib.loads((repository_root / "pyproject.toml").read_text())


@pytest.fixture(scope="session")
def package_names(pyproject: dict) -> list[str]:
    """The shipped import packages."""
    return pyproject["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]


@pytest.fixture(scope="session")
def repository_files(repository_root: Path) -> list[Path]:
    """Every file that is or could be committed, relative to the repository."""
    # A checkout may belong to another user than the one who tests it, which git refuses unless told.
    command = ["git", "-c", "safe.directory=*", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        listing = subprocess.run(command, cwd=repository_root, capture_output=True, text=True, check=True).stdout
    except (FileNotFoundError, subprocess.CalledProcessError):
        pytest.skip("not a git checkout")
    return sorted(
        path for name in set(listing.split("\0")) if name and (repository_root / (path := Path(name))).is_file()
    )


@pytest.fixture(scope="session")
def text_files(repository_root: Path, repository_files: list[Path]) -> dict[Path, str]:
    """The committed files that are text."""
    texts = {}
    for path in repository_files:
        content = (repository_root / path).read_bytes()
        if b"\0" not in content:
            texts[path] = content.decode("utf-8")
    return texts


@pytest.fixture(scope="session")
def sources(repository_root: Path, package_names: list[str]) -> list[Source]:
    """Every module of the shipped packages."""
    paths = [path for name in package_names for path in sorted((repository_root / name).rglob("*.py"))]
    assert paths, f"no module in {package_names}"
    return [
        Source(path=path.relative_to(repository_root), text=text, tree=ast.parse(text, filename=str(path)))
        for path in paths
        for text in [path.read_text(encoding="utf-8")]
    ]
