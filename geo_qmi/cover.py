"""What does somebody read first in a delivered folder?

One French page: for whom the folder is, what to open first, every table with its rows, formats and licence, and what is
not there. It lists what `geo_qmi.handover` wrote; it opens no file and decides nothing.
"""

from __future__ import annotations

import html
from dataclasses import dataclass
from typing import TYPE_CHECKING

from geo_qmi import editions, wording
from geo_qmi.mapping import edition_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

#: Folder → what it is for, in the order to open them.
OPENED_FIRST = {
    "qgis": "QGIS : ouvrez le projet, tout est dessiné",
    "page": "Une page à ouvrir sans réseau, d’une clé USB par exemple",
    "papier": "Papier : chaque carte à l’échelle, en PDF",
}
TABLE_FOLDERS = {
    "tableur": "Tableur : CSV et Excel français",
    "esri": "Esri : géodatabases et Shapefiles compressés",
    "web": "Web et grands volumes : GeoJSON, FlatGeobuf, PMTiles, GeoParquet, KML",
}


@dataclass(frozen=True, slots=True)
class Entry:
    """One table as the page lists it.

    Attributes
    ----------
    title, licence
        French words.
    n_rows
        Of the table.
    n_unlocated
        Rows without a place, which formats of maps leave out; ``None`` for a table without geometry.
    files
        Path in the folder → short name of its format.
    """

    title: str
    licence: str
    n_rows: int
    n_unlocated: int | None
    files: Mapping[str, str]


def warning(edition: str) -> str:
    """Return what to say before an edition leaves: a French sentence, stronger for the jury's.

    Examples
    --------
    >>> warning("jury").split(" :")[0]
    'Contenu privé'
    """
    code = edition_of(edition)
    if code == "jury":
        return (
            "Contenu privé : l’édition du jury montre les mots exacts et les lieux exacts. Elle ne se transmet pas "
            "et ne se publie pas."
        )
    return (
        f"Édition « {editions.EDITIONS[code]} » : personnes, heures et photos retirées, lieux "
        "élargis, mots seulement s’ils ont été relus. L’absence de fuite est vérifiée avant chaque fichier."
    )


def page(
    *,
    title: str,
    edition: str,
    facts: Mapping[str, str],
    opened_first: Mapping[str, tuple[str, int]],
    tables: Sequence[Entry],
    left_out: Sequence[str],
) -> str:
    """Return the page, which needs nothing but the folder it lies in.

    Parameters
    ----------
    title
        French title.
    edition
        Code of the edition, for the warning.
    facts
        What the folder is: French heading → words.
    opened_first
        Path in one of the folders of `OPENED_FIRST` → title and bytes.
    left_out
        French sentences.
    """
    told = "".join(f"<dt>{_e(name)}</dt><dd>{_e(words)}</dd>\n" for name, words in facts.items())
    first = [_section(folder, purpose, opened_first) for folder, purpose in OPENED_FIRST.items()]
    rows = "".join(_row(entry) for entry in tables)
    missing = _list(_e(line) for line in left_out)
    return _PAGE.format(
        title=_e(title),
        warning=_e(warning(edition)),
        facts=told,
        first="".join(first),
        rows=rows,
        folders=_list(f"<code>{name}/</code> {_e(purpose)}" for name, purpose in TABLE_FOLDERS.items()),
        missing=f"<h2>Ce qui n’y est pas</h2>\n{missing}" if left_out else "",
    )


def _section(folder: str, purpose: str, files: Mapping[str, tuple[str, int]]) -> str:
    lines = [
        f'<a href="{_e(path)}">{_e(path)}</a> : {_e(title)} ({wording.number(max(size / 1e6, 0.1), digits=1)} Mo)'
        for path, (title, size) in sorted(files.items())
        if path.startswith(f"{folder}/")
    ]
    return f"<h2>{_e(purpose)}</h2>\n{_list(lines)}" if lines else ""


def _row(entry: Entry) -> str:
    links = ", ".join(f'<a href="{_e(path)}">{_e(name)}</a>' for path, name in entry.files.items())
    unlocated = "—" if entry.n_unlocated is None else wording.number(entry.n_unlocated)
    numbers = "".join(f'<td class="n">{number}</td>' for number in (wording.number(entry.n_rows), unlocated))
    return f'<tr><th scope="row">{_e(entry.title)}</th>{numbers}<td>{links}</td><td>{_e(entry.licence)}</td></tr>\n'


def _list(lines: Iterable[str]) -> str:
    return "<ul>\n" + "".join(f"<li>{line}</li>\n" for line in lines) + "</ul>\n"


def _e(text: str) -> str:
    return html.escape(text)


_PAGE = """<!doctype html>
<html lang="fr"><head><meta charset="utf-8"><title>{title}</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<style>
body {{ font: 1rem/1.5 system-ui, "DejaVu Sans", sans-serif; max-width: 75rem; margin: 2rem auto; padding: 0 1rem;
  color: #1a1a1a; background: #fff; }}
h1 {{ font-size: 1.5rem; }} h2 {{ font-size: 1.15rem; margin: 1.5rem 0 .25rem; }}
.note {{ padding: .5rem .8rem; border-left: 4px solid #7a1040; background: #f8eef3; }}
dl {{ display: grid; grid-template-columns: max-content 1fr; gap: 0 1rem; }}
dt {{ font-weight: 600; }} dd {{ margin: 0; }}
.roll {{ overflow-x: auto; }} table {{ border-collapse: collapse; font-size: .9rem; }}
th, td {{ border: 1px solid #c9c9c3; padding: .25rem .5rem; text-align: left; vertical-align: top; }}
thead th {{ background: #f0f0ec; }} .n {{ text-align: right; }}
</style></head>
<body><main>
<h1>{title}</h1>
<p class="note">{warning}</p>
<dl>
{facts}</dl>
{first}<h2>Les tables, une par fichier</h2>
{folders}<p>Chaque fichier a sa fiche <code>.meta.json</code> : dictionnaire des colonnes et des codes, sources,
licence, citation. Une ligne sans lieu connu est dans le tableur et le GeoPackage, jamais sur une carte.</p>
<div class="roll" tabindex="0" role="region" aria-label="Les tables">
<table><thead><tr><th scope="col">Table</th><th scope="col">Lignes</th><th scope="col">Sans lieu</th>
<th scope="col">Fichiers</th><th scope="col">Licence et crédit</th></tr></thead>
<tbody>
{rows}</tbody></table></div>
{missing}<p><code>manifest.json</code> donne l’empreinte (SHA-256) de l’étude et de chaque fichier : un dossier sans lui
n’est pas une livraison entière.</p>
</main></body></html>
"""
