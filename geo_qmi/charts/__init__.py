"""What does a result look like, before anyone reads a table of it?

A chart is plain data: a French title, a paragraph for whoever cannot see it, a table that says the same thing, and
what is drawn. `svg` and `png` draw it with the pen of `geo_qmi.plate`, loaded when a chart is drawn and not before.
Nothing here computes a result: counts, scores, levels, measures, shares and minutes come in, and what is missing is
said, never drawn as zero.

    drawn = funnel([Step("candidatures", 168), Step("retenus", 30)], title="Projets, édition 1")
    svg(drawn)      -> str, the same for the same chart
    png(drawn)      -> bytes
"""

from __future__ import annotations

from geo_qmi.charts.change import Change, changes
from geo_qmi.charts.chart import Chart
from geo_qmi.charts.funnel import Step, funnel
from geo_qmi.charts.heat import score_matrix
from geo_qmi.charts.minutes import minutes_gained
from geo_qmi.charts.radar import Spoke, radar
from geo_qmi.charts.ranks import rank_shares
from geo_qmi.charts.timeline import timeline

__all__ = [
    "Change",
    "Chart",
    "Spoke",
    "Step",
    "changes",
    "funnel",
    "minutes_gained",
    "png",
    "radar",
    "rank_shares",
    "score_matrix",
    "svg",
    "timeline",
]


def svg(chart: Chart) -> str:
    """Return a chart as SVG, its title and its description inside; letters are shapes, the same on every machine.

    Raises
    ------
    InputError
        There is nothing to draw: `Chart.nothing` says why.
    """
    from geo_qmi.charts import drawing

    return drawing.saved(chart, "svg").decode("utf-8")


def png(chart: Chart, *, dpi: int = 200) -> bytes:
    """Return a chart as PNG at `dpi` dots an inch.

    Raises
    ------
    InputError
        There is nothing to draw: `Chart.nothing` says why.
    """
    from geo_qmi.charts import drawing

    return drawing.saved(chart, "png", dpi=dpi)
