"""What happens: categories, base scenes, materials, and the sampler that turns them into scene specs."""

from scenes.category import BaseScene, Category
from scenes.listing import CatalogueEntry, catalogue, names
from scenes.sample import sample

__all__ = ["BaseScene", "CatalogueEntry", "Category", "catalogue", "names", "sample"]
