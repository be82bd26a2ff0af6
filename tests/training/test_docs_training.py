"""docs/training.md lists every value that can be set, with its default and meaning."""

import inspect
import re
from dataclasses import fields, is_dataclass
from typing import get_type_hints

from training.config import Config
from training.config_files import config_names


def described(kind):
    """The attributes of a dataclass's docstring: name → words."""
    text = inspect.cleandoc(kind.__doc__).split("Attributes:\n")[1]
    text = text.split("\nRaises:")[0]
    entries = re.findall(r"^ {4}(\w+): (.*(?:\n {8}.*)*)", text, flags=re.MULTILINE)
    return {name: " ".join(words.split()) for name, words in entries}


def rows(kind, prefix=""):
    hints = get_type_hints(kind)
    for field in fields(kind):
        if is_dataclass(hints[field.name]):
            yield from rows(hints[field.name], f"{prefix}{field.name}.")
        else:
            default = getattr(Config(stage="sft"), prefix[:-1]) if prefix else Config(stage="sft")
            value = "" if prefix + field.name == "stage" else f"`{getattr(default, field.name)}`"
            yield f"| `{prefix}{field.name}` | {value} | {described(kind)[field.name].replace('|', '∣')} |"


def test_the_table_lists_what_can_be_set(repository_root):
    text = (repository_root / "docs" / "training.md").read_text(encoding="utf-8")
    table = text.split("<!-- table: begin -->\n")[1].split("<!-- table: end -->")[0]
    wanted = "\n".join(["| name | default | meaning |", "|---|---|---|", *rows(Config)]) + "\n"
    assert len(list(rows(Config))) == len(config_names())
    assert table == wanted, f"put this between the marks of docs/training.md:\n{wanted}"
