"""Filters: one file each, found by looking; nothing is listed by hand."""

import importlib
import pkgutil
from collections.abc import Collection, Mapping
from dataclasses import replace
from functools import cache

from simfactory.errors import SpecError
from training.videos.filters.base import Context, Range, ShotFilter

__all__ = ["Context", "Range", "ShotFilter", "choose_filters", "filter_names"]


@cache
def _discovered() -> dict[str, ShotFilter]:
    """Return the `FILTER` of every module of this folder that has one, by name."""
    modules = (importlib.import_module(f"{__name__}.{module.name}") for module in pkgutil.iter_modules(__path__))
    found: list[ShotFilter] = [module.FILTER for module in modules if hasattr(module, "FILTER")]
    return {each.name: each for each in sorted(found, key=lambda each: (each.cost, each.name))}


def filter_names() -> tuple[str, ...]:
    """Return the names of all filters, in the order in which they run."""
    return tuple(_discovered())


def choose_filters(
    *, without: Collection[str] = (), also: Collection[str] = (), ranges: Mapping[str, Range] | None = None
) -> tuple[ShotFilter, ...]:
    """Return the filters that are to run, in their order.

    Args:
        without: Those that are not.
        also: Optional ones that are.
        ranges: Figure → range in place of its filter's own.

    Raises:
        SpecError: A filter or a figure is unknown, a range is empty, or something must be installed first.
    """
    known = _discovered()
    if unknown := sorted({*without, *also} - known.keys()):
        raise SpecError(f"unknown filters {unknown}; choose from {', '.join(known)}")
    given = dict(ranges or {})
    figures = {figure: name for name, each in known.items() for figure in each.ranges}
    for figure, (least, most) in given.items():
        if figure not in figures:
            raise SpecError(f"no filter measures {figure!r}; choose from {', '.join(figures)}")
        if not least <= most:
            raise SpecError(f"{figure}={least:g}:{most:g} is empty; give the lower end first")
    chosen = [each for name, each in known.items() if name not in without and (not each.optional or name in also)]
    for each in chosen:
        if missing := each.missing():
            raise SpecError(f"filter {each.name!r} cannot run: {missing}")
    return tuple(
        replace(each, ranges={figure: given.get(figure, own) for figure, own in each.ranges.items()}) for each in chosen
    )
