"""Size, names and exports of modules, classes and functions."""

import ast

import pytest

MODULE_LINE_LIMIT = 600
FUNCTION_LINE_LIMIT = 80
VAGUE_MODULES = {"utils", "util", "helpers", "helper", "common", "misc"}
VAGUE_SUFFIXES = ("Manager", "Handler", "Data", "Info")


def test_modules_are_short(sources):
    long = [f"{source.path}: {source.line_count} lines" for source in sources if source.line_count > MODULE_LINE_LIMIT]
    assert not long, f"modules have at most {MODULE_LINE_LIMIT} lines"


def test_functions_are_short(sources):
    long = [
        f"{source.path}:{node.lineno} {node.name}: {length} lines"
        for source in sources
        for node in ast.walk(source.tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (length := node.end_lineno - node.lineno + 1) > FUNCTION_LINE_LIMIT
    ]
    assert not long, f"functions have at most {FUNCTION_LINE_LIMIT} lines"


def test_modules_are_nouns(sources):
    vague = [
        source.path
        for source in sources
        if VAGUE_MODULES & {part.strip("_") for part in source.path.with_suffix("").parts}
    ]
    assert not vague, "name a module after what it holds"


def test_classes_have_precise_names(sources):
    vague = [
        f"{source.path}:{node.lineno} {node.name}"
        for source in sources
        for node in ast.walk(source.tree)
        if isinstance(node, ast.ClassDef) and node.name.endswith(VAGUE_SUFFIXES)
    ]
    assert not vague, f"no class is called *{', *'.join(VAGUE_SUFFIXES)}: say what it is"


def test_modules_say_what_they_hold(sources):
    silent = [source.path for source in sources if ast.get_docstring(source.tree) is None]
    assert not silent, "a module begins with one sentence that says what it holds"


def exports_of(tree: ast.Module) -> list[str] | None:
    for node in tree.body:
        targets = (
            node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
        )
        if any(isinstance(target, ast.Name) and target.id == "__all__" for target in targets):
            return ast.literal_eval(node.value)
    return None


def test_public_packages_list_their_names(sources):
    unlisted = [
        source.path
        for source in sources
        if source.path.name == "__init__.py"
        and not any(part.startswith("_") for part in source.path.parent.parts)
        and exports_of(source.tree) is None
    ]
    assert not unlisted, "every public package has __all__, if an empty one"


def test_every_folder_of_modules_is_a_package(sources, repository_root):
    folders = {source.path.parent for source in sources}
    bare = sorted(folder for folder in folders if not (repository_root / folder / "__init__.py").is_file())
    assert not bare, "these folders have no __init__.py"


@pytest.mark.parametrize(
    ("text", "expected"),
    [("__all__ = ['a', 'b']", ["a", "b"]), ("__all__: list[str] = []", []), ("a = 1", None)],
)
def test_exports_are_read_from_the_source(text, expected):
    assert exports_of(ast.parse(text)) == expected
