"""What no committed text holds: one machine's paths, package indexes, loose TODOs; and no Any without a reason."""

import ast
import re

import pytest

# Written so that the patterns do not match themselves.
MACHINE_PATH = re.compile(r"(?<![\w.}/-])/(?:home|root|Users|work|mnt|scratch)/\w")
INDEX_ADDRESS = re.compile(
    r"(?:pypi|pythonhosted)[.](?:org|io)|--(?:extra-)?index-ur[l]|--find-link[s]|://[^\s/]+/simple\b"
)
LOOSE_TODO = re.compile(r"\b(?:TOD[O]|FIXM[E]|XX[X])\b(?!\(#\d+\))")


def matches(text_files, pattern):
    return [
        f"{path}:{number}: {line.strip()[:120]}"
        for path, text in text_files.items()
        for number, line in enumerate(text.splitlines(), start=1)
        if pattern.search(line)
    ]


def test_no_machine_path_is_named(text_files):
    assert not matches(text_files, MACHINE_PATH), "a path that exists on one machine only"


def test_no_package_index_is_named(text_files):
    assert not matches(text_files, INDEX_ADDRESS), "which index to use is the installing machine's own setting"


def test_todos_name_an_issue(text_files):
    assert not matches(text_files, LOOSE_TODO), "a thing to do names its issue in the form of TODO(#12)"


def test_any_and_ignored_types_carry_a_reason(sources):
    unexplained = [
        f"{source.path}:{number}: {line.strip()}" for source in sources for number, line in unreasoned(source.text)
    ]
    assert not unexplained, "write the reason: `# Any: …` on the line or the one above, `# type: ignore[code]  # …`"


def unreasoned(text):
    """Find lines that use Any without a comment there or above, or ignore a type without saying why."""
    lines = text.splitlines()
    commented = {number for number, line in enumerate(lines, start=1) if "# " in line}
    used = {node.lineno for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Name) and node.id == "Any"}
    ignored = {
        number for number, line in enumerate(lines, start=1) if re.search(r"# type: ignore(\[[\w, -]+\])?\s*$", line)
    }
    explained = commented | {number + 1 for number in commented}
    return [(number, lines[number - 1]) for number in sorted((used - explained) | ignored)]


@pytest.mark.parametrize(
    ("text", "bad_lines"),
    [
        ("a: Any = 1", [1]),
        ("a: Any = 1  # Any: JSON", []),
        ("# JSON holds anything\na: Any = 1", []),
        ("a = f()  # type: ignore[misc]", [1]),
        ("a = f()  # type: ignore[misc]  # untyped there", []),
    ],
)
def test_reasons_are_looked_for_beside_the_line(text, bad_lines):
    assert [number for number, _ in unreasoned(text)] == bad_lines


@pytest.mark.parametrize(
    ("pattern", "bad", "good"),
    [
        (MACHINE_PATH, "open('/home" + "/ada/x.obj')", "GET /v1/jobs/home/x and out/work/x"),
        (INDEX_ADDRESS, "pip install --index" + "-url x", "pip install --require-hashes"),
        (LOOSE_TODO, "# TO" + "DO: later", "# TODO(#12): later"),
    ],
)
def test_patterns_tell_bad_from_good(pattern, bad, good):
    assert pattern.search(bad)
    assert not pattern.search(good)
