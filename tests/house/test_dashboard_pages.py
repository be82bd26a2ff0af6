"""What docs/dashboard.md shows is there: its pictures, small ones, and its example runs."""

import re

import pytest

from simfactory.runs import read_run

BYTES_MAX = 2_500_000


@pytest.fixture(scope="module")
def text(repository_root):
    return (repository_root / "docs" / "dashboard.md").read_text(encoding="utf-8")


def test_pictures_are_there_described_and_small(repository_root, text):
    named = re.findall(r"!\[([^\]]*)\]\((images/[^)]+)\)", text)
    named += [(alt, path) for path, alt in re.findall(r'<img src="([^"]+)"[^>]* alt="([^"]*)"', text)]
    assert len(named) > 8
    for words, path in named:
        assert len(words) > 10, f"{path} has no description"
        assert (repository_root / "docs" / path).is_file()
    folder = repository_root / "docs" / "images" / "dashboard"
    assert sum(path.stat().st_size for path in folder.iterdir()) < BYTES_MAX


def test_every_page_has_its_picture(repository_root):
    script = (repository_root / "deploy" / "screenshots.py").read_text(encoding="utf-8")
    names = set(re.findall(r'Shot\("([a-z-]+)"', script))
    folder = repository_root / "docs" / "images" / "dashboard"
    assert {path.stem for path in folder.iterdir()} == names


def test_the_example_writes_a_run(text, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (code,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    exec(compile(code, "docs/dashboard.md", "exec"), {})  # nosec B102  # our own text
    record = read_run(tmp_path / "runs" / "first")
    assert (record.state, record.step, record.steps) == ("completed", 1000, 1000)
