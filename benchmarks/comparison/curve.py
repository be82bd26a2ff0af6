"""Draws how the engine scales, as a picture of vectors."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path

__all__ = ["draw_curve"]

WIDTH, HEIGHT, LEFT, BOTTOM = 640, 320, 60, 40  # [px]


def draw_curve(points: Sequence[Mapping[str, object]], path: Path) -> None:
    """Draw efficiency over the number of environments, which doubles along the axis; each point with its rate."""
    most = max(math.log2(float(str(point["environments"]))) for point in points)

    def place(point: Mapping[str, object]) -> tuple[float, float]:
        share = math.log2(float(str(point["environments"]))) / max(most, 1.0)
        return (
            LEFT + share * (WIDTH - 2 * LEFT),
            HEIGHT - BOTTOM - float(str(point["efficiency"])) / 1.25 * (HEIGHT - 2 * BOTTOM),
        )

    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" '
        'font-size="12"><rect width="100%" height="100%" fill="white"/>',
        f'<text x="{LEFT}" y="20">Simulated frames per CPU-second, relative to one environment</text>',
    ]
    for level in (0.0, 0.25, 0.5, 0.75, 1.0, 1.25):
        y = HEIGHT - BOTTOM - level / 1.25 * (HEIGHT - 2 * BOTTOM)
        lines.append(f'<path d="M{LEFT} {y:.1f}H{WIDTH - LEFT}" stroke="#ddd"/>')
        lines.append(f'<text x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{level:g}</text>')
    places = [place(point) for point in points]
    way = " L".join(f"{x:.1f} {y:.1f}" for x, y in places)
    lines.append(f'<path d="M{way}" fill="none" stroke="#1668c7" stroke-width="2"/>')
    for (x, y), point in zip(places, points, strict=True):
        lines.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="#1668c7"/>')
        rate = point["frames_per_cpu_second"]
        lines.append(f'<text x="{x:.1f}" y="{y - 10:.1f}" text-anchor="middle">{rate}</text>')
        count = point["environments"]
        lines.append(f'<text x="{x:.1f}" y="{HEIGHT - BOTTOM + 18}" text-anchor="middle">{count}</text>')
    lines.append(f'<text x="{WIDTH / 2}" y="{HEIGHT - 6}" text-anchor="middle">environments</text></svg>')
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
