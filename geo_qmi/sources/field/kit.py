"""What does a team take on a walk so that the results enter a study without retyping?

Writes one folder: the form for telephones, the GeoPackage for QField, the A3 sheet with the table of its control
crosses, and a page that says what each is for. Reads nothing and knows no study.
"""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import TYPE_CHECKING

from geo_qmi.errors import InputError, shown
from geo_qmi.export import delivery
from geo_qmi.sources.field import a3
from geo_qmi.sources.field.fieldpackage import write_package
from geo_qmi.sources.field.xlsform import form

if TYPE_CHECKING:
    import os

    import shapely

FORM, PACKAGE, SHEET, CONTROL, GUIDE = (
    "formulaire_marche.xlsx",
    "marche_qfield.gpkg",
    "fiche_A3.pdf",
    "fiche_A3_calage.csv",
    "LISEZ-MOI.txt",
)
_GUIDE = f"""Kit de marche sensible

{FORM}
  Formulaire pour KoboToolbox, ODK ou un outil de la même famille (XLSForm). Déposez-le sur le serveur, puis
  exportez les réponses en XLSX, ou en CSV dans une archive, tous les groupes répétés compris.
{PACKAGE}
  Couches vides pour QField ou Mergin Maps, en Lambert-93, avec leurs listes de valeurs. Ouvrez-les dans QGIS,
  enregistrez le projet, envoyez-le sur les téléphones. Les copies en conflit se fusionnent à l’import : gardez-les.
{SHEET}
  Fiche à imprimer en A3, à 100 %, sans mise à l’échelle. Ne dessinez pas sur les croix.
{CONTROL}
  Une fois la fiche scannée, relevez les pixels des croix A à H (trois au moins, cinq pour vérifier) et, dans un
  second tableau, ceux des marques : colonnes pixel_x, pixel_y, participant, groupe, valence, theme, verbatim…
  Nommez ces deux fichiers « fiche_7.csv » et « fiche_7_calage.csv ».

Personne ne donne son nom : un pseudonyme, et un groupe d’acteurs. Ni visage ni plaque sur les photos.
"""


def template_walk(
    directory: str | os.PathLike[str],
    *,
    session: str = "",
    title: str = "Marche sensible",
    perimeter: shapely.Geometry | None = None,
) -> list[Path]:
    """Write the kit into a folder, made if need be, and return its files.

    Parameters
    ----------
    directory
        Folder; none of the files of the kit may be in it.
    session
        Code of the session, proposed by the form and printed on the sheet.
    title
        Name of the walk.
    perimeter
        Geometry in EPSG:2154 printed on the sheet, which then has a scale and coordinates.

    Raises
    ------
    InputError
        A file of the kit is there already, or the perimeter is too large for a sheet. Nothing is written.
    """
    folder = Path(directory)
    paths = [folder / name for name in (FORM, PACKAGE, SHEET, CONTROL, GUIDE)]
    there = [path.name for path in paths if path.exists()]
    if there:
        raise InputError(
            f"« {shown(folder)} » contient déjà {', '.join(there)} : rien n’a été écrit → choisissez un autre dossier."
        )
    contents = {
        FORM: form(session=session, title=title),
        SHEET: a3.sheet(code=session or "SANS CODE", title=title, perimeter=perimeter),
        CONTROL: _control(perimeter),
        GUIDE: _GUIDE.encode(),
    }
    folder.mkdir(parents=True, exist_ok=True)
    with delivery.workshop(folder / PACKAGE) as private:
        for name, content in contents.items():
            (private / name).write_bytes(content)
        write_package(private / PACKAGE)
        delivery.place([path.name for path in paths], source=private, folder=folder)
    return paths


def _control(perimeter: shapely.Geometry | None) -> bytes:
    """Return the table of the crosses, pixels left to fill; coordinates too where the sheet has no scale."""
    stream = io.StringIO()
    writer = csv.writer(stream, delimiter=";", lineterminator="\r\n")
    writer.writerow(["repere", "pixel_x", "pixel_y", "x", "y", "mm_depuis_la_gauche", "mm_depuis_le_haut"])
    for cross in a3.crosses(perimeter):
        place = [f"{mm:.1f}".replace(".", ",") for mm in (cross.right_mm, cross.down_mm)]
        ground = ["" if value is None else f"{value:.2f}".replace(".", ",") for value in (cross.x, cross.y)]
        writer.writerow([cross.name, "", "", *ground, *place])
    return b"\xef\xbb\xbf" + stream.getvalue().encode()
