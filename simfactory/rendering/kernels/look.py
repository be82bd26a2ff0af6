"""What shading reads besides geometry: materials, lights, and what surrounds each environment."""

import warp as wp

from simfactory.rendering.kernels.distant import Distant
from simfactory.rendering.kernels.pictures import Pictures

__all__ = ["Light", "Look", "Material", "Scenery"]


@wp.struct
class Material:
    """How one instance looks; colours are linear."""

    base: wp.vec3
    second: wp.vec3
    texture: wp.int32
    period: wp.float32  # of the texture [m]
    offset: wp.vec3  # of the texture [period]
    shape: wp.vec4  # of the texture: further parameters
    image: wp.int32  # of the texture, if it is one; -1 = none
    mean: wp.vec3  # colour of the texture seen from afar
    relief: wp.int32  # image of slopes; -1 = none
    relief_period: wp.float32  # [m]
    relief_strength: wp.float32
    roughness: wp.float32
    metallic: wp.float32
    transmission: wp.float32
    refractive_index: wp.float32


@wp.struct
class Light:
    """A sun (distant) or a point light."""

    distant: wp.int32
    place: wp.vec3  # unit vector towards a sun, or the position of a point light [m]
    color: wp.vec3  # irradiance of a sun, radiant intensity of a point light


@wp.struct
class Scenery:
    """What surrounds one environment."""

    first_light: wp.int32
    light_count: wp.int32
    sun: wp.vec3  # unit vector towards the sun that the sky shows
    sun_glow: wp.vec3  # radiance around it; 0 = no sun in the sky
    fade_start: wp.float32  # distance from the origin at which the ground begins to fade into the horizon [m]
    fade_end: wp.float32
    occlusion_reach: wp.float32  # how far from a body its ambient shadow reaches [m]
    room: wp.vec3  # inner width, depth, height [m]; 0 = no room
    room_open: wp.int32  # whether it has no ceiling
    room_light: wp.vec3  # irradiance from the walls


@wp.struct
class Look:
    """All environments' looks."""

    materials: wp.array(dtype=Material)  # by item
    lights: wp.array(dtype=Light)
    sceneries: wp.array(dtype=Scenery)  # by environment
    sky: wp.array4d(dtype=wp.vec3)  # (environment, level, elevation, azimuth)
    harmonics: wp.array2d(dtype=wp.vec3)  # (environment, 9)
    distant: Distant  # environment maps
    pictures: Pictures
    rest: wp.array(dtype=wp.vec3)  # vertices at rest
    tone: wp.array(dtype=wp.float32)  # display value by compressed light
    tone_knee: float
    traced_roughness: float
    edge_samples: int
    edge_contrast: float
    smooth_contrast: float
