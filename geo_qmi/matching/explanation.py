"""Why does this project have this score in this district?

One row for each need of the district: what it weighs, what the project brings to it, what that adds to the score, and
the words on both sides. The contributions of a pair re-add exactly to the score of `geo_qmi.matching.scoring`. What a
project brings that the district does not ask adds nothing and is not listed; nothing here judges or rewrites a score.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from geo_qmi.guards import require_columns
from geo_qmi.matching.inputs import LAYERS, checked_layer_weights
from geo_qmi.matching.scoring import LAYER_WEIGHTS, importance, strengths
from geo_qmi.vocabulary import NEED_LAYERS, THEMES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from geo_qmi.matching.inputs import Cells
    from geo_qmi.matching.scoring import Importance

COLUMNS = [
    "project_id",
    "district_id",
    "layer",
    "theme",
    "contribution",
    "layer_weight",
    "need_weight",
    "importance",
    "strength",
    "evidence_need",
    "evidence_offer",
    "note",
]
_LAYER_ORDER = {layer: position for position, layer in enumerate(LAYERS)}
#: A row about a whole layer comes first.
_THEME_ORDER = {theme: position for position, theme in enumerate(["", *THEMES])}
_NOT_OFFERED = "besoin auquel le projet ne répond pas"
_UNKNOWN_LAYER = "couche inconnue dans ce quartier : son poids est réparti sur les autres couches"
_UNUSED_LAYER = "couche de poids nul : elle ne compte pas"
_UNKNOWN_PROJECT = "aucun thème reconnu dans le projet : score inconnu"
_UNKNOWN_DISTRICT = "aucun besoin connu dans le quartier : score inconnu"


def explain(
    needs: pd.DataFrame,
    offers: pd.DataFrame,
    *,
    layer_weights: Mapping[str, float] | None = None,
    pairs: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Return every part of the scores of `pairs`.

    Parameters
    ----------
    needs, offers, layer_weights
        As given to `geo_qmi.matching.score`, with their ``evidence`` columns.
    pairs
        Columns ``project_id``, ``district_id``: the pairs to explain; every pair of the two frames by default.

    Returns
    -------
    DataFrame
        Columns ``project_id``, ``district_id``, ``layer``, ``theme``, ``contribution``, ``layer_weight`` (renormalised
        over the known layers), ``need_weight``, ``importance`` (layer weight × need weight ÷ length of the layer),
        ``strength``, ``evidence_need``, ``evidence_offer``, ``note`` (French); sorted by pair, layer, theme.
        ``contribution = importance × strength``; summed over a pair with ``min_count=1`` it is the score, NaN
        included. A layer that does not count has one row without theme or contribution, and a note saying why.
    """
    weights = checked_layer_weights(LAYER_WEIGHTS if layer_weights is None else layer_weights)
    require_columns(needs, ["evidence"], what="Besoins")
    require_columns(offers, ["evidence"], what="Offres")
    asked = _asked(needs, importance(needs, layer_weights=layer_weights))
    brought = _brought(offers, strengths(offers))
    wanted = _pairs(needs, offers) if pairs is None else _checked_pairs(pairs)
    rows = wanted.merge(pd.concat([asked, _silent_layers(wanted, asked, weights)]), on="district_id", how="left")
    rows = rows.merge(brought, on=["project_id", "theme"], how="left")
    said = rows["theme"] != ""
    mute = ~rows["project_id"].isin(brought["project_id"])
    rows.loc[said & ~mute & rows["strength"].isna(), "strength"] = 0.0
    rows["contribution"] = rows["importance"] * rows["strength"]
    rows.loc[said & (rows["strength"] == 0), "note"] = _NOT_OFFERED
    rows.loc[said & mute, "note"] = _UNKNOWN_PROJECT
    rows["evidence_offer"] = rows["evidence_offer"].fillna("")
    order = pd.DataFrame(
        {
            "project_id": rows["project_id"],
            "district_id": rows["district_id"],
            "layer": rows["layer"].map(_LAYER_ORDER),
            "theme": rows["theme"].map(_THEME_ORDER),
        }
    )
    return rows.loc[order.sort_values(list(order.columns)).index, COLUMNS].reset_index(drop=True)


def _asked(needs: pd.DataFrame, known: Importance) -> pd.DataFrame:
    """Return the rows of `needs` that count, with their importance and the weight of their layer."""
    rows = pd.DataFrame(
        {
            "district_id": needs["district_id"].astype("str"),
            "layer": needs["layer"].astype("str"),
            "theme": needs["theme"].astype("str"),
            "layer_weight": known.layer_weights[known.positions[:2]],
            "need_weight": needs["weight"].astype("float64"),
            "importance": known.importance[known.positions],
            "evidence_need": needs["evidence"].astype("str").fillna(""),
            "note": pd.Series("", index=needs.index, dtype="str"),
        }
    )
    return rows[rows["importance"] > 0]


def _brought(offers: pd.DataFrame, known: Cells) -> pd.DataFrame:
    """Return the rows of `offers` that count, with the strength the score uses."""
    rows = pd.DataFrame(
        {
            "project_id": offers["project_id"].astype("str"),
            "theme": offers["theme"].astype("str"),
            "strength": known.shares[known.positions],
            "evidence_offer": offers["evidence"].astype("str").fillna(""),
        }
    )
    return rows[rows["strength"] > 0]


def _pairs(needs: pd.DataFrame, offers: pd.DataFrame) -> pd.DataFrame:
    """Return every pair of a project and a district of the two frames."""
    projects = pd.DataFrame({"project_id": sorted(offers["project_id"].unique())}, dtype="str")
    districts = pd.DataFrame({"district_id": sorted(needs["district_id"].unique())}, dtype="str")
    return projects.merge(districts, how="cross")


def _checked_pairs(pairs: pd.DataFrame) -> pd.DataFrame:
    """Return the two columns of `pairs`, each pair once."""
    require_columns(pairs, ["project_id", "district_id"], what="Paires à expliquer")
    return pairs[["project_id", "district_id"]].astype("str").drop_duplicates()


def _silent_layers(wanted: pd.DataFrame, asked: pd.DataFrame, weights: Mapping[str, float]) -> pd.DataFrame:
    """Return one row for each layer that does not count in each wanted district, with the reason."""
    known = set(zip(asked["district_id"], asked["layer"], strict=True))
    heard = set(asked["district_id"])
    rows = [
        (
            district,
            layer,
            _UNKNOWN_DISTRICT if district not in heard else _UNKNOWN_LAYER if weights[layer] > 0 else _UNUSED_LAYER,
        )
        for district in sorted(wanted["district_id"].unique())
        for layer in LAYERS
        if (layer in NEED_LAYERS or weights[layer] > 0) and (district, layer) not in known
    ]
    silent = pd.DataFrame(rows, columns=["district_id", "layer", "note"], dtype="str")
    return silent.assign(theme="", evidence_need="", layer_weight=np.nan, need_weight=np.nan, importance=np.nan)
