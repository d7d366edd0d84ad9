"""What does one page say of a district, in the same order as the page of every other district?

A diagnosis sheet as data: counts, places, absences, disagreements, needs, what was said together, what the workshop
ranked, and what is missing. Every sheet has every section, empty where nothing was collected, so that two districts
can be laid side by side. It prints nothing and judges nothing; verbatims stay out, except collective statements,
which are private too and leave only through `geo_qmi.editions`.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geo_qmi.errors import UnknownNameError, shown
from geo_qmi.guards import require_columns
from geo_qmi.sensitive.inputs import FLOOR_PEOPLE
from geo_qmi.sensitive.needs import lacking_theme, located_needs, need_rows, voices
from geo_qmi.sensitive.places import positions, walk_ground
from geo_qmi.sensitive.values import felt
from geo_qmi.vocabulary import ACTOR_GROUPS, PLACE_STATES, SESSION_KINDS
from geo_qmi.wording import counted

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray
    from pandas.api.extensions import ExtensionArray

    Tables = Mapping[str, gpd.GeoDataFrame | pd.DataFrame]

#: Tables a sheet is made from.
TABLES = ("districts", "sessions", "routes", "stages", "participants", "observations", "statements", "workshop_items")
#: Side of the cells of a sheet: large enough for five of eleven walkers to have marked the same one.
CELL_M = 50.0
#: How many places a sheet names on each side.
_TOP = 5
#: Farthest stop whose name may help to find a place.
_NEAR_STOP_M = 250.0


@dataclass(frozen=True, slots=True)
class Sheet:
    """The diagnosis sheet of one district: one frame a section, always all of them, always in this order.

    Attributes
    ----------
    district_id, title, demo
        Which district; `demo` when any row of it is made up.
    counts
        ``indicator``, ``label``, ``value``: the same indicators for every district, missing where unknown.
    places
        Best and worst places: ``side``, ``place_id``, ``near`` (closest stop), ``value``, ``n_people``,
        ``polarisation``, ``display``, ``geometry``.
    absences
        ``observation_id``, ``theme``, ``wished``, ``located``.
    dissensus
        Divided places, the most polarised first; columns of `places` without ``side``.
    needs
        ``theme``, ``weight``, ``n_places``: the needs of the layer ``field``, the heaviest first.
    collective
        Collective statements: ``statement_id``, ``theme``, ``valence``, ``statement`` (private).
    workshop
        ``kind``, ``priority``, ``label``, ``theme``, in the order of kind and rank.
    missing
        ``what``: one French sentence a gap.
    """

    district_id: str
    title: str
    demo: bool
    counts: pd.DataFrame
    places: gpd.GeoDataFrame
    absences: pd.DataFrame
    dissensus: gpd.GeoDataFrame
    needs: pd.DataFrame
    collective: pd.DataFrame
    workshop: pd.DataFrame
    missing: pd.DataFrame

    def sections(self) -> dict[str, pd.DataFrame]:
        """Return French title → frame of every section, in the order of the page."""
        return {
            "Ce qui a été recueilli": self.counts,
            "Lieux les mieux et les moins bien ressentis": self.places,
            "Ce qui manque, selon les marches": self.absences,
            "Lieux où les ressentis s’opposent": self.dissensus,
            "Besoins venus du terrain": self.needs,
            "Propos collectifs": self.collective,
            "Priorités de l’atelier": self.workshop,
            "Ce que cette fiche ne sait pas": self.missing,
        }


def diagnosis(
    district_id: str,
    *,
    tables: Tables,
    cell_m: float = CELL_M,
    own: Tables | None = None,
    ground: gpd.GeoDataFrame | None = None,
) -> Sheet:
    """Return the diagnosis sheet of one district.

    Parameters
    ----------
    district_id
        A row of ``districts``.
    tables
        Table name → frame for all of `TABLES`, of the whole study.
    cell_m
        Side of the cells in metres.
    own
        Rows of the field tables of the district, as returned by `of_district`, where they are there already.
    ground
        Every observation felt on these cells, as returned by `geo_qmi.sensitive.felt`, where it is there already.

    Raises
    ------
    UnknownNameError
        No such district.
    """
    require_columns(tables["districts"], ["district_id", "name"], what="Quartiers")
    host = tables["districts"][tables["districts"]["district_id"] == district_id]
    if host.empty:
        raise UnknownNameError(f"Quartier inconnu : « {shown(district_id)} ».")
    own = of_district(district_id, tables) if own is None else own
    if ground is None:
        ground = _felt_ground(host, own, cell_m=cell_m)
    located = located_needs(
        voices(
            own["observations"],
            sessions=own["sessions"],
            statements=own["statements"],
            workshop_items=own["workshop_items"],
        )
    )
    seen, said, items = own["observations"], own["statements"], own["workshop_items"]
    absent = np.flatnonzero((seen["kind"] == "absence").to_numpy(dtype=bool))
    together = np.flatnonzero((said["scope"] == "collective").to_numpy(dtype=bool))
    ranked = _plain(items, ["kind", "priority", "label", "theme", "item_id"])
    ranked = ranked.sort_values(["kind", "priority", "item_id"], na_position="last", ignore_index=True)
    name = host["name"].iloc[0]
    return Sheet(
        district_id=district_id,
        title=str(name) if pd.notna(name) else district_id,
        demo=any(bool(own[table]["demo"].any()) for table in own if "demo" in own[table]),
        counts=_counts(own, lambda: ground),
        places=_top_places(ground, own["stages"]),
        absences=_plain(seen, ["observation_id", "theme", "wished"], rows=absent).assign(
            located=~shapely.is_missing(seen.geometry.to_numpy()[absent])
        ),
        dissensus=_told(ground, _split(ground), own["stages"]),
        needs=_themes(located),
        collective=_plain(said, ["statement_id", "theme", "valence", "statement"], rows=together),
        workshop=ranked.drop(columns="item_id"),
        missing=pd.DataFrame({"what": pd.Series(_gaps(host, own, ground), dtype="str")}),
    )


def indicators(
    district_id: str,
    *,
    tables: Tables,
    cell_m: float = CELL_M,
    own: Tables | None = None,
    ground: gpd.GeoDataFrame | None = None,
) -> pd.DataFrame:
    """Return the ``counts`` of the sheet of a district without the rest of it; parameters as for `diagnosis`."""
    host = tables["districts"][tables["districts"]["district_id"] == district_id]
    rows = of_district(district_id, tables) if own is None else own
    return _counts(rows, lambda: _felt_ground(host, rows, cell_m=cell_m) if ground is None else ground)


def comparison(sheets: list[Sheet]) -> pd.DataFrame:
    """Return the counts of several sheets side by side, as `side_by_side` does."""
    return side_by_side({sheet.district_id: sheet.counts for sheet in sheets})


def side_by_side(counts: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Return the counts of several districts side by side.

    Parameters
    ----------
    counts
        District → its counts, as `indicators` returns them.

    Returns
    -------
    DataFrame
        Index ``indicator``; ``label``, then one column a district, in the order given.
    """
    if not counts:
        return pd.DataFrame({"label": pd.Series(dtype="str")}, index=pd.Index([], name="indicator", dtype="str"))
    told = {district: rows.set_index("indicator") for district, rows in counts.items()}
    first = next(iter(told.values()))[["label"]]
    return first.join(pd.DataFrame({district: rows["value"] for district, rows in told.items()}))


def of_district(district_id: str, tables: Tables) -> dict[str, gpd.GeoDataFrame | pd.DataFrame]:
    """Return the rows of each field table (`TABLES` but ``districts``) that belong to a district's sessions."""
    sessions = tables["sessions"][tables["sessions"]["district_id"] == district_id]
    names = [name for name in TABLES if name not in {"districts", "sessions"}]
    rows = {name: np.flatnonzero(tables[name]["session_id"].isin(sessions["session_id"])) for name in names}
    kept = {name: tables[name].iloc[rows[name]] for name in names}
    return {"sessions": sessions, **kept}


def _felt_ground(host: gpd.GeoDataFrame, own: Tables, *, cell_m: float) -> gpd.GeoDataFrame:
    """Return the state of every cell of the perimeter and of the ground beside the routes."""
    places = walk_ground(host, routes=own["routes"], cell_m=cell_m)
    return felt(own["observations"], places=places, routes=own["routes"])


_PLACE = ["place_id", "near", "value", "n_people", "polarisation", "display", "geometry"]


def _top_places(ground: gpd.GeoDataFrame, stages: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Return the places with most votes on either side: their number times their mean, never their marks."""
    pull = np.nan_to_num(ground["value"].to_numpy() * ground["n_people"].to_numpy())
    names = ground["place_id"].to_numpy(dtype=object)
    ordered = sorted(np.flatnonzero(pull).tolist(), key=lambda row: (-pull[row], names[row]))
    best = [row for row in ordered if pull[row] > 0][:_TOP]
    worst = [row for row in reversed(ordered) if pull[row] < 0][:_TOP]
    sides = ["positive"] * len(best) + ["negative"] * len(worst)
    return _told(ground, [*best, *worst], stages, side=pd.array(sides, dtype="str"))


def _split(ground: gpd.GeoDataFrame) -> list[int]:
    """Return the row numbers of the divided places, the most polarised first."""
    apart, people, names = (ground[name].to_numpy() for name in ("polarisation", "n_people", "place_id"))
    rows = np.flatnonzero((ground["state"] == "divided").to_numpy(dtype=bool))
    return sorted(rows.tolist(), key=lambda row: (-apart[row], -people[row], names[row]))


def _told(
    ground: gpd.GeoDataFrame, rows: list[int], stages: gpd.GeoDataFrame, **first: ExtensionArray
) -> gpd.GeoDataFrame:
    """Return some rows of the ground with the name of the closest stop, after other columns of those rows."""
    at = np.array(rows, dtype=np.intp)
    shapes = ground.geometry.array.take(at)
    cells = {column: ground[column].array.take(at) for column in _PLACE if column in ground}
    near = pd.array(_near(np.asarray(shapes), stages), dtype="str")
    told = {column: cells.get(column, near) for column in _PLACE}
    return gpd.GeoDataFrame({**first, **told, "geometry": shapes}, geometry="geometry")


def with_stops(places: gpd.GeoDataFrame, stages: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Return `places` on a fresh index with ``near``, the name of the closest stop within 250 m: a name to find it."""
    names = _near(places.geometry.to_numpy(), stages)
    return places.assign(near=pd.Series(names, index=places.index, dtype="str")).reset_index(drop=True)


def _near(shapes: NDArray[np.object_], stages: gpd.GeoDataFrame) -> NDArray[np.object_]:
    """Return the name of the closest stop within 250 m of each place, or nothing."""
    names = np.full(len(shapes), None, dtype=object)
    stops = stages.geometry.to_numpy()
    known = np.flatnonzero(~shapely.is_missing(stops))
    if known.size and shapes.size:
        row, stop = shapely.STRtree(stops[known]).query_nearest(
            shapely.centroid(shapes), max_distance=_NEAR_STOP_M, all_matches=False
        )
        names[row] = stages["name"].to_numpy(dtype=object)[known[stop]]
    return names


def _plain(frame: pd.DataFrame, columns: list[str], *, rows: NDArray[np.intp] | None = None) -> pd.DataFrame:
    """Return some columns of a frame, and some of its rows, without geometry, on a fresh index."""
    kept = {column: frame[column].array for column in columns}
    return pd.DataFrame(kept if rows is None else {column: cells.take(rows) for column, cells in kept.items()})


def _themes(located: gpd.GeoDataFrame) -> pd.DataFrame:
    """Return the weight of each theme and the number of places behind it."""
    rows = need_rows(located)
    placed = Counter(located["theme"][~shapely.is_missing(located.geometry.to_numpy())])
    rows["n_places"] = np.array([placed[theme] for theme in rows["theme"]], dtype=np.int64)
    ordered = rows.sort_values(["weight", "theme"], ascending=[False, True])
    return _plain(ordered, ["theme", "weight", "n_places"])


def _counts(
    own: Tables, felt_ground: Callable[[], gpd.GeoDataFrame]
) -> pd.DataFrame:  # fmt: skip
    """Return the indicators, the same for every district; the ground is asked for where somebody went."""
    sessions, seen = own["sessions"], own["observations"]
    of_kind = Counter(sessions["kind"])
    rows: list[tuple[str, str, float]] = [
        ("n_sessions", "Séances", len(sessions)),
        *((f"n_{kind}", f"Séances : {text}", of_kind[kind]) for kind, text in SESSION_KINDS.items()),
    ]
    # What no session could have collected is missing, not zero.
    met, table, went = len(sessions) > 0, "workshop" in of_kind, bool(len(seen) or len(own["routes"]))
    rows += [
        (
            "n_participants",
            "Personnes présentes, séances cumulées",
            int(sessions["n_participants"].sum()) if met else np.nan,
        ),
        ("n_statements", "Propos recueillis", len(own["statements"]) if met else np.nan),
        ("n_items", "Objets d’atelier", len(own["workshop_items"]) if table else np.nan),
    ]
    found = _walked(own, felt_ground()) if went else {}
    rows += [(name, text, found.get(name, np.nan)) for name, text in _WALKED.items()]
    return pd.DataFrame(rows, columns=["indicator", "label", "value"]).astype({"value": "float64"})


#: Indicators of a walk: name → French label.
_WALKED = {
    "n_people": "Personnes dont une observation est connue",
    "n_observations": "Observations",
    "n_marks": "Ressentis",
    "n_silences": "Arrêts sans rien ressentir",
    "n_absences": "Choses absentes",
    "route_m": "Longueur parcourue (m)",
    **{f"cells_{code}": f"Cellules : {text}" for code, text in PLACE_STATES.items()},
    "cells_firm": "Cellules à cinq personnes ou plus",
    "mean_value": "Valeur moyenne des cellules ressenties (−2 à +2)",
}


def _walked(own: Tables, ground: gpd.GeoDataFrame) -> dict[str, float]:
    """Return the indicators of a walk."""
    seen = own["observations"]
    kinds, states = (Counter(frame[name].to_numpy(dtype=object)) for frame, name in ((seen, "kind"), (ground, "state")))
    return {
        "n_people": seen["participant_id"].nunique(),
        "n_observations": len(seen),
        "n_marks": kinds["mark"],
        "n_silences": kinds["silence"],
        "n_absences": kinds["absence"],
        "route_m": float(round(own["routes"].geometry.length.sum())),
        **{f"cells_{code}": states[code] for code in PLACE_STATES},
        "cells_firm": int((ground["n_people"] >= FLOOR_PEOPLE).sum()),
        "mean_value": float(ground["value"].mean()),
    }


def _gaps(host: gpd.GeoDataFrame, own: Tables, ground: gpd.GeoDataFrame) -> list[str]:
    """Say in French what the sheet does not know."""
    seen, items, kinds = own["observations"], own["workshop_items"], set(own["sessions"]["kind"])
    shapes = seen.geometry.to_numpy()
    found = ["Le périmètre du quartier n’est pas connu."] if host.geometry.isna().all() else []
    found += [f"Aucune séance de type « {text} »." for kind, text in SESSION_KINDS.items() if kind not in kinds]
    absent = [text for code, text in ACTOR_GROUPS.items() if code not in set(own["participants"]["actor_group"])]
    if absent:
        found.append(f"Groupes sans participant connu : {', '.join(absent)}.")
    walks = int(own["sessions"]["kind"].isin(["walk", "stroll"]).sum())
    traced = own["routes"]["session_id"].nunique()
    missing = [
        (walks - traced, "marche sans parcours tracé : ce qui y fut silencieux ne se distingue pas du non parcouru"),
        (int(lacking_theme(seen).sum()), "ressenti négatif ou absence sans thème : hors des besoins"),
        (int(shapely.is_missing(shapes).sum()), "observation sans lieu : hors de la carte"),
        (_n_off_ground(shapes, ground), "observation hors du périmètre et loin du parcours : hors de la carte"),
        (int(((seen["kind"] == "mark") & seen["valence"].isna()).sum()), "ressenti sans valence : sans vote"),
        (int(items["priority"].isna().sum()), "objet d’atelier sans rang de priorité"),
        (int(ground["n_people"].between(1, FLOOR_PEOPLE - 1).sum()), "cellule à moins de cinq personnes"),
    ]
    return found + [f"{counted(n, words)}." for n, words in missing if n > 0]


def _n_off_ground(shapes: NDArray[np.object_], ground: gpd.GeoDataFrame) -> int:
    """Return how many placed observations fall on no cell."""
    row, _ = positions(shapes, places=ground)
    return int((~shapely.is_missing(shapes)).sum()) - len(np.unique(row))
