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
