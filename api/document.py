"""The service's description as OpenAPI: short operation ids, every answer named, errors as problems."""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute
from starlette.routing import Match
from starlette.types import Scope

from api.problems import TITLES
from api.routes import routers
from api.security import COOKIE, Requirement
from simfactory.protocol import Problem, ProblemItem

__all__ = ["allowed_methods", "described", "operation_id"]

PROBLEM = "application/problem+json"
ALWAYS = (400, 405, 411, 413, 422, 500, 503)  # what any request may get
Json = dict[str, Any]  # Any: JSON


def operation_id(route: APIRoute) -> str:
    """Return the id of a route: what it is about, and its function."""
    return f"{route.tags[0] if route.tags else 'service'}_{route.name}"


def allowed_methods(scope: Scope) -> set[str]:
    """Return the methods that some route takes at a path."""
    fitting = [route for route in _routes() if route.matches(scope)[0] is not Match.NONE]
    return {method for route in fitting for method in route.methods or ()}


def described(app: FastAPI) -> Json:
    """Return the OpenAPI document; made once."""
    if app.openapi_schema is not None:
        return app.openapi_schema
    document = get_openapi(title=app.title, version=app.version, summary=app.summary, routes=app.routes)
    parts = document.setdefault("components", {})
    schemas = parts.setdefault("schemas", {})
    for name in ("HTTPValidationError", "ValidationError"):  # FastAPI's own form of errors, which is not ours
        schemas.pop(name, None)
    reference = "#/components/schemas/{model}"
    schemas["ProblemItem"] = ProblemItem.model_json_schema()
    schemas["Problem"] = Problem.model_json_schema(ref_template=reference)
    schemas["Problem"].pop("$defs", None)
    parts["responses"] = {
        f"Problem{status}": {
            "description": title,
            "content": {PROBLEM: {"schema": {"$ref": reference.format(model="Problem")}}},
        }
        for status, title in TITLES.items()
    }
    parts["securitySchemes"] = {
        "bearer": {"type": "http", "scheme": "bearer"},
        "cookie": {"type": "apiKey", "in": "cookie", "name": COOKIE},
    }
    for route in _routes():
        for method in route.methods or () if route.include_in_schema else ():
            _complete(document["paths"][route.path_format][method.lower()], route)
    document["components"] = {kind: dict(sorted(entries.items())) for kind, entries in sorted(parts.items())}
    app.openapi_schema = document
    return document


def _routes() -> list[APIRoute]:
    return [route for router in routers() for route in router.routes if isinstance(route, APIRoute)]


def _complete(operation: Json, route: APIRoute) -> None:
    """Name the answers of an operation, and who may call it."""
    for parameter in operation.get("parameters", ()):  # what is left out is absent: an address holds no null
        choices = [each for each in parameter["schema"].get("anyOf", ()) if each != {"type": "null"}]
        if len(choices) == 1:
            parameter["schema"] = {**parameter["schema"], **choices[0]}
            del parameter["schema"]["anyOf"]
    scopes = [each.dependency.scope for each in route.dependencies if isinstance(each.dependency, Requirement)]
    if scopes:
        operation["security"] = [{"bearer": []}, {"cookie": []}]
        operation["x-scope"] = scopes[0]
    responses = operation["responses"]
    responses.pop("422", None)
    extra = set(responses) - {"200", "201", "202", "204", "206", "304", "503"}
    statuses = {*ALWAYS, *map(int, extra), *((401, 403) if scopes else ()), *((404,) if "{" in route.path else ())}
    for status in statuses:
        responses.setdefault(str(status), {})
        if "content" not in responses[str(status)]:
            responses[str(status)] = {"$ref": f"#/components/responses/Problem{status}"}
    operation["responses"] = dict(sorted(responses.items()))
