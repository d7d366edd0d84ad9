from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from sensitive_walks import X, Y, at, line, mark, observations, routes, sessions

from geo_qmi import schema
from geo_qmi.editions import COLUMNS, EDITIONS, edition, leaks, published_places, redact, reidentified
from geo_qmi.errors import InputError, UnknownNameError
from geo_qmi.sensitive import cells, felt

LOWER = ("candidates", "public")


def people(*rows: tuple[str, str, str]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["participant_id", "session_id", "actor_group"]).assign(source="essai")
    return schema.typed(frame, "participants")


@pytest.mark.parametrize(
    ("text", "clean", "found"),
    [
        ("Tél. 06 12 34 56 78.", "Tél. […].", "téléphone : 06 12 34 56 78"),
        ("+33 (0)6.12.34.56.78 svp", "[…] svp", "téléphone : +33 (0)6.12.34.56.78"),
        ("0612345678", "[…]", "téléphone : 0612345678"),
        ("zoe.martin+qmi@ville.example ici", "[…] ici", "adresse électronique : zoe.martin+qmi@ville.example"),
        ("la voiture AB-123-CD gêne", "la voiture […] gêne", "immatriculation : AB-123-CD"),
        ("une vieille 1234 AB 93", "une vieille […]", "immatriculation : 1234 AB 93"),
        ("Mme Durand-Petit l’a dit", "[…] l’a dit", "personne désignée : Mme Durand-Petit"),
        ("chez ZOÉ, oui", "chez […], oui", "nom : ZOÉ"),
        ("avec Jean-Luc", "avec […]", "nom : Jean-Luc"),
    ],
)
def test_what_the_rule_removes(text, clean, found):
    assert redact(text, names=["Zoe", "jean luc"]) == (clean, [found])


@pytest.mark.parametrize(
    "text",
    [
        "entre 10 et 20 arbres",
        "de 100 au moins",
        "à 12 h 30",
        "le 3949",
        "Madame la maire",
        "rue 2023-05-15",
        "Zoéline",
    ],
)
def test_what_the_rule_leaves(text):
    assert redact(text, names=["Zoé"]) == (text, [])


def test_reidentified_by_hand():
    originals = shapely.points([[0, 0], [4, 0], [10, 0]])
    # One cell for all, its middle at (5, 0): the second original is nearest, so one case in three is found.
    shared = np.array([shapely.box(0, -5, 10, 5)] * 3, dtype=object)
    assert reidentified(shared, originals) == pytest.approx(1 / 3)
    assert reidentified(shapely.buffer(originals, 1), originals) == 1.0
    assert reidentified(np.array([None, None, None], dtype=object), originals) == 0.0


@pytest.fixture(scope="module")
def editions(shipped):
    return {name: edition(name, tables=shipped) for name in EDITIONS}


@pytest.mark.parametrize("name", LOWER)
def test_no_private_field_or_value_is_in_a_lower_edition(editions, shipped, name):
    assert leaks(editions[name].tables, source=shipped) == []
    for table, frame in editions[name].tables.items():
        assert not set(frame.columns) & set(schema.private_columns(table))
        assert set(frame.columns) <= set(COLUMNS[name][table])
    everything = " ".join(
        frame.drop(columns="geometry", errors="ignore").to_csv() for frame in editions[name].tables.values()
    )
    for column in ("participant_id", "observation_id", "time", "verbatim"):
        secrets = shipped["observations"][column].dropna()
        assert not [value for value in secrets if value in everything]
    assert not [value for value in shipped["statements"]["statement"] if value in everything]


def test_the_leak_check_can_fail(editions, shipped):
    assert {defect.reason for defect in leaks(editions["jury"].tables, source=shipped)} == {
        "colonne privée publiée",
        "mots non relus publiés",
        "lieu exact d’une observation publié",
    }
    for column, reason in (
        ("participant_id", "valeur privée publiée"),
        ("time", "valeur privée publiée"),
        ("verbatim", "mots non relus publiés"),
    ):
        copied = pd.DataFrame({"remarque": shipped["observations"][column].dropna().head(1)})
        assert [d.reason for d in leaks({"notes": copied}, source=shipped)] == [reason]
    inside = pd.DataFrame({"remarque": [f"dit par {shipped['observations']['participant_id'].iloc[0]} hier"]})
    assert [d.reason for d in leaks({"notes": inside}, source=shipped)] == ["valeur privée dans un texte publié"]
    short = {"participants": pd.DataFrame({"participant_id": ["P1", "12"]})}
    told = pd.DataFrame({"remarque": ["comme P1 le dit", "P10", "le 12 mai"]})
    assert [d.value for d in leaks({"notes": told}, source=short)] == ["P1"]
    personal = pd.DataFrame({"remarque": ["écrire à zoe@ville.example"]})
    assert [d.reason for d in leaks({"notes": personal}, source=shipped)] == ["donnée personnelle publiée"]


@pytest.mark.parametrize("name", LOWER)
def test_masked_places_do_not_lead_back(editions, shipped, name):
    found = editions[name]
    assert found.reidentified < 0.2
    masked = found.tables["observations"]
    assert set(masked.geom_type.dropna()) == {"Polygon"}  # an area, never a false point
    assert masked.geometry.area.min() >= found.mask_m**2
    assert masked.geometry.notna().sum() > 0.8 * shipped["observations"].geometry.notna().sum()
    assert len(masked) == len(shipped["observations"])


def test_every_masked_place_holds_three_people():
    rng = np.random.default_rng(2)
    told = [mark(f"p{n % 7}", at(*rng.uniform(0, 600, 2)), 1, observation_id=f"o{n}") for n in range(120)]
    seen = observations(*told)
    group = people(*((f"p{n}", "s1", "resident") for n in range(7)))
    found = edition("public", tables={"sessions": sessions(s1=7), "participants": group, "observations": seen})
    cells = found.tables["observations"].geometry.dropna()
    for cell in cells.drop_duplicates():
        inside = seen[seen.within(cell.buffer(0.01))]
        assert inside["participant_id"].nunique() >= 3
    assert found.reidentified < 0.2


def test_a_lonely_point_has_no_place_but_keeps_its_row():
    told = [mark(f"p{n}", at(5, 5 + n / 10), 1) for n in range(9)] + [mark("p0", at(5000, 5000), -2)]
    group = people(*((f"p{n}", "s1", "resident") for n in range(9)))
    found = edition(
        "public", tables={"sessions": sessions(s1=9), "participants": group, "observations": observations(*told)}
    )
    assert len(found.tables["observations"]) == 10
    assert found.tables["observations"].query("valence == -2").geometry.isna().all()
    assert "lieu que moins de 3 personnes partagent" in found.withheld["what"].tolist()


def test_street_segments_first_then_cells():
    streets = gpd.GeoDataFrame(geometry=[line((0, 0), (100, 0))], crs=2154)
    told = [mark(f"p{n}", at(n, 3), 1) for n in range(12)]
    group = people(*((f"p{n}", "s1", "resident") for n in range(12)))
    tables = {"sessions": sessions(s1=12), "participants": group, "observations": observations(*told)}
    found = edition("public", tables=tables, streets=streets)
    assert found.mask_m == 0
    assert set(found.tables["observations"].geom_type) == {"LineString"}
    # One segment a person: each gives its author away, so cells take over.
    own = gpd.GeoDataFrame(geometry=[line((40 * n, 0), (40 * n + 1, 0)) for n in range(12)], crs=2154)
    apart = [mark(f"p{n}", at(40 * n, 0), 1) for n in range(12)]
    found = edition("public", tables={**tables, "observations": observations(*apart)}, streets=own)
    assert set(found.tables["observations"].geom_type.dropna()) == {"Polygon"}


def test_small_groups_and_small_sessions_are_withheld():
    told = [mark(f"p{n}", at(5, 5), 1) for n in range(5)] + [mark("q", at(5, 5), 1, session_id="e1")]
    group = people(
        *((f"p{n}", "s1", "resident") for n in range(3)),
        *((f"p{n}", "s1", "elected") for n in range(3, 5)),
        ("q", "e1", "resident"),
    )
    tables = {"sessions": sessions(s1=5, e1=1), "participants": group, "observations": observations(*told)}
    found = edition("candidates", tables=tables)
    seen = found.tables["observations"]
    assert found.tables["sessions"]["session_id"].tolist() == ["s1"]
    assert seen["actor_group"].value_counts(dropna=False).to_dict() == {"resident": 3, np.nan: 2}
    stricter = edition("candidates", tables=tables, floor_people=4)
    assert stricter.tables["observations"]["actor_group"].isna().all()
    with pytest.raises(InputError, match="3 au moins"):
        edition("candidates", tables=tables, floor_people=1)


def test_an_endless_word_is_read_once_and_an_address_in_it_still_leaves():
    endless = "x" * 10_000
    assert redact(endless) == (endless, [])
    assert redact(f"{endless} zoe@exemple.fr")[0] == f"{endless} […]"


def test_words_leave_only_redacted_and_read():
    told = [
        mark("p0", at(5, 5), 1, verbatim="Appelez Zoé au 0612345678"),
        mark("p1", at(5, 5), 1, verbatim="Trop de bruit ici"),
        mark("p2", at(5, 5), 1, verbatim="Jamais relu"),
    ]
    group = people(*((f"p{n}", "s1", "resident") for n in range(3)))
    tables = {"sessions": sessions(s1=3), "participants": group, "observations": observations(*told)}
    unread = edition("public", tables=tables, names=["Zoé"])
    assert unread.tables["observations"]["words"].isna().all()
    assert unread.review["found"].tolist() == ["téléphone : 0612345678 ; nom : Zoé", "", ""]
    read = edition("public", tables=tables, names=["Zoé"], cleared=["o001", "o002"])
    assert set(read.tables["observations"]["words"].dropna()) == {"Appelez […] au […]", "Trop de bruit ici"}
    assert leaks(read.tables, source=tables, cleared=["o001", "o002"], names=["Zoé"]) == []
    assert [d.value for d in leaks(read.tables, source=tables, cleared=["o001"])] == ["Trop de bruit ici"]


def test_numbers_do_not_follow_the_walk_and_the_seed_decides(shipped):
    one, other = (edition("public", tables=shipped).tables["observations"] for _ in range(2))
    pd.testing.assert_frame_equal(pd.DataFrame(one), pd.DataFrame(other))
    first = shipped["observations"]["session_id"].head(92).nunique()
    assert first == 1
    assert one["session_id"].head(92).nunique() == 4


def test_jury_reads_what_was_said_but_no_pseudonym(editions, shipped):
    seen = editions["jury"].tables["observations"]
    assert seen["verbatim"].equals(shipped["observations"]["verbatim"])
    assert not {"participant_id", "time", "photo_sha256"} & set(seen.columns)
    assert "participants" not in editions["jury"].tables


def test_unknown_edition_and_absent_tables(shipped):
    with pytest.raises(UnknownNameError, match="jury, candidates, public"):
        edition("presse", tables=shipped)
    with pytest.raises(InputError, match="participants"):
        edition("public", tables={name: shipped[name] for name in ("sessions", "observations")})


def test_the_study_is_left_alone(shipped):
    before = {name: frame.copy() for name, frame in shipped.items()}
    edition("public", tables=shipped)
    for name, frame in shipped.items():
        pd.testing.assert_frame_equal(pd.DataFrame(frame), pd.DataFrame(before[name]))


def test_places_of_one_or_two_people_are_withheld():
    places = cells((X, Y, X + 60, Y + 20), cell_m=20)
    told = [mark(f"a{n}", at(5, 5), 1) for n in range(3)] + [mark(f"b{n}", at(25, 5), -2) for n in range(2)]
    told.append(mark("c", at(45, 5), kind="silence"))
    table = felt(observations(*told), places=places, routes=routes(line((0, 10), (60, 10))))
    found = published_places(table, floor_people=3)
    assert found["state"].tolist() == ["felt", "withheld", "silent"]
    assert found["value"].tolist() == pytest.approx([1, np.nan, np.nan], nan_ok=True)
    assert found["n_people"].tolist() == [3, pd.NA, 0]
    assert found["n_silent"].isna().tolist() == [False, True, True]
    assert table["state"].tolist() == ["felt", "felt", "silent"]
