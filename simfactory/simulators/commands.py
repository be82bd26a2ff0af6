"""What the drives of an environment are told frame by frame, instead of following the waypoints of its spec."""

from collections.abc import Mapping
from typing import final

from pydantic import ValidationError

from simfactory.errors import SpecError
from simfactory.joints import Way, drive_of
from simfactory.spec import SceneSpec, Waypoint

__all__ = ["Commands"]


@final
class Commands:
    """The commands of one environment.

    Times and positions are rounded as those of a spec's waypoints, so that commands written back as waypoints are the
    same numbers.

    Args:
        spec: The scene.
    """

    def __init__(self, spec: SceneSpec) -> None:
        self._spec = spec
        self._drives = {joint.name: drive for joint in spec.joints if (drive := drive_of(joint)) is not None}
        self._ways: dict[str, tuple[int, Way]] = {}

    def give(self, frame: int, targets: Mapping[str, float]) -> dict[str, Way]:
        """Return the ways of joints in the coming frame: from where their last command ended, in a straight line.

        Given twice in one frame, the later targets hold.

        Args:
            frame: Frames completed.
            targets: Position at the end of the coming frame [rad or m] by name of the joint, 0 = as at t = 0.

        Raises:
            SpecError: A joint is unknown or has no drive, or a position is out of bounds; no command is taken then.
        """
        unknown = sorted(targets.keys() - self._drives.keys())
        if unknown:
            allowed = f"allowed are those with a drive: {sorted(self._drives)}" if self._drives else "none has a drive"
            raise SpecError(f"joints {unknown} of scene {self._spec.scene!r} cannot be driven; {allowed}")
        fps = self._spec.fps
        ways = {}
        for name, position in targets.items():
            try:
                end = Waypoint(time=(frame + 1) / fps, position=float(position))
            except ValidationError as error:
                raise SpecError(
                    f"joint {name!r} is sent to {position}; allowed is ±10,000 rad or m: {error}"
                ) from error
            ways[name] = (Waypoint(time=frame / fps, position=self._ended(name, frame)), end)
        self._ways.update({name: (frame, way) for name, way in ways.items()})
        return ways

    def forget(self) -> None:
        """Go back to the waypoints of the spec."""
        self._ways.clear()

    def _ended(self, name: str, frame: int) -> float:
        """Return where a joint's last command before a frame ended [rad or m]."""
        if name not in self._ways:
            return self._drives[name].wanted(frame / self._spec.fps)[0]
        since, (before, after) = self._ways[name]
        return before.position if since == frame else after.position
