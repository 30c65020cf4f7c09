"""Chart of lines on two logarithmic scales as SVG, each line named at its right end."""

from collections.abc import Sequence
from math import ceil, floor, log10
from typing import NamedTuple

WIDTH, HEIGHT = 860, 520
LEFT, RIGHT, TOP, BOTTOM = 60, 240, 40, 40
LABEL = 15  # least distance between two names
HUES = ("#1f5fa8", "#c2571a", "#2e7d4f", "#8a3ea8", "#b3261e", "#6b7280", "#0f7c8a", "#94731b", "#444444")


class Line(NamedTuple):
    """A line of the chart; values are above 0."""

    label: str
    x: Sequence[float]
    y: Sequence[float]


def drawn(lines: Sequence[Line], *, title: str) -> str:
    """Draw the chart. Decades are marked; a value of less than a hundredth of a unit stands at a hundredth."""
    xs = [log10(x) for line in lines for x in line.x]
    ys = [log10(max(y, 0.01)) for line in lines for y in line.y]
    left, right = min(xs), max(*xs, min(xs) + 0.1)
    low, high = floor(min(ys)), max(ceil(max(ys)), floor(min(ys)) + 1)

    def across(x: float) -> float:
        return LEFT + (log10(x) - left) / (right - left) * (WIDTH - LEFT - RIGHT)

    def down(y: float) -> float:
        return TOP + (high - log10(max(y, 0.01))) / (high - low) * (HEIGHT - TOP - BOTTOM)

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}"',
        'font-family="sans-serif" font-size="12">',
        f'<title>{title}</title><rect width="100%" height="100%" fill="#fff"/>',
        f'<text x="{LEFT}" y="22" font-size="15" fill="#111">{title}</text>',
    ]
    for decade in range(low, high + 1):
        y = down(10.0**decade)
        parts.append(f'<path d="M{LEFT} {y:.1f}H{WIDTH - RIGHT}" stroke="#e2e2e2"/>')
        parts.append(f'<text x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end" fill="#555">{10.0**decade:g} s</text>')
    for x in sorted({x for line in lines for x in line.x}):
        name = f"{x / 1e6:.2g} M" if x >= 0.95e6 else f"{x / 1e3:.2g} k"
        parts.append(f'<path d="M{across(x):.1f} {TOP}V{HEIGHT - BOTTOM}" stroke="#e2e2e2"/>')
        parts.append(f'<text x="{across(x):.1f}" y="{HEIGHT - 18}" text-anchor="middle" fill="#555">{name}</text>')
    below = float(TOP - LABEL)
    for number, line in sorted(enumerate(lines), key=lambda pair: down(pair[1].y[-1])):
        hue = HUES[number % len(HUES)]
        points = [(across(x), down(y)) for x, y in zip(line.x, line.y, strict=True)]
        below = max(points[-1][1], below + LABEL)
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        parts.append(f'<polyline points="{path}" fill="none" stroke="{hue}" stroke-width="2"/>')
        parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{hue}"/>' for x, y in points]
        name = f"{line.label}, {line.y[-1]:,.0f} s"
        parts.append(f'<text x="{points[-1][0] + 10:.1f}" y="{below + 4:.1f}" fill="{hue}">{name}</text>')
    return "\n".join([*parts, "</svg>\n"])
