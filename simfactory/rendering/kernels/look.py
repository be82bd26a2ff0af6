"""What shading reads besides geometry: materials, lights, and what surrounds each environment."""

import warp as wp

from simfactory.rendering.kernels.distant import Distant
from simfactory.rendering.kernels.pictures import Pictures

__all__ = ["DISK", "POINT", "RECTANGLE", "SUN", "Lens", "Light", "Look", "Material", "Scenery"]

POINT = wp.constant(0)
SUN = wp.constant(1)
RECTANGLE = wp.constant(2)
DISK = wp.constant(3)


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
    first_corner: wp.int32  # where its texture coordinates begin; -1 = the image is projected
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
    """A light source."""

    kind: wp.int32
    place: wp.vec3  # unit vector towards a sun, else the position of the light or of its centre [m]
    color: wp.vec3  # irradiance of a sun, radiant intensity of a point, radiance of an area
    spread: wp.float32  # of a sun: 1 - cos of its angular radius
    facing: wp.vec3  # unit; this and the rest: of an area
    across: wp.vec3  # half axes [m]
    upward: wp.vec3
    area: wp.float32  # [m²]


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
class Lens:
    """How one camera gathers light."""

    pinhole: wp.vec4d  # fx, fy, cx, cy [px]
    aperture: wp.float32  # radius [m]
    focus: wp.float32  # depth that is sharp [m]
    gain: wp.float32  # factor on light


@wp.struct
class Look:
    """All environments' looks."""

    materials: wp.array(dtype=Material)  # by item
    lights: wp.array(dtype=Light)
    sceneries: wp.array(dtype=Scenery)  # by environment
    sky: wp.array4d(dtype=wp.vec3)  # (environment, level, elevation, azimuth)
    harmonics: wp.array2d(dtype=wp.vec3)  # (environment, 9)
    even: wp.array3d(dtype=wp.vec3)  # (environment, elevation, azimuth) irradiance by normal
    distant: Distant  # environment maps
    pictures: Pictures
    rest: wp.array(dtype=wp.vec3)  # vertices at rest
    tone: wp.array(dtype=wp.float32)  # display value by compressed light
    tone_knee: float
    traced_roughness: float
    edge_samples: int
    edge_contrast: float
    smooth_contrast: float
    strides: wp.array(dtype=wp.uint32)  # by dimension of a path's random numbers
    samples: int  # paths per pixel
    block_samples: int  # paths per block of pixels
    mirror_samples: int  # further ones where a mirror or glass is seen
    more_samples: int  # largest number of further ones where light is uncertain
    more_mirror_samples: int  # the same in tiles rich in mirrors and glass
    noise: float  # error that is wanted, display values 0–255
    detail_noise: float  # the same where base colours change
    mirror_noise: float  # the same in pixels that see mirrors or glass
    texture_samples: int  # places in a pixel at which a texture is read; 0 = those of the paths
    filter_width: float  # of textures [px]
    depth: int  # mirror and glass bounces of a path
    mirror_roughness: float  # materials smoother than this are followed as mirrors
    split: int  # whether a path follows both what is mirrored and what is not at its first surface
    brightest: float  # limit on the light of one path
