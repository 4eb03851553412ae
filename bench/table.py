"""The table that the benchmark prints: a row a figure, a column a contender, and the targets."""

import statistics

OURS, BESIDE, DIRECT = "open-chat", "socat pair", "direct"

# Row: (unit, target for our figure or for its ratio to the socat pair).
# The kinds of target: (">=" or "<", limit, "ratio", "added" or "figure").
ROWS = {
    "bulk 1 stream →": ("Gbit/s", (">=", 1.2, "ratio")),
    "bulk 1 stream ←": ("Gbit/s", (">=", 1.2, "ratio")),
    "bulk 8 streams →": ("Gbit/s", (">=", 1.2, "ratio")),
    "bulk 8 streams ←": ("Gbit/s", (">=", 1.2, "ratio")),
    "new connections": ("1/s", None),
    "p50, open connection": ("µs", ("<=", 1.5, "added")),
    "p99, open connection": ("µs", None),
    "p50, new connection": ("µs", ("<=", 1.5, "added")),
    "p99, new connection": ("µs", None),
    "idle node": ("MiB", ("<", 25, "figure")),
    "idle tunnel, near node": ("KiB", ("<=", 16, "figure")),
    "idle tunnel, far node": ("KiB", ("<=", 16, "figure")),
    "ready, first start": ("ms", ("<=", 300, "figure")),
    "ready, later starts": ("ms", ("<=", 300, "figure")),
    "binary, stripped": ("MB", ("<", 20, "figure")),
}


class Table:
    def __init__(self):
        self._columns = [OURS]
        self._figures = {}  # {row: {column: {round: figure}}}
        self._notes = []

    @property
    def complete(self):
        """Whether all that was asked for was measured."""
        return not self._notes

    def add_column(self, name):
        if name not in self._columns:
            self._columns.append(name)

    def add(self, column, figures, round_number=0):
        self.add_column(column)
        for row, figure in figures.items():
            self._figures.setdefault(row, {}).setdefault(column, {})[round_number] = figure

    def note(self, text):
        """Something that was not measured, and why."""
        self._notes.append(text)

    def render(self):
        beside = f"× {BESIDE}"
        columns = sorted(self._columns, key=lambda name: name == OURS)
        lines = [["", "unit", *columns, beside, "target", ""]]
        for row, (unit, target) in ROWS.items():
            if row in self._figures:
                lines.append([row, unit, *(self._cell(row, c) for c in columns), *self._verdict(row, target)])
        text = markdown(lines)
        if any(row.startswith("p") for row in self._figures):
            text += "\n\nLatency: a ratio compares what each adds to the direct exchange."
        return text + "".join(f"\nnot measured: {note}" for note in self._notes)

    def _cell(self, row, column):
        figures = self._figures[row].get(column)
        return short(statistics.median(figures.values())) if figures else "–"

    def _verdict(self, row, target):
        """(ratio to the socat pair, target, whether it is met) as cells."""
        ours = self._figures[row].get(OURS)
        ratio = self._ratio(row, added=row.startswith("p50") or row.startswith("p99"))
        ratio_cell = f"{ratio:.2f}" if ratio is not None else ""
        if not target:
            return [ratio_cell, "", ""]
        relation, limit, of = target
        value = (statistics.median(ours.values()) if ours else None) if of == "figure" else ratio
        wanted = f"{relation} {limit}" + ("" if of == "figure" else " ×")
        if value is None:
            return [ratio_cell, wanted, "–"]
        met = {"<": value < limit, "<=": value <= limit, ">=": value >= limit}[relation]
        return [ratio_cell, wanted, "met" if met else "MISSED"]

    def _ratio(self, row, added):
        """The median over rounds of ours to the socat pair's, less the direct figure if `added`."""
        by_column = self._figures[row]
        ours, beside = by_column.get(OURS, {}), by_column.get(BESIDE, {})
        base = by_column.get(DIRECT, {}) if added else dict.fromkeys(ours, 0)
        rounds = [n for n in ours if n in beside and n in base and beside[n] > base[n]]
        if not rounds:
            return None
        return statistics.median((ours[n] - base[n]) / (beside[n] - base[n]) for n in rounds)


def short(figure):
    """Three significant digits or so."""
    return f"{figure:.0f}" if figure >= 100 else f"{figure:.1f}" if figure >= 10 else f"{figure:.2f}"


def markdown(lines):
    """Cells as a Markdown table with aligned columns."""
    widths = [max(len(line[i]) for line in lines) for i in range(len(lines[0]))]

    def render(line):
        first, *rest = (cell.ljust(w) if i == 0 else cell.rjust(w)
                        for i, (cell, w) in enumerate(zip(line, widths)))
        return "| " + " | ".join([first, *rest]) + " |"

    rule = "|" + "|".join("-" * (w + 1) + (":" if i else "-") for i, w in enumerate(widths)) + "|"
    return "\n".join([render(lines[0]), rule, *map(render, lines[1:])])
