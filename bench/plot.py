"""Draws how well systems tell spun pages, by the share of the words that was substituted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from bench.detect import Quality

# As matplotlib has it: a name, or an offset with the lengths of dashes and gaps.
Dashes = str | tuple[float, tuple[float, ...]]


class Panel(NamedTuple):
    """Pages of one length: what each system makes of them, a quality for each rate."""

    title: str
    qualities: Mapping[str, Sequence[Quality]]


class Line(NamedTuple):
    """How a system is drawn."""

    colour: str
    marker: str
    dashes: Dashes
    strong: bool


# By the first word of a system's name; colours that the colour-blind tell apart (Okabe and Ito).
STYLES = {
    "unspin": ("#d55e00", "o"),
    "fastText": ("#0072b2", "s"),
    "hashed n-grams": ("#56b4e9", "D"),
    "frequency drop": ("#009e73", "^"),
    "perplexity": ("#cc79a7", "v"),
    "word frequency": ("#8c8c8c", "P"),
    "phrase list": ("#b8a200", "X"),
}
# By what follows the name: what the system knows of the family.
DASHES: Mapping[str, Dashes] = {
    "family known": (0, (3, 1.6)),
    "its lexicons left out too": (0, (1, 1.2)),
}
MEASURES = ("AUC", "found at 1 % false positives", "found at 0.1 % false positives")
INK, FAINT = "#333333", "#dddddd"


def style(system: str) -> Line:
    """A colour and a marker for each system; dashes say that it knows the family, dots that it
    does not even know the words that the family draws from.

    >>> style("unspin, family known").dashes, style("perplexity").dashes
    ((0, (3, 1.6)), '-')
    """
    name, _, protocol = system.partition(", ")
    return Line(*STYLES[name], dashes=DASHES.get(protocol, "-"), strong=name == "unspin")


def draw(panels: Sequence[Panel], rates: Sequence[float], path: Path) -> None:
    """Write the plot as SVG: a column for each panel, a row for each measure."""
    import matplotlib as mpl
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    # Same numbers, same bytes; letters stay letters.
    with mpl.rc_context({"svg.hashsalt": "unspin", "svg.fonttype": "none", "font.size": 9}):
        layout = ConstrainedLayoutEngine(h_pad=0.12)
        figure = Figure(figsize=(9.5, 9.0), layout=layout, facecolor="white")
        FigureCanvasSVG(figure)
        axes = figure.subplots(len(MEASURES), len(panels), sharex=True, sharey="row", squeeze=False)
        for row, measure in enumerate(MEASURES):
            for column, panel in enumerate(panels):
                _fill(axes[row][column], panel, rates, row)
            axes[row][0].set_ylabel(measure, color=INK)
        areas = [q.auc for panel in panels for found in panel.qualities.values() for q in found]
        axes[0][0].set_ylim(min(areas) - 0.02, 1.0)
        for column, panel in enumerate(panels):
            axes[0][column].set_title(f"pages of {panel.title}", color=INK, fontsize=10)
            axes[-1][column].set_xlabel("words substituted", color=INK)
        handles, labels = axes[0][0].get_legend_handles_labels()
        figure.legend(
            handles, labels, loc="outside lower center", ncols=3, frameon=False, handlelength=3.2
        )
        figure.savefig(path, metadata={"Date": None})


def _fill(axis: Any, panel: Panel, rates: Sequence[float], row: int) -> None:  # noqa: ANN401
    for system, qualities in panel.qualities.items():
        line = style(system)
        axis.plot(
            rates,
            [(quality.auc, *quality.true_positives)[row] for quality in qualities],
            label=system,
            color=line.colour,
            marker=line.marker,
            markersize=5.5 if line.strong else 4,
            linewidth=2.4 if line.strong else 1.2,
            linestyle=line.dashes,
            zorder=3 if line.strong else 2,
            clip_on=False,
        )
    axis.set_xscale("log")
    axis.set_xticks(rates, [f"{rate:.0%}" for rate in rates])
    axis.minorticks_off()
    axis.set_xlim(rates[0] * 0.9, rates[-1] * 1.1)
    if row:
        axis.yaxis.set_major_formatter(lambda share, _: f"{share:.0%}")
        axis.set_ylim(-0.01, 1.01)
    axis.grid(axis="y", color=FAINT, linewidth=0.8)
    axis.set_axisbelow(True)
    axis.tick_params(colors=INK, length=0)
    for side, spine in axis.spines.items():
        spine.set_visible(side == "bottom")
        spine.set_color(FAINT)
