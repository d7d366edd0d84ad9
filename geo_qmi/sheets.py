"""How does the explanation sheet of one dossier look, on a screen, on paper and to a machine?

`to_html` gives one self-contained page (no outside reference, every text escaped, a policy that forbids scripts),
`to_pdf` an A4 document with embedded fonts, `to_json` the data themselves. All take the plain record of a sheet
(`Sheet.as_dict()` of `geo_qmi.matching.sheet`). Nothing here computes a score or opens a file.
"""

from __future__ import annotations

import html
import json
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

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
.n { text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums; }
tfoot td { font-weight: 700; }
tr { break-inside: avoid; }
h2, h3, caption { break-after: avoid; }
@media print { body { margin: 0; max-width: none; padding: 0; font-size: 10.5pt; } }
"""


def to_json(record: Mapping[str, Any]) -> str:
    """Return the record as JSON, readable and stable."""
    return json.dumps(record, ensure_ascii=False, indent=1, allow_nan=False) + "\n"


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
        body.append(f'<p class="demo">{_DEMO}</p>')
    body.append(f'<p class="outcome">{_e(record["outcome"])}</p>')
    body.append(f"<p>{_e(record['mention'])}</p>")
    for number, (title, items) in enumerate(_lists(record), 1):
        body.append(f"<h2>{number}. {_e(title)}</h2>{items}")
    body.append("<h2>5. Détail par quartier</h2>")
    body += [_district(part) for part in record["districts"]]
    body.append(f'<h2>Cadre</h2><p>{_e(record["legal_frame"])}</p><p class="small">{_e(record["legal_caution"])}</p>')
    return (
        '<!DOCTYPE html>\n<html lang="fr"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>Fiche d’explication — {_e(record['name'])}</title><style>{_STYLE}</style></head>\n"
        f"<body><main>\n{chr(10).join(body)}\n</main></body></html>\n"
    )


_DEMO = "Démonstration : dossier inventé, ne rien en conclure."
CRITERIA_HEADER = ("Critère", "Poids", "Valeur", "Contribution", "Pourquoi", "Preuve")
THEME_HEADER = ("Couche", "Thème", "Importance", "Force", "Part", "Le quartier dit", "Le projet dit")
PLACE_HEADER = ("Lieu", "Verdict", "Motif")


def _e(text: object) -> str:
    """Return `text` safe inside a page."""
    return html.escape(bound(str(text)), quote=True)


def bound(text: str) -> str:
    r"""Return French `text` whose guillemets and double punctuation never start or end a line alone.

    Examples
    --------
    >>> bound("« vélo » : oui") == "«\u00a0vélo\u00a0»\u00a0: oui"
    True
    """
    return re.sub(r" (?=[»:;!?])", "\u00a0", text.replace("« ", "«\u00a0"))


def _lists(record: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return the four headings and their contents."""

    def items(rows: Iterable[str], tag: str = "ul") -> str:
        return f"<{tag}>" + "".join(f"<li>{_e(row)}</li>" for row in rows) + f"</{tag}>"

    def pairs(rows: Iterable[Sequence[str]], *, header: tuple[str, str]) -> str:
        return _table(header, [(str(name), str(value)) for name, value in rows])

    return [
        (TITLES[0], items(record["contribution"])),
        (TITLES[1], pairs(record["data"], header=("Donnée", "Origine"))),
        (TITLES[2], pairs(record["parameters"], header=("Paramètre", "Valeur appliquée"))),
        (TITLES[3], items(record["operations"], "ol")),
    ]


TITLES = (
    "Degré et mode de contribution du traitement",
    "Données traitées et leurs sources",
    "Paramètres et pondération appliqués",
    "Opérations effectuées",
)


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
    pieces = [
        f"<section><h3>{_e(heading(part))}</h3>",
        _table(CRITERIA_HEADER, criteria_rows(part), caption=CAPTIONS[0], total=total_row(part), right=(1, 2, 3)),
    ]
    if part["themes"]:
        pieces.append(_table(THEME_HEADER, theme_rows(part), caption=CAPTIONS[1], right=(2, 3, 4)))
    if part["places"]:
        pieces.append(_table(PLACE_HEADER, place_rows(part), caption=CAPTIONS[2]))
    return "".join([*pieces, "</section>"])


CAPTIONS = (
    "Poids × valeur = contribution ; la somme des contributions est le total",
    "Réponse aux besoins publiés : importance × force = part",
    "Lieux d’accueil, le meilleur d’abord",
)


def heading(part: Mapping[str, Any]) -> str:
    """Return the title of a district: name, score, rank, and whether the plan proposes it."""
    score = (
        "score inconnu ou paire écartée"
        if part["score"] is None
        else f"score {number(part['score'])}, rang {part['rank']}"
    )
    return f"{part['district']} — {score}" + (" — proposé par le plan" if part["assigned"] else "")


def criteria_rows(part: Mapping[str, Any]) -> list[tuple[str, ...]]:
    """Return the lines of the table of criteria."""
    return [
        (
            line["label"],
            number(line["weight"]),
            interval(line["low"], line["high"]),
            interval(line["contribution_low"], line["contribution_high"]),
            line["words"],
            line["evidence"],
        )
        for line in part["criteria"]
    ]


def total_row(part: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the last line of the table of criteria."""
    weights = number(sum(line["weight"] for line in part["criteria"]))
    return ("Total", weights, "", interval(part["low"], part["high"]), "", "")


def theme_rows(part: Mapping[str, Any]) -> list[tuple[str, ...]]:
    """Return the lines of the table of themes."""
    return [
        (
            line["layer"],
            line["theme"],
            *(number(line[name]) for name in ("importance", "strength", "part")),
            line["evidence_need"],
            line["evidence_offer"],
        )
        for line in part["themes"]
    ]


def place_rows(part: Mapping[str, Any]) -> list[tuple[str, ...]]:
    """Return the lines of the table of places."""
    return [(f"{line['name']} ({line['place_id']})", line["verdict"], line["words"]) for line in part["places"]]


def number(value: float) -> str:
    """Return a number with four decimals and a French comma: enough to re-add by hand."""
    return f"{value:.4f}".replace(".", ",")


def interval(low: float, high: float) -> str:
    """Return one number, or « de … à … » when a cell was missing."""
    return number(low) if number(low) == number(high) else f"de {number(low)} à {number(high)}"


def to_pdf(record: Mapping[str, Any]) -> bytes:
    """Return the sheet as an A4 document with embedded fonts; the same record gives the same bytes.

    Parameters
    ----------
    record
        ``Sheet.as_dict()``.
    """
    from geo_qmi._sheet_pdf import document

    return document(record)
