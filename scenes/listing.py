"""What can be sampled: categories and their base scenes, found in `scenes.categories`."""

from dataclasses import dataclass
from functools import cache

import scenes.categories
from layouts.discovery import discover
from scenes.benchmark import recorded, scenarios
from scenes.category import BaseScene, Category
from simfactory.errors import SpecError
from simfactory.spec import Split, Tier

__all__ = ["CatalogueEntry", "benchmark_catalogue", "catalogue", "categories", "find_category", "find_scenes", "names"]


@dataclass(frozen=True, kw_only=True, slots=True)
class CatalogueEntry:
    """One base scene, described; `tier` is that of its simplest episodes, `tiers` are all it is sampled in."""

    name: str
    category: str
    tier: Tier
    tiers: tuple[Tier, ...]
    description: str
    phenomena: tuple[str, ...]
    split: Split


@cache
def categories() -> dict[str, Category]:
    """Return the categories by name."""
    return discover(scenes.categories, "CATEGORY", Category)


@cache
def catalogue() -> tuple[CatalogueEntry, ...]:
    """Return all base scenes, by category.

    Raises:
        SpecError: Two base scenes have the same name.
    """
    entries = tuple(
        CatalogueEntry(
            name=scene.name,
            category=category.name,
            tier=scene.tiers[0],
            tiers=scene.tiers,
            description=scene.description,
            phenomena=scene.phenomena,
            split=scene.split,
        )
        for category in categories().values()
        for scene in category.scenes
    )
    found = [*(entry.name for entry in entries), *scenarios()]
    repeated = sorted({name for name in found if found.count(name) > 1})
    if repeated:
        raise SpecError(f"base scenes {repeated} exist twice; each name is allowed once: rename one of them")
    return entries


@cache
def benchmark_catalogue() -> tuple[CatalogueEntry, ...]:
    """Return the benchmark scenes, which are never sampled."""
    return tuple(
        CatalogueEntry(
            name=one.name,
            category=one.category,
            tier=recorded(one, take=1).tier,
            tiers=(recorded(one, take=1).tier,),
            description=one.caption,
            phenomena=one.phenomena,
            split="benchmark",
        )
        for one in scenarios().values()
    )


def names() -> tuple[str, ...]:
    """Return the names of all base scenes."""
    return tuple(entry.name for entry in catalogue())


def find_category(name: str) -> Category:
    """Return a category.

    Raises:
        SpecError: There is none of this name.
    """
    try:
        return categories()[name]
    except KeyError:
        raise SpecError(f"category {name!r} is unknown; allowed are {sorted(categories())}: name one of them") from None


def find_scenes(category: Category, *, scene: str | None, tier: Tier | None) -> tuple[BaseScene, ...]:
    """Return the base scenes of a category that bear a name and serve a tier, where given.

    Raises:
        SpecError: There is none.
    """
    named = tuple(row for row in category.scenes if scene is None or row.name == scene)
    if not named:
        allowed = sorted(row.name for row in category.scenes)
        raise SpecError(f"scene {scene!r} is unknown in category {category.name!r}; allowed are {allowed}: name one")
    serving = tuple(row for row in named if tier is None or tier in row.tiers)
    if not serving:
        allowed = sorted({allowed for row in named for allowed in row.tiers})
        raise SpecError(
            f"tier {tier!r} is not served by {f'scene {scene!r}' if scene else f'category {category.name!r}'}; "
            f"allowed are {allowed}: choose one of these or leave the tier open"
        )
    return serving
