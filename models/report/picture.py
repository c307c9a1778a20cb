"""Pictures as SVG, drawn by ourselves: no library, no script, readable in print and to a screen reader."""

from collections.abc import Iterable, Sequence
from html import escape

from models.report.scale import Scale

Point = tuple[float, float]


class Picture:
    """Two axes and what is drawn between them.

    Parameters
    ----------
    title : what is shown, in a sentence; read out
    x_title, y_title : with unit
    width, height : of the whole picture
    """

    def __init__(
        self,
        title: str,
        x: Scale,
        y: Scale,
        *,
        x_title: str,
        y_title: str,
        width: int = 480,
        height: int = 270,
    ) -> None:
        self.title = title
        self._x, self._y = x, y
        self._left, self._right, self._top, self._bottom = 64, 14, 26, 44
        self._width, self._height = width, height
        self._parts: list[str] = []
        self._over: list[str] = []
        self._axes(x_title, y_title)

    def line(self, points: Iterable[Point | None], kind: str) -> None:
        """Draw a line; ``None`` breaks it, and a point alone between two breaks becomes a dot."""
        for run in _runs(points):
            placed = [self._at(each) for each in run]
            if len(placed) == 1:
                self._parts.append(f'<circle class="{kind} lone" cx="{placed[0][0]}" cy="{placed[0][1]}" r="1.6"/>')
            else:
                path = "M" + "L".join(f"{x},{y}" for x, y in placed)
                self._parts.append(f'<path class="{kind}" d="{path}"/>')

    def steps(self, points: Sequence[Point], kind: str) -> None:
        """Draw a line that stays where it is until the next point."""
        held: list[Point] = []
        for number, (x, y) in enumerate(points):
            if number:
                held.append((x, points[number - 1][1]))
            held.append((x, y))
        self.line(held, kind)

    def dots(self, points: Iterable[Point], kind: str, radius: float = 4) -> None:
        """Draw dots."""
        for x, y in map(self._at, points):
            self._over.append(f'<circle class="{kind}" cx="{x}" cy="{y}" r="{radius}"/>')

    def whisker(self, x: float, low: float, high: float, kind: str) -> None:
        """Draw an upright bar from a low to a high value: an interval."""
        (place, bottom), (_, top) = self._at((x, low)), self._at((x, high))
        self._parts.append(f'<line class="{kind}" x1="{place}" x2="{place}" y1="{bottom}" y2="{top}"/>')

    def span(self, begin: float, end: float, kind: str) -> None:
        """Shade the picture between two places of the x axis."""
        first, last = sorted((self._at((begin, 0.0))[0], self._at((end, 0.0))[0]))
        body = self._height - self._top - self._bottom
        self._parts.insert(
            0, f'<rect class="{kind}" x="{first}" y="{self._top}" width="{round(last - first, 1)}" height="{body}"/>'
        )

    def across(self, y: float, kind: str, text: str = "", *, column: int = 0) -> None:
        """Draw a line across, with words above its right end; ``column`` keeps the words of near ones apart."""
        height = self._at((0.0, y))[1]
        right = self._width - self._right
        self._parts.append(f'<line class="{kind}" x1="{self._left}" x2="{right}" y1="{height}" y2="{height}"/>')
        if text:
            end = right - 3 - column * (right - self._left) // 3
            self._over.append(f'<text class="note" x="{end}" y="{height - 4}" text-anchor="end">{escape(text)}</text>')

    def upright(self, x: float, kind: str, text: str = "", *, row: int = 0) -> None:
        """Draw an upright line, with words beside its upper end; ``row`` keeps the words of several apart."""
        place = self._at((x, 0.0))[0]
        bottom = self._height - self._bottom
        self._parts.append(f'<line class="{kind}" x1="{place}" x2="{place}" y1="{self._top}" y2="{bottom}"/>')
        if text:
            left = place > (self._left + self._width - self._right) / 2
            anchor, offset = ("end", -4) if left else ("start", 4)
            self._over.append(
                f'<text class="note" x="{round(place + offset, 1)}" y="{self._top + 12 + 14 * row}"'
                f' text-anchor="{anchor}">{escape(text)}</text>'
            )

    def svg(self) -> str:
        """Return the picture."""
        return (
            f'<svg class="picture" viewBox="0 0 {self._width} {self._height}" role="img"'
            f' aria-label="{escape(self.title)}">{"".join(self._parts)}{"".join(self._over)}</svg>'
        )

    def _at(self, point: Point) -> tuple[float, float]:
        x = self._left + self._x.inside(point[0]) * (self._width - self._left - self._right)
        y = self._height - self._bottom - self._y.inside(point[1]) * (self._height - self._top - self._bottom)
        return round(x, 1), round(y, 1)

    def _axes(self, x_title: str, y_title: str) -> None:
        right, bottom = self._width - self._right, self._height - self._bottom
        for value, text in self._y.ticks:
            height = self._at((0.0, value))[1]
            self._parts.append(
                f'<line class="grid" x1="{self._left}" x2="{right}" y1="{height}" y2="{height}"/>'
                f'<text x="{self._left - 6}" y="{height + 4}" text-anchor="end">{escape(text)}</text>'
            )
        for value, text in self._x.ticks:
            place = self._at((value, 0.0))[0]
            self._parts.append(
                f'<line class="axis" x1="{place}" x2="{place}" y1="{bottom}" y2="{bottom + 4}"/>'
                f'<text x="{place}" y="{bottom + 17}" text-anchor="middle">{escape(text)}</text>'
            )
        self._parts.append(
            f'<line class="axis" x1="{self._left}" x2="{right}" y1="{bottom}" y2="{bottom}"/>'
            f'<text class="title" x="{right}" y="{self._height - 8}" text-anchor="end">{escape(x_title)}</text>'
            f'<text class="title" x="4" y="14">{escape(y_title)}</text>'
        )


def _runs(points: Iterable[Point | None]) -> list[list[Point]]:
    runs: list[list[Point]] = [[]]
    for point in points:
        if point is None:
            runs.append([])
        else:
            runs[-1].append(point)
    return [run for run in runs if run]
