"""What mesh files claim and refer to, looked at before a reader believes it."""

import json
import math
import re
import struct
from pathlib import Path, PurePosixPath
from typing import Any

from simfactory.assets.limits import TRIANGLES_MAX
from simfactory.errors import AssetError

__all__ = ["glb_factors", "glb_texture", "inspect_file", "obj_texture"]

GLB_MAGIC, JSON_CHUNK, BINARY_CHUNK = 0x46546C67, 0x4E4F534A, 0x004E4942
GLB_EXTENSIONS = ("KHR_materials_", "KHR_texture_transform", "KHR_mesh_quantization")  # harmless to geometry
NODE_DEPTH_MAX = 64
NODES_MAX = 100_000
HEADER_MAX = 65_536  # [byte] of a PLY file
TEXTURE_BYTES_MAX = 64 * 2**20
IMAGE_ENDINGS = {"image/png": "png", "image/jpeg": "jpg"}

Document = dict[str, Any]  # Any: JSON of a stranger


def inspect_file(raw: bytes, suffix: str) -> None:
    """Refuse a file whose counts exceed its bytes or the limits, or that refers to something outside of itself.

    Raises:
        AssetError: What is wrong, and what to do.
    """
    match suffix:
        case "stl":
            _inspect_stl(raw)
        case "ply":
            _inspect_ply(raw)
        case "obj":
            _inspect_obj(raw)
        case _:
            document, binary = _glb_chunks(raw)
            _inspect_glb(document, len(binary))


def obj_texture(raw: bytes, folder: Path) -> tuple[bytes, str] | None:
    """Return the bytes and the ending of the first base-colour image that an OBJ file's materials name, if any.

    Only files in the folder of the OBJ file are read.

    Raises:
        AssetError: A material or an image lies outside that folder, or is too large.
    """
    for library in _names(raw, rb"mtllib"):
        path = _within(folder, library)
        if path is None:
            continue
        for image in _names(_read(path), rb"map_Kd"):
            name = image.split()[-1] if image.startswith("-") else image
            found = _within(folder, name)
            if found is not None and found.suffix.lower() in (".png", ".jpg", ".jpeg"):
                return _read(found), found.suffix.lower().lstrip(".").replace("jpeg", "jpg")
    return None


def glb_texture(raw: bytes) -> tuple[bytes, str] | None:
    """Return the bytes and the ending of the first base-colour image embedded in a GLB file, if any."""
    document, binary = _glb_chunks(raw)
    for material in document.get("materials", []):
        texture = material.get("pbrMetallicRoughness", {}).get("baseColorTexture")
        if texture is None:
            continue
        image = document["images"][document["textures"][texture["index"]]["source"]]
        view = document["bufferViews"][image["bufferView"]]
        begin = int(view.get("byteOffset", 0))
        if image.get("mimeType") in IMAGE_ENDINGS:
            return binary[begin : begin + int(view["byteLength"])], IMAGE_ENDINGS[image["mimeType"]]
    return None


def glb_factors(raw: bytes) -> dict[str, object] | None:
    """Return the factors of a GLB file's first textured material, or first one: base_color (sRGB), metallic, roughness.

    Source: glTF 2.0, section 3.9.2; its colour factors are linear.
    """
    document, _ = _glb_chunks(raw)
    found = [material.get("pbrMetallicRoughness", {}) for material in document.get("materials", [])]
    textured = [part for part in found if "baseColorTexture" in part]
    if not found:
        return None
    part = (textured or found)[0]
    color = part.get("baseColorFactor", (1.0, 1.0, 1.0, 1.0))
    return {
        "base_color": tuple(_srgb(_share(value)) for value in color[:3]),
        "metallic": _share(part.get("metallicFactor", 1.0)),
        "roughness": _share(part.get("roughnessFactor", 1.0)),
    }


def _srgb(value: float) -> float:
    """Return the display value 0–1 of linear light. Source: IEC 61966-2-1."""
    return 12.92 * value if value <= 0.0031308 else 1.055 * value ** (1.0 / 2.4) - 0.055


def _share(value: object) -> float:
    if not isinstance(value, int | float) or not math.isfinite(value):
        raise AssetError(f"{str(value)[:40]!r} stands where a factor from 0 to 1 belongs")
    return min(max(float(value), 0.0), 1.0)


def _inspect_stl(raw: bytes) -> None:
    if raw[:5].lower() == b"solid" and b"facet" in raw[:1024]:
        return
    if len(raw) < 84:
        raise AssetError("too short for an STL file")
    (count,) = struct.unpack_from("<I", raw, 80)
    _check_triangles(count)
    if 84 + 50 * count > len(raw):
        raise AssetError(f"claims {count:,} triangles, which need {84 + 50 * count:,} bytes; it has {len(raw):,}")


def _inspect_ply(raw: bytes) -> None:
    end = raw.find(b"end_header", 0, HEADER_MAX)
    if not raw.startswith(b"ply") or end < 0:
        raise AssetError("no PLY header")
    for name, number in re.findall(rb"^element\s+(\w+)\s+(\S+)", raw[:end], re.MULTILINE):
        if not number.isdigit() or int(number) > len(raw):
            raise AssetError(f"claims {number.decode(errors='replace')[:20]} {name.decode()} in {len(raw):,} bytes")
        if name == b"face":
            _check_triangles(int(number))


def _inspect_obj(raw: bytes) -> None:
    for library in _names(raw, rb"mtllib"):
        _within(Path(), library)
    for word in (b"call", b"csh"):  # the format can include files and run commands
        if re.search(rb"^\s*" + word + rb"\s", raw, re.MULTILINE):
            raise AssetError(f"has a {word.decode()!r} statement, which is refused: export plain geometry")


def _glb_chunks(raw: bytes) -> tuple[Document, bytes]:
    if len(raw) < 20:
        raise AssetError("too short for a GLB file")
    magic, version, length = struct.unpack_from("<III", raw, 0)
    if magic != GLB_MAGIC or version != 2 or length > len(raw):
        raise AssetError(f"no whole GLB 2 file: it claims version {version} and {length:,} bytes of {len(raw):,}")
    size, kind = struct.unpack_from("<II", raw, 12)
    if kind != JSON_CHUNK or 20 + size > len(raw):
        raise AssetError("no JSON chunk where GLB has one")
    document = json.loads(raw[20 : 20 + size])
    if not isinstance(document, dict):
        raise AssetError("its JSON is no object")
    start = 20 + size
    if start + 8 > len(raw):
        return document, b""
    size, kind = struct.unpack_from("<II", raw, start)
    if kind != BINARY_CHUNK or start + 8 + size > len(raw):
        raise AssetError("its binary chunk is cut off")
    return document, raw[start + 8 : start + 8 + size]


def _inspect_glb(document: Document, binary_size: int) -> None:
    for name in document.get("extensionsRequired", []):
        if not str(name).startswith(GLB_EXTENSIONS):
            raise AssetError(f"requires the extension {str(name)[:60]!r}: export without compression or extensions")
    for part in ("buffers", "images"):
        if any("uri" in entry for entry in document.get(part, [])):
            raise AssetError(f"its {part} refer to other files or addresses: export one self-contained GLB")
    for view in document.get("bufferViews", []):
        if _whole(view.get("byteOffset", 0)) + _whole(view["byteLength"]) > binary_size:
            raise AssetError("a buffer view reaches beyond the file's data")
    for accessor in document.get("accessors", []):
        if _whole(accessor["count"]) > 3 * TRIANGLES_MAX:
            raise AssetError(f"an accessor claims {accessor['count']:,} elements; at most {3 * TRIANGLES_MAX:,}")
        if "sparse" in accessor or "bufferView" not in accessor:
            raise AssetError("sparse accessors are refused: export plain ones")
    _check_triangles(_glb_triangles(document))


def _glb_triangles(document: Document) -> int:
    """Return the triangles of all nodes, each mesh counted as often as it is placed.

    Raises:
        AssetError: The nodes form no tree, or one that is too deep.
    """
    nodes, accessors = document.get("nodes", []), document.get("accessors", [])
    if len(nodes) > NODES_MAX:
        raise AssetError(f"has {len(nodes):,} nodes; at most {NODES_MAX:,} are allowed")
    children = [child for node in nodes for child in node.get("children", [])]
    if len(set(children)) != len(children):
        raise AssetError("a node has two parents: its nodes form no tree")
    roots = [index for index in range(len(nodes)) if index not in set(children)]
    level, seen, total = roots, 0, 0
    for _ in range(NODE_DEPTH_MAX):
        seen += len(level)
        for index in level:
            if "mesh" in nodes[index]:
                for primitive in document["meshes"][nodes[index]["mesh"]]["primitives"]:
                    which = primitive.get("indices", primitive["attributes"]["POSITION"])
                    total += _whole(accessors[which]["count"]) // 3
        level = [child for index in level for child in nodes[index].get("children", [])]
        if not level:
            break
    if seen != len(nodes):
        raise AssetError(f"its nodes contain themselves or are nested more than {NODE_DEPTH_MAX} deep")
    return total


def _check_triangles(count: int) -> None:
    if count > TRIANGLES_MAX:
        raise AssetError(f"has {count:,} triangles; at most {TRIANGLES_MAX:,} are allowed: simplify it")


def _whole(value: object) -> int:
    if not isinstance(value, int) or value < 0:
        raise AssetError(f"{str(value)[:40]!r} stands where a count belongs")
    return value


def _names(raw: bytes, keyword: bytes) -> list[str]:
    found = re.findall(rb"^[ \t]*" + keyword + rb"[ \t]+([^\r\n]+)", raw, re.MULTILINE)
    return [name.decode(errors="replace").strip() for name in found]


def _within(folder: Path, name: str) -> Path | None:
    """Return the path of a named neighbour file, None where there is none.

    Raises:
        AssetError: The name leads out of the folder or is an address.
    """
    plain = PurePosixPath(name.replace("\\", "/"))
    if plain.is_absolute() or ".." in plain.parts or ":" in name:
        raise AssetError(f"refers to {name[:80]!r}: only files beside it may be named")
    path = folder / plain
    if path.exists() and not path.resolve().is_relative_to(folder.resolve()):
        raise AssetError(f"refers to {name[:80]!r}, a link that leads elsewhere")
    return path if path.is_file() else None


def _read(path: Path) -> bytes:
    if path.stat().st_size > TEXTURE_BYTES_MAX:
        raise AssetError(f"{path.name} has {path.stat().st_size:,} bytes; at most {TEXTURE_BYTES_MAX:,} are allowed")
    return path.read_bytes()
