"""How is a chart laid out on a page: picture, words, the same rows as a table, downloads?"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import streamlit as st

from geo_qmi import charts
from geo_qmi.dashboard import state
from geo_qmi.dashboard.markup import literal
from geo_qmi.dashboard.panel import show_table
from geo_qmi.export.spreadsheet import neutralised

if TYPE_CHECKING:
    from geo_qmi.charts import Chart

#: Widest a chart is shown: beyond, its letters are larger than those of the page. It narrows with the page.
_WIDEST_PX = 1040


def show_chart(chart: Chart, *, key: str) -> None:
    """Show a chart with everything that makes it readable without seeing it.

    Parameters
    ----------
    chart
        The chart; one with nothing to draw is its sentence.
    key
        Name of its widgets and of its files; one a chart on a page.
    """
    if chart.nothing:
        st.info(literal(chart.nothing))
        return
    mark = (chart.heading, chart.description, chart.credits, chart.drawing)
    picture = state.remembered(("graphique", *mark), lambda: charts.svg(chart))
    st.image(picture, width=_WIDEST_PX, alt=f"{chart.heading}. {chart.description}")
    st.markdown(literal(chart.description))
    with st.expander("Les mêmes données en tableau, et téléchargements", icon=":material/table_rows:"):
        show_table(chart.table, key=f"{key}-tableau")
        files = (
            ("SVG", "image/svg+xml", picture),
            ("PNG", "image/png", partial(charts.png, chart)),
            ("CSV", "text/csv", partial(to_csv, chart)),
        )
        with st.container(horizontal=True):
            for name, mime, content in files:
                st.download_button(
                    f"Télécharger en {name}", content, file_name=f"{key}.{name.lower()}", mime=mime,
                    key=f"{key}-{name}", on_click="ignore",
                )  # fmt: skip


def to_csv(chart: Chart) -> bytes:
    """Return the table of a chart as a CSV file French Excel opens; no cell runs as a formula."""
    cells = chart.table.map(lambda cell: neutralised(cell) if isinstance(cell, str) else cell)
    rows = cells.rename(columns=neutralised).to_csv(sep=";", decimal=",", index=False, lineterminator="\r\n")
    return rows.encode("utf-8-sig")
