"""Writes simfactory/data from an unpacked copy of the npm package @pmndrs/assets; run once for each new version.

    npm pack @pmndrs/assets && tar xzf pmndrs-assets-*.tgz
    pip install OpenEXR
    python deploy/convert_assets.py package

Environment maps are decoded (OpenCV cannot read their DWAB compression) and written as Radiance RGBE files. Normal maps
are kept byte for byte. The manifest names every file with its digest, licence, author and source.
"""

import argparse
import base64
import hashlib
import json
import re
import shutil
import tempfile
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import OpenEXR

DATA = Path(__file__).resolve().parents[1] / "simfactory" / "data"
LICENCE = "CC0-1.0"
INDOOR = ("apartment", "hall", "lab", "lobby", "studio", "warehouse", "workshop")
LONE_BLUE = 60.0  # radiance above which blue alone is not believed
BRIGHT = 0.998  # share of the texels that keep their light when ringing is cut off
HEADER = """\
# Environment maps and normal maps that come with the package: written by deploy/convert_assets.py, not by hand.
# All are in the public domain (CC0-1.0, see LICENSE.txt): the environment maps were made by the authors of Poly Haven,
# the normal maps were collected by emmelleppi, both were resized by the makers of the npm package they come from.
"""


def decoded(module: Path) -> bytes:
    """Return the file that a JavaScript module carries in base64."""
    return base64.b64decode(re.search(r"base64,([A-Za-z0-9+/=]+)", module.read_text(encoding="ascii"))[1])


def with_whole_sun(image: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Return an image whose sun has all three channels.

    In two maps of the package red and green of the sun exceeded the range of half floats and were lost. Where blue
    stands alone far above the rest they are filled in, in the colour of the glow about the sun.
    """
    red, green, blue = np.moveaxis(image, -1, 0)
    lost = (blue > LONE_BLUE) & (blue > 8.0 * np.maximum(red, green))
    if not lost.any():
        return image
    around = cv2.dilate(lost.astype(np.uint8), np.ones((25, 25), np.uint8)).astype(bool) & (blue < LONE_BLUE)
    glow = np.median(image[around & (image.min(axis=-1) > 0.0)], axis=0)
    return np.where(lost[..., None], blue[..., None] * glow / glow[2], image).astype(np.float32)


def without_ringing(image: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Return an image without negative light.

    Resizing and compression swing below zero around a sun. What is cut off there is taken from what shines brightest,
    so that the image sends as much light as before.
    """
    kept = np.maximum(image, 0.0).astype(np.float64)
    bright = np.maximum(kept - np.quantile(kept, BRIGHT, axis=(0, 1)), 0.0)
    excess = kept.sum(axis=(0, 1)) - image.sum(axis=(0, 1), dtype=np.float64)
    return (kept - bright * np.clip(excess / np.maximum(bright.sum(axis=(0, 1)), 1e-9), 0.0, 1.0)).astype(np.float32)


def environment_file(content: bytes) -> bytes:
    """Return a Radiance file of an OpenEXR file."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "map.exr"
        path.write_bytes(content)
        with OpenEXR.File(str(path)) as exr:
            image = np.asarray(exr.channels()["RGB"].pixels, np.float32)
    done, encoded = cv2.imencode(".hdr", without_ringing(with_whole_sun(image))[..., ::-1])
    if not done:
        raise SystemExit("OpenCV cannot write Radiance files")
    return encoded.tobytes()


def green_of(content: bytes) -> str:
    """Return whether green of a normal map leans up or down the image.

    Slopes of a surface have no curl: what red changes by on the way up is what green changes by on the way right, so
    that the two agree if green is up and disagree if it is down. (The package mixes both.)
    """
    image = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR).astype(np.float64) - 127.5
    slope = cv2.GaussianBlur(image[..., 1:] / np.maximum(image[..., :1], 12.75), (0, 0), 2.0)
    red_up, green_right = -np.gradient(slope[..., 1], axis=0), np.gradient(slope[..., 0], axis=1)
    return "down" if np.corrcoef(red_up.ravel(), green_right.ravel())[0, 1] < -0.3 else "up"


def row(name: str, file: str, content: bytes, **fields: str) -> str:
    """Write one asset and return its part of the manifest."""
    path = DATA / file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    image = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_UNCHANGED)
    values = {
        "file": file,
        "sha256": hashlib.sha256(content).hexdigest(),
        "bytes": len(content),
        "width": image.shape[1],
        "height": image.shape[0],
        **fields,
        "licence": LICENCE,
    }
    return f"\n[asset.{name}]\n" + "".join(f"{key} = {json.dumps(value)}\n" for key, value in values.items())


def main() -> None:
    """Convert the package given on the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("package", type=Path, help="folder of the unpacked npm package")
    package = parser.parse_args().package
    described = json.loads((package / "package.json").read_text(encoding="utf-8"))
    if described["license"] != LICENCE:
        raise SystemExit(f"the package's licence is {described['license']}, expected {LICENCE}: look before you ship")
    origin = f"npm {described['name']} {described['version']}"
    rows = []
    for module in sorted((package / "hdri").glob("*.exr.js")):
        name = module.name.split(".")[0]
        setting = "indoor" if name in INDOOR else "outdoor"
        fields = {"kind": "environment", "setting": setting, "author": "Poly Haven"}
        content = environment_file(decoded(module))
        rows.append(row(name, f"environments/{name}.hdr", content, **fields, source=f"{origin}: hdri/{name}.exr"))
    for module in sorted((package / "normals").glob("*.webp.js")):
        number = module.name.split(".")[0]
        content = decoded(module)
        fields = {"kind": "normal", "green": green_of(content), "author": "emmelleppi"}
        file = f"normals/{number}.webp"
        rows.append(row(f"normal_{number}", file, content, **fields, source=f"{origin}: {file}"))
    shutil.copyfile(package / "LICENSE", DATA / "LICENSE.txt")
    (DATA / "manifest.toml").write_text(HEADER + "".join(rows), encoding="utf-8")


if __name__ == "__main__":
    main()
