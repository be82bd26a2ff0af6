"""Meshes of strangers: read in a process of their own with limits, kept as canonical GLB files by digest.

`python -m api.uploads FILE JSON` is that process; the service calls `add_upload`.
"""

import io
import json
import os
import re
import resource
import signal
import struct
import subprocess
import sys
import tempfile
from contextlib import suppress
from pathlib import Path, PurePosixPath
from typing import BinaryIO

import numpy as np
import numpy.typing as npt
from pydantic import ValidationError

from simfactory.assets import AssetRecord, add_mesh, asset_root
from simfactory.assets.limits import MESH_FORMATS, confine, report, run_confined
from simfactory.assets.record import write_record
from simfactory.errors import AssetError

__all__ = ["BYTES_MAX", "add_upload", "canonical_glb"]

BYTES_MAX = 64 * 2**20
EXTENT_MIN = 0.05  # [file units]; smaller ones could not be scaled up to the bodies of scenes
MEMORY_MAX = 4 * 2**30  # [byte] of address space, of each process
SECONDS_MAX = 300  # of processor time, of each process; of wall time as many for all of them together
LICENCE_MAX, SOURCE_MAX = 200, 2000  # letters, what records hold
ANSWER_MAX = 65_536  # [byte]
# What archives and compressed files begin with: zip, gzip, bzip2, xz, 7z, zstd, rar, tar.
ARCHIVES = (b"PK\x03\x04", b"PK\x05\x06", b"\x1f\x8b", b"BZh", b"\xfd7zXZ", b"7z\xbc\xaf", b"\x28\xb5\x2f\xfd", b"Rar!")
TAR = slice(257, 262)


def add_upload(
    stream: BinaryIO, name: str, *, licence: str | None = None, source: str | None = None, seconds: float = SECONDS_MAX
) -> AssetRecord:
    """Check and repair an uploaded mesh and put it into the asset folder; return its record.

    What is kept is not the file as given but the surface that was read from it, as a GLB file without materials: looks
    are those of scenes. The same file again has the same digest. Nothing of the upload is opened or kept outside a
    folder of its own, which goes in any case.

    Args:
        stream: The file's bytes.
        name: Its name as given; the ending says its format.
        licence: Its licence as an SPDX identifier.
        source: Where it comes from.
        seconds: How long reading may take [s].

    Raises:
        AssetError: The file is too large, of another format, hostile, or encloses no volume; nothing is left of it.
    """
    label = re.sub(r"[^\w. -]", "_", PurePosixPath(name.replace("\\", "/")).name, flags=re.ASCII)[-100:] or "the file"
    suffix = PurePosixPath(label).suffix.lower().lstrip(".")
    if suffix not in MESH_FORMATS:
        raise AssetError(f"{label} is {suffix or 'without an ending'}; allowed are {', '.join(MESH_FORMATS)}")
    if len(licence or "") > LICENCE_MAX or len(source or "") > SOURCE_MAX:
        raise AssetError(f"licence and source have at most {LICENCE_MAX} and {SOURCE_MAX:,} letters: shorten them")
    told = json.dumps({"label": label, "licence": licence or None, "source": source or None})
    root = asset_root()
    root.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=root, prefix=".upload-", ignore_cleanup_errors=True) as folder:
        given = Path(folder) / f"given.{suffix}"
        _copy(stream, given, label=label)
        answer = _read(given, told, label=label, seconds=seconds)
        try:
            record = AssetRecord.model_validate(answer)
        except ValidationError as error:
            raise AssetError(f"{label} was read, but what its reader said is no record: report this") from error
        kept = Path(folder) / "assets"
        files = sorted(kept.iterdir(), key=lambda path: path.suffix == ".json")  # the record last: it says all is there
        for path in files:
            path.replace(root / path.name)
    return record


def canonical_glb(vertices: npt.NDArray[np.float64], triangles: npt.NDArray[np.int32]) -> bytes:
    """Return a surface as a GLB file; equal surfaces give equal bytes.

    Args:
        vertices: `(vertex, 3)`, z up.
        triangles: `(triangle, 3)`.

    Source: glTF 2.0, sections 3.6 and 4; it has y up.
    """
    points = np.ascontiguousarray(vertices[:, [0, 2, 1]] * [1.0, 1.0, -1.0], "<f4")
    indices = np.ascontiguousarray(triangles, "<u4")
    binary = points.tobytes() + indices.tobytes()
    document = {
        "asset": {"version": "2.0"},
        "scene": 0,
        "scenes": [{"nodes": [0]}],
        "nodes": [{"mesh": 0}],
        "meshes": [{"primitives": [{"attributes": {"POSITION": 0}, "indices": 1}]}],
        "accessors": [
            {
                "bufferView": 0,
                "componentType": 5126,  # float32
                "count": len(points),
                "type": "VEC3",
                "min": points.min(axis=0).tolist(),
                "max": points.max(axis=0).tolist(),
            },
            {"bufferView": 1, "componentType": 5125, "count": indices.size, "type": "SCALAR"},  # uint32
        ],
        "bufferViews": [
            {"buffer": 0, "byteLength": points.nbytes, "target": 34962},
            {"buffer": 0, "byteOffset": points.nbytes, "byteLength": indices.nbytes, "target": 34963},
        ],
        "buffers": [{"byteLength": len(binary)}],
    }
    text = json.dumps(document, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 4)
    head = struct.pack("<4sII", b"glTF", 2, 12 + 8 + len(text) + 8 + len(binary))
    return head + struct.pack("<I4s", len(text), b"JSON") + text + struct.pack("<I4s", len(binary), b"BIN\0") + binary


def _copy(stream: BinaryIO, target: Path, *, label: str) -> None:
    """Copy a file's bytes, as many as are allowed.

    Raises:
        AssetError: There are more, none, or those of an archive.
    """
    with target.open("xb") as copy:
        left = BYTES_MAX + 1
        while left and (block := stream.read(min(left, io.DEFAULT_BUFFER_SIZE * 64))):
            copy.write(block)
            left -= len(block)
    if not left:
        raise AssetError(f"{label} has more than {BYTES_MAX:,} bytes, which are allowed: simplify it")
    with target.open("rb") as copy:
        begin = copy.read(512)
    if not begin:
        raise AssetError(f"{label} is empty: export it again")
    if begin.startswith(ARCHIVES) or begin[TAR] == b"ustar":
        raise AssetError(f"{label} is an archive or compressed; unpack it and upload the mesh in it")


def _read(given: Path, told: str, *, label: str, seconds: float) -> object:
    """Run the process that reads a file and return its answer.

    Raises:
        AssetError: It refused the file, crashed on it or ran into a limit.
    """
    paths = os.pathsep.join(path for path in sys.path if path)
    threads = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    with subprocess.Popen(
        [sys.executable, "-m", "api.uploads", str(given), told],
        cwd=given.parent,
        env={"PATH": os.environ.get("PATH", ""), "PYTHONPATH": paths, "PYTHONSAFEPATH": "1", **threads},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,  # what a reader of broken bytes says there is no use to anyone
        start_new_session=True,
    ) as reader:
        try:
            said, _ = reader.communicate(timeout=seconds)
        except subprocess.TimeoutExpired as error:
            os.killpg(reader.pid, signal.SIGKILL)  # with the processes that it started
            raise AssetError(f"{label} was not read within {seconds:g} s: simplify it") from error
        if reader.returncode != 0:
            with suppress(ProcessLookupError):  # it ended before those that it started
                os.killpg(reader.pid, signal.SIGKILL)
    if reader.returncode != 0 or not said or len(said) > ANSWER_MAX:
        raise AssetError(
            f"{label} cannot be read within {MEMORY_MAX / 2**30:.0f} GiB of memory and {seconds:g} s: its reader ended "
            f"with {reader.returncode}; simplify it"
        )
    answer = json.loads(said)
    if "error" in answer:
        raise AssetError(f"{label}: {str(answer['error']).removeprefix(f'{label}: ')}")
    return answer


def _added(given: Path, *, label: str, licence: str | None, source: str | None) -> dict[str, object]:
    """Read a file, write the canonical one and add that to the folder `assets` beside it."""
    suffix = given.suffix.lstrip(".")
    run_confined("simfactory.assets.reading", str(given), suffix, str(given.parent), label=label, folder=given.parent)
    with np.load(given.parent / "mesh.npz", allow_pickle=False) as stored:
        vertices, triangles = stored["vertices"], stored["triangles"]
    extent = float(np.ptp(vertices, axis=0).max())
    if extent < EXTENT_MIN:
        raise AssetError(f"is {extent:.3g} file units long; at least {EXTENT_MIN:g} are needed: export smaller units")
    canonical = given.parent / f"{PurePosixPath(label).stem}.glb"
    canonical.write_bytes(canonical_glb(vertices, triangles))
    os.environ["SIMFACTORY_ASSETS"] = str(given.parent / "assets")
    record = add_mesh(canonical, licence=licence, source=source)
    if suffix != "glb":  # the only one of the formats that says what its unit is
        record = record.model_copy(update={"metres_per_unit": None})
        write_record(record)
    return record.model_dump(mode="json")


def main() -> None:
    """Read the file named on the command line under limits."""
    for kind, limit in ((resource.RLIMIT_AS, MEMORY_MAX), (resource.RLIMIT_CPU, SECONDS_MAX)):
        hard = resource.getrlimit(kind)[1]
        allowed = limit if hard == resource.RLIM_INFINITY else min(limit, hard)
        resource.setrlimit(kind, (allowed, allowed))
    confine(seconds=SECONDS_MAX)
    given, told = sys.argv[1:]
    report(lambda: _added(Path(given), **json.loads(told)))


if __name__ == "__main__":
    main()
