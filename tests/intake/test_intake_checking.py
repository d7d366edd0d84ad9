"""Do real files and studies get a verdict, and does an import write the sound rows only, all at once?"""

from __future__ import annotations

import openpyxl
import pytest

from geo_qmi import schema
from geo_qmi.errors import InputError, StudyReadOnlyError, UnknownNameError, UnreadableError
from geo_qmi.intake import check_file, check_study, import_file
from geo_qmi.shipped import data_dir
from geo_qmi.wording import counted
from geo_qmi.workspace import Study

HEADER = ["Dossier", "Nom du projet", "Résumé", "Surface demandée (m²)", "SIRET", "Code postal"]
ROWS = [
    [f"AAP-{i:03}", f"Été n° {i}", "Une ombrière ; un banc.", 10.5 + i, "73282932000074", "01004"] for i in range(168)
]


def write_call(folder, kind: str):
    """Write the same call as French Excel would, in Windows-1252 or UTF-8 with its mark, or as a workbook."""
    if kind == "xlsx":
        book = openpyxl.Workbook()
        for row in [HEADER, *ROWS]:
            book.active.append(row)
        book.save(folder / "appel.xlsx")
        return folder / "appel.xlsx"
    path = folder / f"appel-{kind}.csv"
    lines = [[str(c).replace(".", ",") if isinstance(c, float) else f'"{c}"' for c in row] for row in [HEADER, *ROWS]]
    path.write_text("".join(";".join(line) + "\r\n" for line in lines), encoding=kind, newline="")
    return path


@pytest.mark.parametrize("kind", ["cp1252", "utf-8-sig", "xlsx"])
def test_call_of_168_gives_the_same_records_whatever_the_dialect(tmp_path, study, kind):
    before = len(study.read("applications"))
    took = import_file(study, write_call(tmp_path, kind), table="applications", actor="test")
    assert (took.n_in, took.n_ok, took.n_quarantined) == (168, 168, 0)
    assert [d.severity for d in took.defects if "Code postal" in d.reason] == ["warning"]
    stored = study.read("applications").set_index("application_id")
    assert len(stored) == before + 168
    row = stored.loc["AAP-007"]
    assert (row["name"], row["description"], row["need_area_m2"], row["siret"]) == (
        "Été n° 7",
        "Une ombrière ; un banc.",
        17.5,
        "73282932000074",
    )


def test_import_writes_the_sound_rows_once_and_says_why(tmp_path, study):
    path = tmp_path / "appel.csv"
    path.write_text("Dossier;Nom;Résumé;Testeurs\na;Banc;Texte;3\nb;Arbre;Texte;trois\n", encoding="utf-8")
    took = import_file(study, path, table="applications", actor="Camille")
    assert (took.n_in, took.n_ok, took.n_quarantined) == (2, 1, 1)
    entry = study.journal().iloc[-1]
    assert (entry["actor"], entry["action"], entry["table_name"]) == ("Camille", "append", "applications")
    assert entry["reason"] == "import de « appel.csv » : 1 ligne sur 2"
    version = study.version("applications")
    again = import_file(study, path, table="applications")
    assert (again.n_ok, study.version("applications")) == (0, version)
    path.write_text("Dossier;Nom;Résumé\na;Grand banc;Texte\n", encoding="utf-8")
    assert import_file(study, path, table="applications", update=True).n_replaced == 1
    stored = study.read("applications").set_index("application_id")
    assert stored.loc["a", "name"] == "Grand banc"


def test_import_into_a_study_open_for_reading(tmp_path, study):
    with pytest.raises(StudyReadOnlyError):
        import_file(Study(study.path, read_only=True), write_call(tmp_path, "utf-8-sig"), table="applications")


def test_several_sheets_and_one_table(tmp_path):
    book = openpyxl.Workbook()
    for row in [HEADER, *ROWS[:2]]:
        book.active.append(row)
    book.create_sheet("Lisez-moi").append(["Bonjour"])
    book["Lisez-moi"].append(["à tous"])
    book.save(tmp_path / "appel.xlsx")
    with pytest.raises(InputError, match="a 2 couches ou feuilles : « Sheet », « Lisez-moi » → ajoutez --layer NOM"):
        check_file(tmp_path / "appel.xlsx", table="applications")
    assert check_file(tmp_path / "appel.xlsx", table="applications", layer="Sheet").n_ok == 2
    report = check_file(tmp_path / "appel.xlsx")
    assert (report.n_in, report.n_ok, report.n_quarantined) == (3, 2, 1)
    (error,) = [issue for issue in report.issues if issue.severity == "error"]
    assert (error.layer, error.reason) == ("Lisez-moi", "aucune table de l’étude n’a ces colonnes")


def test_file_that_is_not_there(tmp_path):
    with pytest.raises(UnreadableError, match="introuvable"):
        check_file(tmp_path / "absent.csv")
    with pytest.raises(UnknownNameError, match="Table inconnue"):
        check_file(data_dir() / "projects.csv", table="dossiers")


@pytest.mark.parametrize("name", ["communes.geojson", "districts.geojson", "projects.csv", "sites.geojson"])
def test_shipped_files_are_recognised_and_sound(name, shipped):
    report = check_file(data_dir() / name, known=shipped)
    assert report.issues == []
    assert report.n_ok == report.n_in > 0


def test_shipped_study_is_sound(shipped):
    report = check_study(shipped)
    assert [issue.sentence() for issue in report.issues if issue.severity == "error"] == []
    assert report.n_in == report.n_ok == sum(map(len, shipped.values()))
    assert report.n_unlocated == sum(
        int(frame.geometry.isna().sum()) for name, frame in shipped.items() if schema.geometry_types(name)
    )


def test_study_with_faults(shipped):
    communes = shipped["communes"].copy()
    communes.loc[0, "territory"] = "T99"
    communes.loc[1, "geometry"] = communes.geometry[1].buffer(1e6)
    communes.loc[2, ["geometry_source", "geometry_status"]] = [None, "unknown"]
    communes.loc[3, ["geometry_status", "precision_m"]] = ["official", None]
    communes.loc[4, "siren"] = "217500017"
    report = check_study({**shipped, "communes": communes})
    assert report.verdict == "defects"
    assert report.n_quarantined == 2
    found = [(d.severity, d.row, d.field, d.reason) for d in report.issues if d.layer == "communes"]
    names = communes["insee"]
    assert found == [
        ("warning", None, "geometry_source", f"1 géométrie sans source : {names[2]}"),
        ("warning", None, "geometry_status", f"1 géométrie de statut inconnu : {names[2]}"),
        ("warning", None, "precision_m", f"1 géométrie officielle sans précision : {names[3]}"),
        ("error", 1, "territory", "valeur absente de la table « territories », colonne « territory »"),
        ("error", 2, "geometry", "coordonnées loin de l’Île-de-France"),
        ("warning", 5, "siren", "clé de contrôle fausse : ce n’est pas un SIREN"),
    ]


def test_demonstration_rows_are_counted(shipped):
    applications = shipped["applications"]
    notes = check_study({"applications": applications}).notes
    n = int(applications["demo"].sum())
    assert notes == ((f"Candidatures : {counted(n, 'ligne')} de démonstration.",) if n else ())


def test_real_communes_by_another_publisher(real, shipped):
    path = real / "mgp_communes_2026_geofla2015.geojson"
    report = check_file(path, table="communes", mapping={"code": "insee"})
    assert [d.field for d in report.issues if d.severity == "error"] == ["department"]
    assert (report.n_in, report.n_quarantined) == (130, 130)


def test_real_stations_with_a_mapping(real):
    path = real / "emplacement-des-gares-idf_2025-03.geojson"
    mapping = {"id_gares": "site_id", "nom_gares": "name", "mode": "kind", "id_ref_zda": "insee", "idf": "precision"}
    report = check_file(path, table="sites", mapping=mapping)
    far = [d for d in report.issues if d.reason == "coordonnées loin de l’Île-de-France"]
    assert [d.row for d in far] == [460]
    assert report.n_in == report.n_ok + report.n_quarantined == 1233


def test_real_bike_stations_in_one_text_column(real):
    path = real / "velib-emplacement-des-stations_2025-11.csv"
    mapping = {"Identifiant station": "site_id", "Nom de la station": "name"}
    report = check_file(path, table="sites", mapping=mapping)
    assert [d.field for d in report.issues if d.severity == "error"] == ["insee", "kind", "precision"]
    assert not [d for d in report.issues if "Coordonnées" in d.reason]
    assert report.n_in == report.n_quarantined == 1495
