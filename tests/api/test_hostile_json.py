"""Whatever JSON comes in, as a spec, a job or a cursor: an answer or a clean error."""

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from api.paging import decode_cursor
from api.problems import ProblemError
from api.strict_json import read_json
from simfactory.errors import SpecError
from simfactory.spec import parse_spec
from simfactory.testing.specs import make_spec
from tests.api.conftest import JOB

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(-(2**70), 2**70)
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from(["", "\x00", "\ud800", "NaN", "../..", "rigid", "x" * 5000])
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)
SPEC = json.loads(make_spec(frame_count=4, size=(32, 32)).model_dump_json())


def places(value, path=()):
    """Return the paths of everything in a JSON value."""
    yield path
    for key, inner in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield from places(inner, (*path, key))


def changed(value, path, new):
    if not path:
        return new
    key, *rest = path
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[key] = changed(value[key], rest, new)
    return copy


DAMAGED_SPECS = st.builds(lambda path, new: changed(SPEC, path, new), st.sampled_from(list(places(SPEC))), VALUES)


@settings(max_examples=300)
@given(VALUES | DAMAGED_SPECS)
def test_any_json_is_a_spec_or_a_spec_error(value):
    try:
        spec = parse_spec(value)
    except SpecError:
        return
    assert parse_spec(json.loads(spec.model_dump_json())) == spec


@settings(max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(DAMAGED_SPECS, min_size=1, max_size=2))
def test_job_of_any_specs_is_answered(client, specs):
    body = json.dumps({"dataset": "d", "backend": "mock", "specs": specs}).encode()
    answer = client.post("/v1/jobs?dry_run=true", content=body, headers={"content-type": "application/json"})
    assert answer.status_code in (200, 400, 422), answer.text
    if answer.status_code == 422:
        assert all(error["pointer"].startswith("/specs") for error in answer.json()["errors"])


@settings(max_examples=120, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(sorted([*JOB, "ranges", "sweeps", "seeds", "split", "tags", "template", "fps"])), VALUES)
def test_job_with_any_value_is_answered(client, name, value):
    body = json.dumps({**JOB, name: value}).encode()
    answer = client.post("/v1/jobs?dry_run=true", content=body, headers={"content-type": "application/json"})
    assert answer.status_code in (200, 400, 422), answer.text


@settings(max_examples=300)
@given(st.binary(max_size=200) | VALUES.map(lambda value: json.dumps(value).encode()))
def test_any_body_is_read_or_a_problem(body):
    try:
        value = read_json(body)
    except ProblemError:
        return
    assert json.loads(json.dumps(value, allow_nan=False)) == value


@settings(max_examples=300)
@given(st.text(max_size=600) | st.binary(max_size=300).map(bytes.hex))
def test_any_cursor_is_a_problem(cursor):
    with pytest.raises(ProblemError):
        decode_cursor(b"k" * 32, "jobs", cursor)
