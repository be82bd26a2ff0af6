"""What the clip viewer is sent: pictures, 4D points, tracks, mechanics and a description, of any clip that is open."""

from api.viewer.cloud import POINTS_MAX, cloud_payload
from api.viewer.description import description
from api.viewer.mechanics import mechanics
from api.viewer.strips import STRIP_MAX, strip
from api.viewer.tracks import tracks_payload

__all__ = ["POINTS_MAX", "STRIP_MAX", "cloud_payload", "description", "mechanics", "strip", "tracks_payload"]
