"""The quality report of an episode: figures, a verdict, and machine-readable reasons."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from simfactory.episode import Surface, Trajectory, WorldState
from simfactory.joints import joint_states
from simfactory.quality.action import frames_inside
from simfactory.quality.cloth import crossing_share, edge_strain
from simfactory.quality.deformation import area_ratio, folded_share, rope_strain, volume_change
from simfactory.quality.energy import body_radii, energy_growth
from simfactory.quality.heat import temperature_excess
from simfactory.quality.particles import lost_grains
from simfactory.quality.penetration import penetration
from simfactory.quality.recording import ClipChecks
from simfactory.quality.thresholds import Thresholds
from simfactory.quality.violation import judge_violation
from simfactory.spec import BodyCloth, BodyInflatable, BodyRope, BodySoft, SceneSpec
from simfactory.store import JSON

__all__ = ["QualityReport", "episode_report", "has_left"]

EARTH = 9.81  # [m/s²]
BLOW = 30.0  # [1] force in a rope over the weight of all that moves, in the hardest blow


@dataclass(frozen=True, kw_only=True, slots=True)
class QualityReport:
    """What was measured of an episode, and what speaks against keeping it.

    Attributes:
        reasons: Codes, sorted: `not_finite`, `out_of_bounds`, `energy_growth`, `penetration`, `inverted_elements`,
            `broken_joint`, `lost_grains`, `overstretched`, `self_crossing`, `reprojection`, `flow`, `warp`,
            `camera_inside`, `empty_camera`, `unseen_action`; of an episode with a violation also `violation_unseen`
            and the names of other laws that are broken: `gravity`, `restitution`, `teleport`, `delay`.
        figures: Measured values by name; of several cameras, the worst. What does not apply is left out.
    """

    reasons: tuple[str, ...] = ()
    figures: dict[str, float] = field(default_factory=dict)

    @property
    def passed(self) -> bool:
        """Whether there is no reason against the episode."""
        return not self.reasons

    def to_json(self) -> dict[str, JSON]:
        """Return the report as JSON; figures that are not finite become None."""
        figures: dict[str, JSON] = {
            name: float(f"{value:.6g}") if math.isfinite(value) else None
            for name, value in sorted(self.figures.items())
        }
        return {"passed": self.passed, "reasons": list(self.reasons), "figures": figures}


def episode_report(
    spec: SceneSpec,
    trajectory: Trajectory,
    surfaces: Sequence[Surface],
    clips: Sequence[ClipChecks],
    *,
    thresholds: Thresholds | None = None,
) -> QualityReport:
    """Return the quality report of an episode.

    One with a violation must break this law, in the picture of every camera, and no other one.

    Args:
        spec: The scene.
        trajectory: All states.
        surfaces: Surfaces of the scene.
        clips: What each camera's recording measured; complete.
        thresholds: Limits; None = the project's.
    """
    limits = thresholds or Thresholds()
    if not _finite(trajectory):  # nothing else can be computed
        return QualityReport(reasons=("not_finite",))
    figures = _physics_figures(spec, trajectory, tuple(surfaces))
    figures |= _clip_figures(clips, limits)
    judged = judge_violation(spec, trajectory, surfaces, clips, limits)
    figures |= judged.figures
    reasons = set() if all(clip.finite for clip in clips) else {"not_finite"}
    for reason, name, limit in (
        ("out_of_bounds", "distance", limits.distance),
        ("out_of_bounds", "speed", limits.speed),
        ("out_of_bounds", "angular_speed", limits.angular_speed),
        ("energy_growth", "energy_growth", limits.energy_growth),
        ("penetration", "penetration", limits.penetration),
        ("broken_joint", "joint_gap", limits.joint_gap),
        ("broken_joint", "joint_tilt", limits.joint_tilt),
        ("inverted_elements", "area_ratio", limits.area_ratio),
        ("inverted_elements", "folded_share", limits.folded_share),
        ("inverted_elements", "volume_change", limits.volume_change),
        ("lost_grains", "lost_grains", limits.lost_grains),
        ("temperature", "temperature_excess", limits.temperature_excess),
        ("overstretched", "rope_strain", limits.rope_strain),
        ("overstretched", "edge_strain", limits.edge_strain),
        ("self_crossing", "crossing_share", limits.crossing_share),
        ("camera_inside", "camera_inside", 0.0),
        ("reprojection", "reprojection_px", limits.reprojection),
        ("reprojection", "depth_residual", limits.depth_residual),
        ("flow", "flow_residual", limits.flow_residual),
        ("warp", "warp_mismatch", limits.warp_mismatch),
    ):
        if not figures.get(name, 0.0) <= limit:
            reasons.add(reason)
    if figures.get("visible_frames", 1.0) < limits.visible_frames:
        reasons.add("empty_camera")
    elif spec.benchmark is None and figures.get("moving_area", 1.0) < limits.moving_area:
        reasons.add("unseen_action")
    reasons = (reasons - judged.excused) | judged.reasons
    return QualityReport(reasons=tuple(sorted(reasons)), figures=figures)


def has_left(state: WorldState, *, thresholds: Thresholds | None = None) -> bool:
    """Return whether an episode is bound to be refused as `not_finite` or `out_of_bounds`, by one of its states.

    Args:
        state: Of any frame.
        thresholds: Limits; None = the project's.
    """
    limits = thresholds or Thresholds()
    vertices = [np.abs(places).max() for places in state.vertices.values()]
    inside = (  # nan is not
        np.linalg.norm(state.position, axis=-1).max(initial=0.0) <= limits.distance,
        np.max(vertices, initial=0.0) <= limits.distance,
        np.linalg.norm(state.linear_velocity, axis=-1).max(initial=0.0) <= limits.speed,
        np.linalg.norm(state.angular_velocity, axis=-1).max(initial=0.0) <= limits.angular_speed,
    )
    return not all(inside) or not np.isfinite(state.quat_xyzw).all()


def _finite(trajectory: Trajectory) -> bool:
    states = (
        trajectory.position,
        trajectory.quat_xyzw,
        trajectory.linear_velocity,
        trajectory.angular_velocity,
        *trajectory.vertices.values(),
        *trajectory.temperatures.values(),
    )
    return all(bool(np.isfinite(state).all()) for state in states)


def _physics_figures(spec: SceneSpec, trajectory: Trajectory, surfaces: tuple[Surface, ...]) -> dict[str, float]:
    radii = body_radii(surfaces, len(spec.bodies))
    figures = {
        "distance": _distance(trajectory),
        "speed": float(np.linalg.norm(trajectory.linear_velocity, axis=-1).max()),
        "angular_speed": float(np.linalg.norm(trajectory.angular_velocity, axis=-1).max()),
        "energy_growth": energy_growth(spec, trajectory, radii),
        "camera_inside": float(max(frames_inside(spec, camera, trajectory, surfaces) for camera in spec.cameras)),
    }
    if not trajectory.properties.rules.get("contact", "").startswith("none"):  # a backend without contact says so
        figures["penetration"] = penetration(spec, trajectory, surfaces)
    if spec.joints:
        held = joint_states(spec, **trajectory.motion())
        figures["joint_gap"], figures["joint_tilt"] = float(held.gap.max()), float(held.tilt.max())
    if trajectory.temperatures:
        figures["temperature_excess"] = temperature_excess(spec, trajectory)
    if trajectory.particles:
        figures["lost_grains"] = lost_grains(spec, trajectory, surfaces)
    bent = [
        surface
        for surface in surfaces
        if surface.deforming and surface.body in trajectory.vertices and surface.body not in trajectory.particles
    ]
    ropes = [surface for surface in bent if isinstance(spec.bodies[surface.body or 0], BodyRope)]
    if ropes:  # where a rope bends sharply, triangles on the inside of the bend may vanish: that is no fault
        figures["rope_strain"] = max(
            rope_strain(surface.mesh, trajectory.vertices[surface.body or 0]) / _largest_strain(spec, trajectory, index)
            for surface in ropes
            if (index := surface.body) is not None
        )
    bent = [surface for surface in bent if surface not in ropes]
    if bent:
        shapes = [(surface.mesh, trajectory.vertices[surface.body]) for surface in bent if surface.body is not None]
        figures["area_ratio"] = max(area_ratio(mesh, vertices) for mesh, vertices in shapes)
        firm = [
            (surface.mesh, trajectory.vertices[surface.body])
            for surface in bent
            if surface.body is not None
            and not isinstance(spec.bodies[surface.body], BodyCloth | BodyInflatable)  # that may fold
        ]
        if firm:
            figures["folded_share"] = max(folded_share(mesh, vertices) for mesh, vertices in firm)
        figures |= _cloth_figures(spec, trajectory, bent)
    closed = [surface for surface in bent if isinstance(spec.bodies[surface.body or 0], BodySoft | BodyInflatable)]
    if closed:
        figures["volume_change"] = max(
            volume_change(surface.mesh, trajectory.vertices[surface.body or 0]) for surface in closed
        )
    return figures


def _distance(trajectory: Trajectory) -> float:
    """Return how far [m] a body, or a vertex of one, is from the world's origin at most, along one axis for these."""
    vertices = [float(np.abs(places).max()) for places in trajectory.vertices.values()]
    return max(float(np.linalg.norm(trajectory.position, axis=-1).max()), *vertices, 0.0)


def _largest_strain(spec: SceneSpec, trajectory: Trajectory, body: int) -> float:
    """Return the strain [1] of a rope under 30 times the weight of all that moves, and 2 % for stiff ones."""
    rope = spec.bodies[body]
    assert isinstance(rope, BodyRope)
    mass = trajectory.properties.mass
    weight = EARTH * float(mass[np.isfinite(mass)].sum())
    return 0.02 + BLOW * weight / rope.stretch


def _cloth_figures(spec: SceneSpec, trajectory: Trajectory, bent: Sequence[Surface]) -> dict[str, float]:
    cloths = [
        (surface.mesh, trajectory.vertices[surface.body])
        for surface in bent
        if surface.body is not None and isinstance(spec.bodies[surface.body], BodyCloth | BodyInflatable)
    ]
    if not cloths:
        return {}
    first = np.cumsum([0, *(len(mesh.vertices) for mesh, _ in cloths)])
    triangles = np.concatenate([mesh.triangles + begin for (mesh, _), begin in zip(cloths, first, strict=False)])
    together = np.concatenate([vertices for _, vertices in cloths], axis=1)
    return {
        "edge_strain": max(edge_strain(mesh.vertices, mesh.triangles, vertices) for mesh, vertices in cloths),
        "crossing_share": crossing_share(triangles.astype(np.int32), together),
    }


def _clip_figures(clips: Sequence[ClipChecks], limits: Thresholds) -> dict[str, float]:
    figures: dict[str, float] = {}
    for clip in clips:
        for name, value in clip.figures.items():
            figures[name] = max(figures.get(name, 0.0), value)
        if len(clip.visible_area):
            shown = float((clip.visible_area >= limits.visible_area).mean())
            figures["visible_frames"] = min(figures.get("visible_frames", 1.0), shown)
            area = float(clip.visible_area.mean())
            figures["visible_area"] = min(figures.get("visible_area", 1.0), area)
        if len(clip.moving_area):
            figures["moving_area"] = min(figures.get("moving_area", 1.0), float(clip.moving_area.mean()))
    return figures
