"""The service's description: committed, complete, and of a form that every reader of JSON Schema knows."""

import json
import re
import runpy

import pytest

METHODS = {"get", "put", "post", "delete", "patch", "head", "options"}


@pytest.fixture(scope="module")
def document(repository_root):
    return json.loads((repository_root / "docs/openapi.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def operations(document):
    return [
        (method, path, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
        if method in METHODS
    ]


def keys_in(value):
    if isinstance(value, dict):
        yield from value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from keys_in(inner)


def test_committed_description_is_that_of_the_routes(repository_root):
    made = runpy.run_path(str(repository_root / "deploy/openapi.py"))["document_text"]()
    committed = (repository_root / "docs/openapi.json").read_text(encoding="utf-8")
    assert made == committed, "`make openapi` writes it anew"


def test_served_description_is_the_committed_one(client, document):
    assert client.get("/v1/openapi.json").json() == document


def test_there_are_no_tuples(document):
    found = list(keys_in(document))
    assert "prefixItems" not in found
    assert "maxItems" in found  # arrays of fixed length are there


def test_operation_ids_are_short_and_unique(operations):
    ids = [operation["operationId"] for _, _, operation in operations]
    assert len(ids) == len(set(ids)) > 20
    assert all(re.fullmatch(r"[a-z]+_[a-z_]{2,20}", each) for each in ids), ids


def test_every_error_is_documented_as_a_problem(document, operations):
    problems = document["components"]["responses"]
    for method, path, operation in operations:
        errors = {status: told for status, told in operation["responses"].items() if status >= "4"}
        assert {"400", "405", "413", "422", "500", "503"} <= errors.keys(), (method, path)
        for status, told in errors.items():
            if "$ref" in told:
                told = problems[told["$ref"].rpartition("/")[2]]
                assert list(told["content"]) == ["application/problem+json"], (method, path, status)
            else:
                assert (path, status) == ("/readyz", "503"), "health tells its parts, also when they fail"


def test_what_needs_a_token_says_so_and_what_it_may_answer(operations):
    open_paths = {"/healthz", "/readyz"}
    for method, path, operation in operations:
        if path in open_paths or (path == "/v1/session" and method != "get"):
            assert "security" not in operation
        else:
            assert operation["security"], (method, path)
            assert operation["x-scope"] in ("read", "submit", "admin")
            assert {"401", "403"} <= operation["responses"].keys()


def test_everything_says_what_it_does(operations):
    assert all(operation.get("description") for _, _, operation in operations)
