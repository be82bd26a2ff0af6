"""Values as they are written on the command line."""

from collections.abc import Iterable

from simfactory.errors import SpecError

__all__ = ["image_size", "listed", "parse_sweeps"]


def image_size(text: str) -> tuple[int, int]:
    """Return the width and height in a text like "256x256" [px].

    Raises:
        SpecError: The text has another form.
    """
    width, _, height = text.lower().partition("x")
    if not (width.isdigit() and height.isdigit()):
        raise SpecError(f"size is {text!r}; give WIDTHxHEIGHT in pixels, e.g. 256x256")
    return int(width), int(height)


def listed(text: str | None) -> tuple[str, ...]:
    """Return the parts of a comma-separated text."""
    return tuple(part.strip() for part in text.split(",") if part.strip()) if text else ()


def parse_sweeps(texts: Iterable[str]) -> dict[str, tuple[float, ...]]:
    """Return the values of each parameter from texts such as "friction=0.1,0.5,0.9".

    Raises:
        SpecError: A text has another form, a parameter is unknown, or a value is impossible.
    """
    from simfactory.parameters import checked_ranges

    found: dict[str, tuple[float, ...]] = {}
    for text in texts:
        name, _, rest = text.partition("=")
        try:
            values = tuple(float(part) for part in rest.split(","))
        except ValueError:
            raise SpecError(f"sweep {text!r}: give NAME=VALUE,VALUE, e.g. friction=0.1,0.5,0.9") from None
        if name in found or len(set(values)) < max(len(values), 2):
            raise SpecError(f"sweep {text!r}: give each parameter once, with two or more different values")
        for value in values:
            checked_ranges({name: (value, value)})
        found[name] = values
    return found
