"""The README's table of arrays is what the annotations yield."""


def test_readme_lists_every_array_as_the_code_describes_it(repository_root):
    from simfactory.annotations import annotations

    text = (repository_root / "README.md").read_text(encoding="utf-8")
    listed = [line for line in text.splitlines() if line.startswith("| `")]
    expected = [
        f"| `{signal.name}` | {' × '.join(signal.dims)} | {signal.dtype} | {signal.unit} | {signal.description} |"
        for annotation in annotations()
        for signal in annotation.signals
    ]
    assert listed == expected
