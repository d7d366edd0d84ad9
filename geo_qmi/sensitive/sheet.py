"""What does one page say of a district, in the same order as the page of every other district?

A diagnosis sheet as data: counts, places, absences, disagreements, needs, what was said together, what the workshop
ranked, and what is missing. Every sheet has every section, empty where nothing was collected, so that two districts
can be laid side by side. It prints nothing and judges nothing; verbatims stay out, except collective statements,
which are private too and leave only through `geo_qmi.editions`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import shapely

from geo_qmi.errors import UnknownNameError, shown
from geo_qmi.guards import require_columns
from geo_qmi.sensitive.inputs import FLOOR_PEOPLE
from geo_qmi.sensitive.needs import located_needs, need_rows, unthemed, voices
from geo_qmi.sensitive.places import unattached, walk_ground
from geo_qmi.sensitive.values import felt
from geo_qmi.vocabulary import ACTOR_GROUPS, PLACE_STATES, SESSION_KINDS
from geo_qmi.wording import counted

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import geopandas as gpd

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
    district_id: str, *, tables: Tables, cell_m: float = CELL_M, ground: gpd.GeoDataFrame | None = None
) -> Sheet:  # fmt: skip
    """Return the diagnosis sheet of one district.

    Parameters
    ----------
    district_id
        A row of ``districts``.
    tables
        Table name → frame for all of `TABLES`, of the whole study.
    cell_m
        Side of the cells in metres.
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
    own = of_district(district_id, tables)
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
    said = own["statements"][own["statements"]["scope"] == "collective"]
    ranked = own["workshop_items"].sort_values(["kind", "priority", "item_id"], na_position="last")
    absent = own["observations"][own["observations"]["kind"] == "absence"]
    name = host["name"].iloc[0]
    return Sheet(
        district_id=district_id,
        title=str(name) if pd.notna(name) else district_id,
        demo=any(bool(own[table]["demo"].any()) for table in own if "demo" in own[table]),
        counts=_counts(own, lambda: ground),
        places=_top_places(ground, own["stages"]),
        absences=_plain(absent, ["observation_id", "theme", "wished"]).assign(
            located=absent.geometry.notna().to_numpy()
        ),
        dissensus=with_stops(_split(ground), own["stages"])[_PLACE],
        needs=_themes(located),
        collective=_plain(said, ["statement_id", "theme", "valence", "statement"]),
        workshop=_plain(ranked, ["kind", "priority", "label", "theme"]),
        missing=pd.DataFrame({"what": pd.Series(_gaps(host, own, ground), dtype="str")}),
    )


def indicators(district_id: str, *, tables: Tables, cell_m: float = CELL_M) -> pd.DataFrame:
    """Return the ``counts`` of the sheet of a district without the rest of it; parameters as for `diagnosis`."""
    host = tables["districts"][tables["districts"]["district_id"] == district_id]
    own = of_district(district_id, tables)
    return _counts(own, lambda: _felt_ground(host, own, cell_m=cell_m))


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
    kept = {name: tables[name][tables[name]["session_id"].isin(sessions["session_id"])] for name in names}
    return {"sessions": sessions, **kept}


def _felt_ground(
    host: gpd.GeoDataFrame, own: dict[str, gpd.GeoDataFrame | pd.DataFrame], *, cell_m: float
) -> gpd.GeoDataFrame:
    """Return the state of every cell of the perimeter and of the ground beside the routes."""
    places = walk_ground(host, routes=own["routes"], cell_m=cell_m)
    return felt(own["observations"], places=places, routes=own["routes"])


_PLACE = ["place_id", "near", "value", "n_people", "polarisation", "display", "geometry"]


def _top_places(ground: gpd.GeoDataFrame, stages: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Return the places with most votes on either side: their number times their mean, never their marks."""
    pull = (ground["value"] * ground["n_people"]).fillna(0.0)
    ordered = ground.assign(_pull=pull).sort_values(["_pull", "place_id"], ascending=[False, True])
    best = ordered[ordered["_pull"] > 0].head(_TOP).assign(side="positive")
    worst = ordered[ordered["_pull"] < 0].iloc[::-1].head(_TOP).assign(side="negative")
    return with_stops(pd.concat([best, worst]), stages)[["side", *_PLACE]].reset_index(drop=True)


def _split(ground: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Return the divided places, the most polarised first."""
    split = ground[ground["state"] == "divided"]
    return split.sort_values(["polarisation", "n_people", "place_id"], ascending=[False, False, True])


def with_stops(places: gpd.GeoDataFrame, stages: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Return `places` on a fresh index with ``near``, the name of the closest stop within 250 m: a name to find it."""
    names = np.full(len(places), None, dtype=object)
    stops = stages[stages.geometry.notna()]
    if len(stops) and len(places):
        centres = shapely.centroid(places.geometry.to_numpy())
        row, stop = shapely.STRtree(stops.geometry.to_numpy()).query_nearest(
            centres, max_distance=_NEAR_STOP_M, all_matches=False
        )
        names[row] = stops["name"].to_numpy(dtype=object)[stop]
    return places.assign(near=pd.Series(names, index=places.index, dtype="str")).reset_index(drop=True)


def _plain(frame: pd.DataFrame, columns: list[str]) -> pd.DataFrame:
    """Return some columns of a frame, without geometry, on a fresh index."""
    return pd.DataFrame(frame[columns]).reset_index(drop=True)


def _themes(located: gpd.GeoDataFrame) -> pd.DataFrame:
    """Return the weight of each theme and the number of places behind it."""
    rows = need_rows(located)
    placed = located[located.geometry.notna()].groupby("theme").size()
    rows["n_places"] = rows["theme"].map(placed).fillna(0).astype(np.int64)
    ordered = rows.sort_values(["weight", "theme"], ascending=[False, True])
    return _plain(ordered, ["theme", "weight", "n_places"])


def _counts(
    own: dict[str, gpd.GeoDataFrame | pd.DataFrame], felt_ground: Callable[[], gpd.GeoDataFrame]
) -> pd.DataFrame:  # fmt: skip
    """Return the indicators, the same for every district; the ground is asked for where somebody went."""
    sessions, seen = own["sessions"], own["observations"]
    of_kind = sessions["kind"].value_counts()
    rows: list[tuple[str, str, float]] = [
        ("n_sessions", "Séances", len(sessions)),
        *((f"n_{kind}", f"Séances : {text}", int(of_kind.get(kind, 0))) for kind, text in SESSION_KINDS.items()),
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


def _walked(own: dict[str, gpd.GeoDataFrame | pd.DataFrame], ground: gpd.GeoDataFrame) -> dict[str, float]:
    """Return the indicators of a walk."""
    seen = own["observations"]
    kinds, states = seen["kind"].value_counts(), ground["state"].value_counts()
    return {
        "n_people": seen["participant_id"].nunique(),
        "n_observations": len(seen),
        "n_marks": int(kinds.get("mark", 0)),
        "n_silences": int(kinds.get("silence", 0)),
        "n_absences": int(kinds.get("absence", 0)),
        "route_m": float(round(own["routes"].geometry.length.sum())),
        **{f"cells_{code}": int(states.get(code, 0)) for code in PLACE_STATES},
        "cells_firm": int((ground["n_people"] >= FLOOR_PEOPLE).sum()),
        "mean_value": float(ground["value"].mean()),
    }


def _gaps(
    host: gpd.GeoDataFrame, own: dict[str, gpd.GeoDataFrame | pd.DataFrame], ground: gpd.GeoDataFrame
) -> list[str]:
    """Say in French what the sheet does not know."""
    seen, items, kinds = own["observations"], own["workshop_items"], set(own["sessions"]["kind"])
    found = ["Le périmètre du quartier n’est pas connu."] if host.geometry.isna().all() else []
    found += [f"Aucune séance de type « {text} »." for kind, text in SESSION_KINDS.items() if kind not in kinds]
    absent = [text for code, text in ACTOR_GROUPS.items() if code not in set(own["participants"]["actor_group"])]
    if absent:
        found.append(f"Groupes sans participant connu : {', '.join(absent)}.")
    walks = int(own["sessions"]["kind"].isin(["walk", "stroll"]).sum())
    traced = own["routes"]["session_id"].nunique()
    missing = [
        (walks - traced, "marche sans parcours tracé : ce qui y fut silencieux ne se distingue pas du non parcouru"),
        (len(unthemed(seen)), "ressenti négatif ou absence sans thème : hors des besoins"),
        (int(seen.geometry.isna().sum()), "observation sans lieu : hors de la carte"),
        (len(_off_ground(seen, ground)), "observation hors du périmètre et loin du parcours : hors de la carte"),
        (int(seen["kind"].eq("mark").mul(seen["valence"].isna()).sum()), "ressenti sans valence : sans vote"),
        (int(items["priority"].isna().sum()), "objet d’atelier sans rang de priorité"),
        (int(ground["n_people"].between(1, FLOOR_PEOPLE - 1).sum()), "cellule à moins de cinq personnes"),
    ]
    return found + [f"{counted(n, words)}." for n, words in missing if n > 0]


def _off_ground(seen: gpd.GeoDataFrame, ground: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Return the placed observations that fall on no cell."""
    return unattached(seen[seen.geometry.notna()], places=ground)
