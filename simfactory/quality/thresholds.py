"""Thresholds: what an episode may measure at most (or at least) to be kept, each with its reason."""

from dataclasses import dataclass

__all__ = ["Thresholds"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Thresholds:
    """Limits of an episode's figures.

    Attributes:
        distance: Of a body from the world's origin [m]. Scenes are a few metres wide; beyond this a body has left.
        speed: Of a body [m/s]. A spec allows 100 per axis, a fall of 100 m adds 44.
        angular_speed: Of a body [rad/s]. A spec allows 100 per axis; a small body at 5 m/s rolls at 500.
        energy_growth: Mechanical energy gained beyond all known work, over the episode's energy scale [1].
            Semi-implicit Euler at 240 Hz errs by 0.5 g dt / v, that is 2 % at 1 m/s; sampled scenes reach 0.5 %.
        penetration: Depth beyond one substep's travel, over the body's smallest extent [1]. Sampled scenes
            reach 5 %, in towers that are struck; at three times that a body visibly sinks in.
        joint_gap: Between the two sides of a joint [m]. Sampled scenes reach 0.2 mm; 2 mm are seen at arm's length.
        joint_tilt: Between axes of a joint that must be parallel [rad]: 3 mm at the end of a bar of 30 cm.
        area_ratio: Factor by which triangles of a deforming body may grow or shrink, but for the two-hundredth of its
            surface that changes most [1]. Sampled scenes reach 5, in blows.
        folded_share: Of pairs of neighbouring triangles that face each other [1].
        volume_change: Of the volume that a soft body encloses [1]. Materials have Poisson's ratios of 0.25 and more:
            squeezed to half its height, one of 0.25 keeps two thirds of its volume; inverted elements take it away.
        lost_grains: Share of a body's grains that are in the floor, in a wall, inside a solid or far away [1].
        temperature_excess: Of a body beyond the warmest or coldest thing, over the largest difference [1]. Obtuse
            tetrahedra let heat flow the wrong way between some of their nodes: at sudden contact sampled scenes reach
            a few thousandths.
        rope_strain: Change of length of a rope's segments over that under 30 times the weight of all that moves,
            beyond 2 % [1]. A rope that the solver fails to hold together exceeds it at once.
        edge_strain: Of the edges of cloth, but for the hundredth that is stretched most [1]. Sampled cloth stretches by
            10 % where heavy bodies hang in it; beyond three times that the solver has lost it.
        crossing_share: Of the edges of cloth that pierce another part of cloth [1]; a few may, in crumpled heaps.
        reprojection: Mean distance of a pixel's material point, projected, from the pixel's centre [px]. Float32
            barycentrics of metre-wide triangles err by 1e-4 px on average; a half-pixel bug by 0.5.
        depth_residual: Mean relative difference of depth and the material point's z [1]; float32 has 6e-8.
        flow_residual: Mean difference of flow and the material point's projected motion, over 1 px + its length [1].
        warp_mismatch: Share of unoccluded pixels that land on another surface in the next frame [1]. Landing is
            looked up at the nearest pixel, so outlines up to half a pixel away count; sampled scenes reach 0.01.
        gravity_error: Of acceleration in flight, over gravity [1]. Sampled scenes err by 0.1 %, losers by 65 %
            or 120 %.
        restitution_error: Of the coefficient of restitution [1]. A box that lands on a corner strikes again within the
            frame: sampled scenes reach 0.24, losers begin at 0.35.
        teleport: Way in a step beyond what velocities allow, over the body's size [1]. Sampled scenes reach 0.17, where
            one blow follows the other; losers jump by 1.3.
        delay: Frames between a cause and its motion [1]. Sampled scenes reach 1; losers wait for 4 and more.
        visible_area: Share of the image that bodies must cover for a frame to show something [1]: 33 px at 256 × 256.
        moving_area: Share of the image that moving bodies must cover, mean over the frames in which any moves [1]:
            131 px at 256 × 256. The median of sampled clips is ten times that.
        visible_frames: Share of frames that must show something [1]: a body may take its time to fall into view.
    """

    distance: float = 100.0
    speed: float = 200.0
    angular_speed: float = 1000.0
    energy_growth: float = 0.03
    penetration: float = 0.15
    joint_gap: float = 2e-3
    joint_tilt: float = 0.01
    area_ratio: float = 10.0
    folded_share: float = 0.01
    volume_change: float = 0.4
    lost_grains: float = 0.01
    temperature_excess: float = 0.03
    rope_strain: float = 1.0
    edge_strain: float = 0.3
    crossing_share: float = 0.02
    reprojection: float = 5e-3
    depth_residual: float = 1e-5
    flow_residual: float = 5e-3
    warp_mismatch: float = 0.1
    gravity_error: float = 0.25
    restitution_error: float = 0.3
    teleport: float = 0.5
    delay: float = 2.0
    visible_area: float = 5e-4
    moving_area: float = 2e-3
    visible_frames: float = 0.25
