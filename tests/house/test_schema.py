"""The published JSON schema of a scene spec is the one the code has."""

import json


def test_schema_file_is_what_the_code_exports(repository_root):
    from simfactory.spec import json_schema

    path = repository_root / "docs" / "scene-spec.schema.json"
    published = json.loads(path.read_text(encoding="utf-8"))
    assert published == json_schema(), (
        f"{path.name} is out of date; write it anew: "
        "python -c 'import json, simfactory.spec; print(json.dumps(simfactory.spec.json_schema(), indent=2))' "
        "> docs/scene-spec.schema.json"
    )


def test_every_field_is_described_and_every_number_has_its_bounds():
    from simfactory.spec import json_schema

    schema = json_schema()
    records = {"SceneSpec": schema, **schema["$defs"]}
    for name, record in records.items():
        for field, entry in record["properties"].items():
            if "const" in entry:
                continue
            description = entry.get("description", "")
            assert description, f"{name}.{field} has no description"
            if is_number(entry):
                assert any(mark in description for mark in "0123456789"), (
                    f"{name}.{field}: {description!r} has no range"
                )


def is_number(entry):
    options = [entry, *entry.get("anyOf", []), *entry.get("prefixItems", [])]
    return any(option.get("type") in ("number", "integer") for option in options)
