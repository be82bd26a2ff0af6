"""Writes simfactory/data/robots from an unpacked copy of the Python package example-robot-data; run once a version.

    pip download --no-deps example-robot-data==6.0.0 && unzip example_robot_data-*.whl -d package
    python deploy/convert_robot.py package

Kinematics, masses and inertias go to a readable table. The visual meshes are thinned out by quadric error metrics and
kept with the convex collision hulls in one compressed file. Links that do not move against each other become one part.

Source: M. Garland, P. Heckbert, "Surface simplification using quadric error metrics" (1997).
"""

import argparse
import hashlib
import heapq
import json
import math
import shutil
import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
import numpy.typing as npt
import trimesh

DATA = Path(__file__).resolve().parents[1] / "simfactory" / "data" / "robots"
HOME = Path("cmeel.prefix/share/example-robot-data/robots/panda_description")
SPACE = {"c": "http://www.collada.org/2005/11/COLLADASchema"}
PARTS = {f"link{k}": (f"panda_link{k}",) for k in range(7)} | {
    "hand": ("panda_link7", "panda_hand"),
    "left_finger": ("panda_leftfinger",),
    "right_finger": ("panda_rightfinger",),
}
TRIANGLES = {"hand": 3000, "left_finger": 500, "right_finger": 500}
FINGER_MASS, FINGER_INERTIA = 0.1, 2e-4  # [kg, kg m2] with the part of the drive that moves along
USUAL = 2200  # triangles of other parts
HEADER = """\
# The arm "panda" with its two-finger hand: written by deploy/convert_robot.py, not by hand.
# Copyright 2017 Franka Emika GmbH, licensed under the Apache License 2.0 (LICENSE.txt beside this file). Changed:
# meshes have fewer triangles, link 7 and the hand are one part, principal moments of inertia that no body can have
# are raised until one can, fingers have the mass of what moves with them in the drive (0.1 kg for 0.015 kg).
"""

Array = npt.NDArray[np.float64]


def turn(rpy: str) -> Array:
    """Return the rotation `(3, 3)` of roll, pitch and yaw as URDF has them."""
    r, p, y = (float(value) for value in rpy.split())
    rx = np.array([[1, 0, 0], [0, math.cos(r), -math.sin(r)], [0, math.sin(r), math.cos(r)]])
    ry = np.array([[math.cos(p), 0, math.sin(p)], [0, 1, 0], [-math.sin(p), 0, math.cos(p)]])
    rz = np.array([[math.cos(y), -math.sin(y), 0], [math.sin(y), math.cos(y), 0], [0, 0, 1]])
    return rz @ ry @ rx


def frame(element: ET.Element | None) -> Array:
    """Return the pose `(4, 4)` of an `origin`."""
    pose = np.eye(4)
    if element is not None:
        pose[:3, :3] = turn(element.get("rpy", "0 0 0"))
        pose[:3, 3] = [float(value) for value in element.get("xyz", "0 0 0").split()]
    return pose


def collada(path: Path) -> tuple[Array, npt.NDArray[np.int64]]:
    """Return vertices [m] and triangles of a COLLADA file, its shells placed as its scene says."""
    root = ET.parse(path).getroot()
    vertices, triangles, count = [], [], 0
    shells = {geometry.get("id"): geometry for geometry in root.findall(".//c:geometry", SPACE)}
    for node in root.findall(".//c:visual_scene//c:node", SPACE):
        pose = np.array(node.find("c:matrix", SPACE).text.split(), np.float64).reshape(4, 4)
        for use in node.findall("c:instance_geometry", SPACE):
            shell = shells[use.get("url")[1:]]
            source = {s.get("id"): s for s in shell.findall(".//c:source", SPACE)}
            name = shell.find(".//c:vertices/c:input[@semantic='POSITION']", SPACE).get("source")[1:]
            places = np.array(source[name].find("c:float_array", SPACE).text.split(), np.float64).reshape(-1, 3)
            for part in shell.findall(".//c:triangles", SPACE):
                width = 1 + max(int(entry.get("offset")) for entry in part.findall("c:input", SPACE))
                rows = np.array(part.find("c:p", SPACE).text.split(), np.int64).reshape(-1, 3, width)
                triangles.append(rows[:, :, 0] + count)
            vertices.append(places @ pose[:3, :3].T + pose[:3, 3])
            count += len(places)
    return np.concatenate(vertices), np.concatenate(triangles)


def welded(vertices: Array, triangles: npt.NDArray[np.int64]) -> tuple[Array, npt.NDArray[np.int64]]:
    """Return a mesh whose vertices closer than 0.02 mm are one, without triangles that vanish by it."""
    _, first, inverse = np.unique(
        (vertices / 2e-5).round().astype(np.int64), axis=0, return_index=True, return_inverse=True
    )
    faces = inverse.ravel()[triangles]
    good = (faces[:, 0] != faces[:, 1]) & (faces[:, 1] != faces[:, 2]) & (faces[:, 2] != faces[:, 0])
    return vertices[first], faces[good]


class Thinning:
    """Collapses edges of a mesh, the cheapest first."""

    def __init__(self, vertices: Array, triangles: npt.NDArray[np.int64]) -> None:
        self.places = [np.append(row, 1.0) for row in vertices]
        self.faces: dict[int, list[int]] = {k: row.tolist() for k, row in enumerate(triangles)}
        self.around: list[set[int]] = [set() for _ in vertices]
        self.quadrics = [np.zeros((4, 4)) for _ in vertices]
        self.changed = [0] * len(vertices)
        edges: dict[tuple[int, int], list[int]] = {}
        for number, (a, b, c) in self.faces.items():
            normal = np.cross(vertices[b] - vertices[a], vertices[c] - vertices[a])
            area = float(np.linalg.norm(normal))
            for corner in (a, b, c):
                self.around[corner].add(number)
            for edge in ((a, b), (b, c), (c, a)):
                edges.setdefault((min(edge), max(edge)), []).append(number)
            if area > 0.0:
                self._add((a, b, c), normal / area, vertices[a], area)
        for (a, b), owners in edges.items():
            if len(owners) == 1:  # a rim stays where it is
                x, y, z = (vertices[k] for k in self.faces[owners[0]])
                across = np.cross(vertices[b] - vertices[a], np.cross(y - x, z - x))
                length = float(np.linalg.norm(across))
                if length > 0.0:
                    self._add(
                        (a, b), across / length, vertices[a], 10.0 * float(np.sum((vertices[b] - vertices[a]) ** 2))
                    )
        self.queue: list[tuple[float, int, int, int, int]] = []
        for a, b in edges:
            self._offer(a, b)

    def _add(self, corners: tuple[int, ...], normal: Array, point: Array, weight: float) -> None:
        plane = np.append(normal, -normal @ point)
        for corner in corners:
            self.quadrics[corner] += weight * np.outer(plane, plane)

    def _best(self, a: int, b: int) -> tuple[float, Array]:
        quadric = self.quadrics[a] + self.quadrics[b]
        middle = 0.5 * (self.places[a] + self.places[b])
        options = [self.places[a], self.places[b], middle]
        system = quadric[:3, :3] + 1e-6 * (np.trace(quadric[:3, :3]) + 1e-30) * np.eye(3)
        free = middle[:3] - np.linalg.solve(system, quadric[:3, :3] @ middle[:3] + quadric[:3, 3])
        if np.linalg.norm(free - middle[:3]) < 2.0 * np.linalg.norm(self.places[a] - self.places[b]):
            options.append(np.append(free, 1.0))
        costs = [float(place @ quadric @ place) for place in options]
        chosen = int(np.argmin(costs))
        return costs[chosen], options[chosen]

    def _offer(self, a: int, b: int) -> None:
        cost, _ = self._best(a, b)
        cost += 1e-12 * float(np.sum((self.places[a] - self.places[b]) ** 2))
        heapq.heappush(self.queue, (cost, a, b, self.changed[a], self.changed[b]))

    def _flips(self, kept: int, gone: int, place: Array) -> bool:
        for number in self.around[kept] | self.around[gone]:
            corners = self.faces[number]
            if kept in corners and gone in corners:
                continue
            old = [self.places[k][:3] for k in corners]
            new = [place[:3] if k in (kept, gone) else self.places[k][:3] for k in corners]
            before = np.cross(old[1] - old[0], old[2] - old[0])
            after = np.cross(new[1] - new[0], new[2] - new[0])
            if before @ after < 0.2 * np.linalg.norm(before) * np.linalg.norm(after):
                return True
        return False

    def run(self, count: int) -> tuple[Array, npt.NDArray[np.int64]]:
        """Return the mesh with at most so many triangles, or as few as can be had without turning any over."""
        while len(self.faces) > count and self.queue:
            _, a, b, version_a, version_b = heapq.heappop(self.queue)
            if (version_a, version_b) != (self.changed[a], self.changed[b]) or not self.around[a] or not self.around[b]:
                continue
            _, place = self._best(a, b)
            if self._flips(a, b, place):
                continue
            for number in list(self.around[b]):
                corners = [a if k == b else k for k in self.faces[number]]
                if len(set(corners)) < 3:
                    for k in set(self.faces[number]):
                        self.around[k].discard(number)
                    del self.faces[number]
                else:
                    self.faces[number] = corners
                    self.around[a].add(number)
            self.around[b] = set()
            self.places[a], self.quadrics[a] = place, self.quadrics[a] + self.quadrics[b]
            self.changed[a] += 1
            self.changed[b] += 1
            for other in {k for number in self.around[a] for k in self.faces[number]} - {a}:
                self._offer(min(a, other), max(a, other))
        faces = np.array(list(self.faces.values()), np.int64)
        used, inverse = np.unique(faces, return_inverse=True)
        return np.array([self.places[k][:3] for k in used]), inverse.reshape(-1, 3)


def possible(inertia: Array) -> Array:
    """Return an inertia `(3, 3)` that a body can have: no principal moment exceeds the sum of the others."""
    moments, axes = np.linalg.eigh(inertia)
    moments[0] = max(moments[0], 1.001 * (moments[2] - moments[1]), 0.01 * moments[2])
    return axes @ np.diag(moments) @ axes.T


def hull_faces(points: Array) -> npt.NDArray[np.int64]:
    """Return the triangles of the convex hull of points, outwards: grown point by point from a tetrahedron.

    The points are moved by a millionth of their extent first, so that no four lie in one plane.
    """
    size = float(np.ptp(points, axis=0).max())
    places = points + 1e-6 * size * np.random.default_rng(0).uniform(-1.0, 1.0, points.shape)
    first = int(np.argmin(places[:, 0]))
    second = int(np.argmax(np.linalg.norm(places - places[first], axis=1)))
    line = places[second] - places[first]
    third = int(np.argmax(np.linalg.norm(np.cross(places - places[first], line), axis=1)))
    fourth = int(np.argmax(np.abs((places - places[first]) @ np.cross(line, places[third] - places[first]))))
    start = (first, second, third, fourth)
    center = places[list(start)].mean(axis=0)

    def outside(face: tuple[int, int, int], point: Array) -> bool:
        a, b, c = places[list(face)]
        return bool(np.cross(b - a, c - a) @ (point - a) > 0.0)

    faces = set()
    for left in start:
        a, b, c = (k for k in start if k != left)
        faces.add((a, c, b) if outside((a, b, c), center) else (a, b, c))
    for number, point in enumerate(places):
        if number in start:
            continue
        seen = [face for face in faces if outside(face, point)]
        edges = {edge for a, b, c in seen for edge in ((a, b), (b, c), (c, a))}
        faces -= set(seen)
        faces |= {(a, b, number) for a, b in edges if (b, a) not in edges}
    return np.array(sorted(faces), np.int64)


def mass_of(link: ET.Element) -> tuple[float, Array, Array]:
    """Return mass [kg], centre of mass [m] and the inertia about it [kg·m²] of a link."""
    entry = link.find("inertial")
    pose, values = frame(entry.find("origin")), entry.find("inertia").attrib
    x, y, z = (float(values[f"i{k}{k}"]) for k in "xyz")
    xy, xz, yz = (float(values[f"i{k}"]) for k in ("xy", "xz", "yz"))
    tensor = np.array([[x, xy, xz], [xy, y, yz], [xz, yz, z]])
    return float(entry.find("mass").get("value")), pose[:3, 3], pose[:3, :3] @ tensor @ pose[:3, :3].T


def joined(masses: list[tuple[float, Array, Array]]) -> tuple[float, Array, Array]:
    """Return the mass properties of several that are one body, in one frame."""
    total = sum(mass for mass, _, _ in masses)
    center = sum(mass * place for mass, place, _ in masses) / total
    tensor = np.zeros((3, 3))
    for mass, place, own in masses:
        arm = place - center
        tensor += own + mass * (arm @ arm * np.eye(3) - np.outer(arm, arm))
    return total, center, possible(tensor)


def collision_hulls(folder: Path, link: ET.Element, pose: Array) -> list[Array]:
    """Return the corners of a link's convex collision shapes [m]; boxes of a finger as the hull of all but the tip."""
    hulls: list[Array] = []
    for entry in link.findall("collision"):
        place = pose @ frame(entry.find("origin"))
        box, mesh = entry.find("geometry/box"), entry.find("geometry/mesh")
        if box is not None:
            half = 0.5 * np.array([float(value) for value in box.get("size").split()])
            corners = np.array([[x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)]) * half
        else:
            corners = np.unique(
                trimesh.load(folder / "meshes/collision" / Path(mesh.get("filename")).name).vertices, axis=0
            )
        hulls.append(corners @ place[:3, :3].T + place[:3, 3])
    if len(hulls) == 4:  # a finger
        return [hulls[3], np.concatenate(hulls[:3])]
    return hulls


def main() -> None:
    """Convert the package given on the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("package", type=Path, help="folder of the unpacked wheel")
    folder = parser.parse_args().package / HOME
    if "Apache-2.0" not in (folder / "README.md").read_text(encoding="utf-8"):
        raise SystemExit("the robot's licence is not Apache-2.0: look before you ship")
    root = ET.parse(folder / "urdf/panda.urdf").getroot()
    links = {link.get("name"): link for link in root.findall("link")}
    joints = {joint.find("child").get("link"): joint for joint in root.findall("joint")}
    arrays: dict[str, npt.NDArray[np.generic]] = {}
    text = HEADER + '\nlicence = "Apache-2.0"\nauthor = "Franka Emika GmbH"\n'
    text += 'source = "Python package example-robot-data 6.0.0: robots/panda_description (from franka_ros)"\n'
    wrist = frame(joints["panda_link8"].find("origin")) @ frame(joints["panda_hand_joint"[:10]].find("origin"))
    tool = wrist @ frame(joints["panda_hand_tcp"].find("origin"))
    text += f"tool = {json.dumps(tool.round(9).tolist())}  # of the hand, between the finger tips; 4 x 4\n"
    for part, names in PARTS.items():
        poses = {name: wrist if name == "panda_hand" else np.eye(4) for name in names}
        masses, meshes, hulls = [], [], []
        for name in names:
            link, pose = links[name], poses[name]
            mass, place, tensor = mass_of(link)
            masses.append((mass, pose[:3, :3] @ place + pose[:3, 3], pose[:3, :3] @ tensor @ pose[:3, :3].T))
            visual = link.find("visual")
            vertices, triangles = collada(
                folder / "meshes/visual" / Path(visual.find("geometry/mesh").get("filename")).name
            )
            place4 = pose @ frame(visual.find("origin"))
            meshes.append((vertices @ place4[:3, :3].T + place4[:3, 3], triangles))
            hulls += collision_hulls(folder, link, pose)
        total, center, inertia = joined(masses)
        if part.endswith("finger"):
            total, inertia = FINGER_MASS, FINGER_INERTIA * np.eye(3)
        offsets = np.cumsum([0, *(len(vertices) for vertices, _ in meshes)])
        vertices, triangles = welded(
            np.concatenate([vertices for vertices, _ in meshes]),
            np.concatenate([rows + shift for (_, rows), shift in zip(meshes, offsets, strict=False)]),
        )
        vertices, triangles = Thinning(vertices, triangles).run(TRIANGLES.get(part, USUAL))
        vertices, triangles = welded(vertices, triangles)
        arrays[f"{part}.vertices"] = (
            (vertices / 1e-5).round().astype(np.int16 if np.abs(vertices).max() < 0.32 else np.int32)
        )
        arrays[f"{part}.triangles"] = triangles.astype(np.uint16)
        for k, hull in enumerate(hulls):
            used, faces = np.unique(hull_faces(hull), return_inverse=True)
            arrays[f"{part}.hull_{k}"] = hull[used].astype(np.float32)
            arrays[f"{part}.faces_{k}"] = faces.reshape(-1, 3).astype(np.uint16)
        joint = joints.get(names[0])
        text += f"\n[[part]]\nname = {json.dumps(part)}\nmass = {total:.9g}  # [kg]\n"
        text += f"center = {json.dumps(center.round(9).tolist())}  # of mass, in the part's frame [m]\n"
        text += f"inertia = {json.dumps(inertia.round(12).tolist())}  # about it [kg m2]\n"
        if joint is not None:
            parent = joint.find("parent").get("link")
            owner = next(key for key, own in PARTS.items() if parent in own)
            place = (wrist if parent == "panda_hand" else np.eye(4)) @ frame(joint.find("origin"))
            limit, kind = joint.find("limit").attrib, {"revolute": "hinge", "prismatic": "slider"}[joint.get("type")]
            text += f"parent = {json.dumps(owner)}\njoint = {json.dumps(kind)}\n"
            text += f"origin = {json.dumps(place.round(9).tolist())}  # of the part's frame in the parent's; 4 x 4\n"
            text += f"axis = {json.dumps([float(value) for value in joint.find('axis').get('xyz').split()])}\n"
            text += f"lower = {float(limit['lower'])}  # [rad or m]\nupper = {float(limit['upper'])}\n"
            text += f"rate = {float(limit['velocity'])}  # largest [rad/s or m/s]\n"
            text += f"strength = {float(limit['effort'])}  # largest [N m or N]\n"
    DATA.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(DATA / "panda.npz", **arrays)
    digest = hashlib.sha256((DATA / "panda.npz").read_bytes()).hexdigest()
    text = text.replace("\nlicence", f'\nmeshes = "panda.npz"\nsha256 = "{digest}"\nlicence', 1)
    (DATA / "panda.toml").write_text(text, encoding="utf-8")
    shutil.copyfile(folder / "LICENSE", DATA / "LICENSE.txt")


if __name__ == "__main__":
    main()
