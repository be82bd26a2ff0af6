"""What is left of a base scene when the parameters of Table 1 are left out: who takes part, and how it is laid out."""

import dataclasses

from scenes.category import BaseScene, Role

__all__ = ["alike"]

# Words and what Table 1 varies: materials and sizes. Shapes are compared apart (`_common_shapes`).
LEFT_OUT = {"name", "materials", "size", "length", "radius", "resolution", "edge", "shapes", "patterns"}


def alike(one: BaseScene, other: BaseScene) -> bool:
    """Tell whether two base scenes differ in nothing but parameters: an episode of one could be one of the other."""
    return _structure(one) == _structure(other) and _common_shapes(one, other)


def _structure(row: BaseScene) -> tuple[object, ...]:
    order = {role.name: number for number, role in enumerate(row.roles)}
    parts = [(type(role), _options(role, order)) for role in row.roles]
    layout = [
        (tuple(order[name] for name in names), type(placement), _options(placement, order))
        for names, placement in row.layout
    ]
    plume = None if row.plume is None else tuple(order[name] for name in row.plume[:2])
    return parts, layout, row.floor is not None, row.oven is not None, plume, row.air == "wind"


def _options(item: object, order: dict[str, int]) -> list[tuple[str, object]]:
    """Return an item's options by name, roles by their number."""
    return [
        (field.name, _option(getattr(item, field.name), field, order))
        for field in dataclasses.fields(item)
        if field.name not in LEFT_OUT
    ]


def _option(value: object, field: dataclasses.Field, order: dict[str, int]) -> object:
    """Return an option: of a number or a range only its sign, unless it is a range of one value, or a count."""
    if field.type is str:  # the name of a role, or none
        return order.get(value, value)
    if field.name == "counts":
        return tuple(sorted(value.items()))
    if isinstance(value, bool) or field.name == "count":
        return value
    if isinstance(value, int | float):
        return (value > 0) - (value < 0)
    if isinstance(value, tuple) and value and all(isinstance(item, int | float) for item in value):
        middle = sum(value)
        return value if len(set(value)) == 1 else (middle > 0) - (middle < 0)
    return value


def _common_shapes(one: BaseScene, other: BaseScene) -> bool:
    return all(not _shapes(a) or bool(_shapes(a) & _shapes(b)) for a, b in zip(one.roles, other.roles, strict=True))


def _shapes(role: Role) -> set[str]:
    return {*getattr(role, "shapes", ()), *getattr(role, "patterns", ())}
