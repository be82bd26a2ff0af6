"""Where things are: placements, clearances, camera rigs, lights and rooms."""

from layouts.clearance import certify, certify_cameras
from layouts.region import Region, action_region
from layouts.rooms import enclose, lamps
from layouts.solids import Solid, solid
from layouts.stage import Stage
from layouts.streams import Streams

__all__ = [
    "Region",
    "Solid",
    "Stage",
    "Streams",
    "action_region",
    "certify",
    "certify_cameras",
    "enclose",
    "lamps",
    "solid",
]
