"""What the recipes are looked at with: the real Compose binary, and a .env filled in as the documentation says."""

import json
import os
import re
import subprocess
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import pytest

# One machine's own settings must not decide what a test sees.
BARE = {"PATH": os.environ["PATH"], "HOME": "/nonexistent"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Rendered:
    """What Compose answered."""

    code: int
    output: str
    error: str

    @property
    def services(self) -> dict:
        assert self.code == 0, self.error
        return json.loads(self.output)["services"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Compose:
    """The real Compose v2; it needs no engine to read, check and render a file."""

    binary: Path
    root: Path
    env_file: Path

    def config(self, *profiles: str, file: Path | None = None, env: str | None = None) -> Rendered:
        """Render a file.

        Args:
            profiles: Active ones.
            file: What to render instead of the repository's compose.yaml.
            env: What .env holds instead of every needed variable.
        """
        env_file = self.env_file
        if env is not None:
            env_file = self.env_file.with_name("other.env")
            env_file.write_text(env, encoding="utf-8")
        command = [self.binary, "--project-directory", self.root, "--env-file", env_file]
        command += ["--file", file or self.root / "compose.yaml"]
        for profile in profiles:
            command += ["--profile", profile]
        # The binary itself: the package's own command ends with 0 whatever the binary says.
        process = subprocess.run(
            [*command, "config", "--format", "json"], env=BARE, capture_output=True, text=True, timeout=60, check=False
        )
        return Rendered(code=process.returncode, output=process.stdout, error=process.stderr)


def documented_block(root: Path, first_words: str) -> str:
    """Return the shell block of docs/deployment.md that begins so."""
    text = (root / "docs" / "deployment.md").read_text(encoding="utf-8")
    (block,) = [
        code
        for code in re.findall(r"^```sh\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
        if code.startswith(first_words)
    ]
    return block


@pytest.fixture(scope="session")
def compose(repository_root, tmp_path_factory) -> Compose:
    """Compose, with the .env that the documented command makes of .env.example."""
    folder = tmp_path_factory.mktemp("compose")
    (folder / ".env.example").write_bytes((repository_root / ".env.example").read_bytes())
    block = documented_block(repository_root, "umask 077")
    subprocess.run(["sh", "-euc", block], cwd=folder, env=BARE, timeout=60, check=True)
    binary = Path(find_spec("compose").origin).with_name("docker-compose")
    return Compose(binary=binary, root=repository_root, env_file=folder / ".env")
