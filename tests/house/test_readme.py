"""The README's examples run: every `python` and `sh` block right below a `<!-- test -->` line, in one folder."""

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from simfactory import open_dataset

MARKED_BLOCK = re.compile(r"^<!-- test -->\n```(python|sh)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
FILE_BLOCK = re.compile(r"^<!-- file: (\S+) -->\n```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
MARK = re.compile(r"^<!-- test -->", re.MULTILINE)


@dataclass(frozen=True, kw_only=True, slots=True)
class Example:
    """One marked block."""

    line: int
    language: str
    code: str


def examples_in(text: str) -> list[Example]:
    """Return the marked blocks in order; a mark without a block under it is an error."""
    examples = [
        Example(line=text.count("\n", 0, match.start()) + 2, language=match[1], code=match[2])
        for match in MARKED_BLOCK.finditer(text)
    ]
    marks = len(MARK.findall(text))
    assert marks == len(examples), f"{marks} marks but {len(examples)} python or sh blocks right below one"
    return examples


def run_example(example: Example, folder: Path) -> None:
    """Run one block in a process of its own, with this environment's commands first on the path."""
    environment = os.environ | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    interpreter = [sys.executable] if example.language == "python" else ["sh", "-eux"]
    command = [*interpreter, "-c", example.code]
    process = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert process.returncode == 0, (
        f"the {example.language} block at line {example.line} ended with {process.returncode}\n"
        f"{process.stdout[-4000:]}\n{process.stderr[-4000:]}"
    )


@pytest.mark.slow
def test_readme_examples_run(repository_root, tmp_path):
    examples = examples_in((repository_root / "README.md").read_text(encoding="utf-8"))
    assert {example.language for example in examples} == {"python", "sh"}, "the README shows a command and a program"
    for example in examples:
        run_example(example, tmp_path)


def test_the_category_that_the_readme_adds_works(repository_root, tmp_path):
    """With its file in place, the command makes a clip of it."""
    ((path, code),) = FILE_BLOCK.findall((repository_root / "README.md").read_text(encoding="utf-8"))
    shutil.copytree(repository_root / "scenes", tmp_path / "scenes", ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / path).write_text(code, encoding="utf-8")
    command = [sys.executable, "-c", "from simfactory.cli import main; main()", "generate", "--category", "sport"]
    command += ["--clips", "1", "--views", "1", "--frames", "12", "--size", "64x64", "--out", "data", "--workers", "1"]
    environment = os.environ | {"PYTHONPATH": str(tmp_path)}
    process = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert process.returncode == 0, process.stderr
    (clip,) = open_dataset(tmp_path / "data")
    assert (clip.spec["category"], clip.spec["scene"]) == ("sport", "rubber_ball")


SAMPLE = """
Write, then read:

<!-- test -->
```sh
echo 1 > count
```

```sh
exit 7
```

<!-- test -->
```python
assert open("count").read() == "1\\n"
```
"""


def test_only_marked_blocks_run_in_one_folder(tmp_path):
    examples = examples_in(SAMPLE)
    assert [(example.line, example.language) for example in examples] == [(5, "sh"), (14, "python")]
    for example in examples:
        run_example(example, tmp_path)
    assert (tmp_path / "count").exists()


def test_a_failing_example_fails(tmp_path):
    with pytest.raises(AssertionError, match="line 3 ended with 1"):
        run_example(Example(line=3, language="python", code="assert 1 == 2"), tmp_path)


def test_a_mark_without_a_block_is_an_error():
    with pytest.raises(AssertionError, match="1 marks but 0"):
        examples_in("<!-- test -->\n\n```sh\ntrue\n```\n")
