"""How do an explanation sheet and an evaluation sheet look on a screen?

One self-contained page: no outside reference, every text escaped, a policy that forbids scripts.
"""

from __future__ import annotations

import html
from typing import TYPE_CHECKING, Any

from geo_qmi import charts
from geo_qmi.sheets import wording

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from geo_qmi.charts import Chart

_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
_STYLE = """
@page { size: A4; margin: 16mm 14mm 18mm; }
:root { color: #1b1b1b; background: #fff; }
body { font: 15px/1.45 system-ui, "Segoe UI", "DejaVu Sans", sans-serif; }
body { max-width: 56rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.6rem; margin: 0 0 .2rem; }
h2 { font-size: 1.15rem; margin: 1.8rem 0 .4rem; border-bottom: 2px solid #1f4e79; }
h3 { font-size: 1rem; margin: 1.4rem 0 .3rem; }
p, ul, ol { margin: .3rem 0; }
.outcome { font-weight: 600; padding: .5rem .8rem; background: #eef3f8; border-left: 4px solid #1f4e79; }
.demo { font-weight: 700; color: #7a2e00; }
.small { font-size: .85rem; color: #444; }
table { border-collapse: collapse; width: 100%; margin: .4rem 0 .8rem; font-size: .86rem; }
caption { text-align: left; font-weight: 600; padding: .2rem 0; }
th, td { border: 1px solid #b9c4cf; padding: .25rem .4rem; text-align: left; vertical-align: top; }
th { background: #eef3f8; }
td { overflow-wrap: break-word; }
.n { text-align: right; min-width: 4.2rem; font-variant-numeric: tabular-nums; }
tfoot td { font-weight: 700; }
tr { break-inside: avoid; }
h2, h3, caption { break-after: avoid; }
figure { margin: .4rem 0; break-inside: avoid; }
figure svg { max-width: 100%; height: auto; }
@media screen and (max-width: 48rem) { table { display: block; overflow-x: auto; } }
@media print { body { margin: 0; max-width: none; padding: 0; font-size: 10.5pt; } }
"""


def to_html(record: Mapping[str, Any]) -> str:
    """Return the sheet as one self-contained page.

    Parameters
    ----------
    record
        ``Sheet.as_dict()``.
    """
    body = [
        f"<h1>Fiche d’explication — {_e(record['name'])}</h1>",
        f'<p class="small">Dossier {_e(record["project_id"])} · porteur : {_e(record["operator"])}</p>',
    ]
    if record["demo"]:
        body.append(f'<p class="demo">{wording.DEMO}</p>')
    body.append(f'<p class="outcome">{_e(record["outcome"])}</p>')
    body.append(f"<p>{_e(record['mention'])}</p>")
    for number, (title, items) in enumerate(_lists(record), 1):
        body.append(f"<h2>{number}. {_e(title)}</h2>{items}")
    body.append("<h2>5. Détail par quartier</h2>")
    body += [_district(part) for part in record["districts"]]
    body.append(f'<h2>Cadre</h2><p>{_e(record["legal_frame"])}</p><p class="small">{_e(record["legal_caution"])}</p>')
    return _page(f"Fiche d’explication — {record['name']}", body)


def report_html(record: Mapping[str, Any]) -> str:
    """Return a sheet made of sections as one self-contained page.

    Parameters
    ----------
    record
        ``kind``, ``title``, ``subtitle``, ``demo`` (sentence, or empty), ``lead``, ``warnings`` and ``notes``
        (sentences), ``sections``: each a ``title``, a ``chart`` (`geo_qmi.charts.Chart`, or ``None``), ``sentences``
        and ``tables`` (``caption``, ``header``, ``rows``, ``right``: columns of numbers, ``shares``: widths on paper).
    """
    title = f"{record['kind']} — {record['title']}"
    body = [f"<h1>{_e(title)}</h1>", f'<p class="small">{_e(record["subtitle"])}</p>']
    body += [f'<p class="demo">{_e(record["demo"])}</p>'] if record["demo"] else []
    body += [f'<p class="outcome">{_e(sentence)}</p>' for sentence in record["lead"]]
    if record["warnings"]:
        body.append(f"<h2>{wording.WARNINGS}</h2>{_items(record['warnings'])}")
    for section in record["sections"]:
        body.append(f"<section><h2>{_e(section['title'])}</h2>{_drawn(section['chart'])}")
        body.append(_items(section["sentences"]))
        body += [
            _table(one["header"], one["rows"], caption=one["caption"], right=one["right"]) for one in section["tables"]
        ]
        body.append("</section>")
    body.append(f"<h2>{wording.METHOD}</h2>{_items(record['notes'])}")
    return _page(title, body)


def _drawn(chart: Chart | None) -> str:
    """Return a chart inside the page, its title and description with it; nothing when it draws nothing."""
    if chart is None or chart.nothing:
        return ""
    text = charts.svg(chart)
    return f"<figure>{text[text.index('<svg') :]}</figure>"


def _page(title: str, body: Iterable[str]) -> str:
    """Return a whole page."""
    return (
        '<!DOCTYPE html>\n<html lang="fr"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{_e(title)}</title><style>{_STYLE}</style></head>\n"
        f"<body><main>\n{chr(10).join(body)}\n</main></body></html>\n"
    )


def _items(rows: Iterable[str], tag: str = "ul") -> str:
    """Return a list; nothing when it is empty."""
    inside = "".join(f"<li>{_e(row)}</li>" for row in rows)
    return f"<{tag}>{inside}</{tag}>" if inside else ""


def _e(text: object) -> str:
    """Return `text` safe inside a page."""
    return html.escape(wording.bound(str(text)), quote=True)


def _lists(record: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return the four headings and their contents."""

    def pairs(rows: Iterable[Sequence[str]], *, header: tuple[str, str]) -> str:
        return _table(header, [(str(name), str(value)) for name, value in rows])

    return [
        (wording.TITLES[0], _items(record["contribution"])),
        (wording.TITLES[1], pairs(record["data"], header=("Donnée", "Origine"))),
        (wording.TITLES[2], pairs(record["parameters"], header=("Paramètre", "Valeur appliquée"))),
        (wording.TITLES[3], _items(record["operations"], "ol")),
    ]


def _table(
    header: Sequence[str],
    rows: Iterable[Sequence[str]],
    *,
    caption: str = "",
    total: Sequence[str] = (),
    right: Iterable[int] = (),
) -> str:
    """Return one table; columns `right` hold numbers."""
    numbers = set(right)

    def line(cells: Sequence[str], tag: str = "td") -> str:
        marks = [' class="n"' if number in numbers else "" for number in range(len(cells))]
        inside = "".join(f"<{tag}{mark}>{_e(cell)}</{tag}>" for cell, mark in zip(cells, marks, strict=True))
        return f"<tr>{inside}</tr>"

    title = f"<caption>{_e(caption)}</caption>" if caption else ""
    foot = f"<tfoot>{line(total)}</tfoot>" if total else ""
    body = "".join(line(row) for row in rows)
    return f"<table>{title}<thead>{line(header, 'th')}</thead><tbody>{body}</tbody>{foot}</table>"


def _district(part: Mapping[str, Any]) -> str:
    """Return the section of one district."""
    criteria, themes, places = wording.CAPTIONS
    rows, total = wording.criteria_rows(part), wording.total_row(part)
    pieces = [
        f"<section><h3>{_e(wording.heading(part))}</h3>",
        _table(wording.CRITERIA_HEADER, rows, caption=criteria, total=total, right=(1, 2, 3)),
    ]
    if part["themes"]:
        pieces.append(_table(wording.THEME_HEADER, wording.theme_rows(part), caption=themes, right=(2, 3, 4)))
    if part["places"]:
        pieces.append(_table(wording.PLACE_HEADER, wording.place_rows(part), caption=places))
    return "".join([*pieces, "</section>"])
