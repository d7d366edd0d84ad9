"""What leaves a study when a table is exported?

A `Layer`: the rows in the order of their key, the columns that may leave, their French words, and whether any row is
demonstration. Private columns stop here. Nothing in this module knows a file format or a path.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, cast

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geo_qmi import schema
from geo_qmi.errors import InputError, UnknownNameError, shown
from geo_qmi.geo import to_metres
from geo_qmi.vocabulary import fold
from geo_qmi.wording import agreed, counted

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

#: Ends the title of anything that holds a demonstration row.
DEMO_MARK = "[démonstration]"


@dataclass(frozen=True, slots=True)
class Field:
    """One column that leaves, in the words of its reader.

    Attributes
    ----------
    name, label, description, unit
        Column name; French title, sentence and unit, where somebody wrote them.
    kind
        ``text``, ``integer``, ``number``, ``flag``, ``date`` or ``datetime``.
    choices
        Code → French label when the column holds a vocabulary.
    """

    name: str
    label: str
    kind: str
    description: str = ""
    unit: str | None = None
    choices: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Layer:
    """Rows and columns ready to be written.

    Attributes
    ----------
    frame
        One column per field, in that order, dtypes ``str``, ``Int64``, ``float64`` or ``boolean``; sorted by `key`;
        RangeIndex.
    geometry
        In EPSG:2154, ``None`` for an unknown place; ``None`` altogether for a table without geometry.
    point_only
        True when the table admits nothing but points.
    private_kept, private_removed
        Private columns that leave on demand, and those that stayed.
    remarks
        French sentences the reader of the export must know.
    style
        QML text QGIS draws it with, made elsewhere; empty for none.
    """

    name: str
    title: str
    frame: pd.DataFrame
    fields: tuple[Field, ...]
    geometry: gpd.GeoSeries | None = None
    key: tuple[str, ...] = ()
    description: str = ""
    point_only: bool = False
    private_kept: tuple[str, ...] = ()
    private_removed: tuple[str, ...] = ()
    n_demo: int = 0
    remarks: tuple[str, ...] = ()
    style: str = ""

    def rows(self, positions: NDArray[np.intp], *, name: str) -> Layer:
        """Return some rows as a layer of their own."""
        places = None if self.geometry is None else self.geometry.iloc[positions].reset_index(drop=True)
        return replace(self, name=name, frame=self.frame.iloc[positions].reset_index(drop=True), geometry=places)

    def values(self, column: str) -> list[Any]:
        """Return a column as ``str``, ``int``, ``float``, ``bool`` or ``None``."""
        series = self.frame[column]
        return series.astype(object).where(series.notna(), None).tolist()

    def name_rows(self, positions: Sequence[int] | NDArray[np.intp]) -> str:
        """Return the identifiers of the first five rows of `positions`, for a message."""
        parts = [
            " + ".join(shown(self.frame[column].iloc[place]) for column in self.key) or f"ligne {place + 1}"
            for place in positions[:5]
        ]
        return ", ".join(parts) + (", …" if len(positions) > 5 else "")


def from_table(frame: pd.DataFrame, name: str, *, private: bool, title: str | None) -> Layer:
    """Return what may leave of a table the schema knows.

    Parameters
    ----------
    frame
        Rows of table `name`; a GeoDataFrame in any declared system.
    private
        True to let private columns and tables leave.
    title
        French title; the one of the schema by default.

    Raises
    ------
    InputError
        A wholly private table without ``private``, a column the table does not have, or values of another type.
    """
    table = schema.table(name)
    if table.metadata["private"] and not private:
        raise InputError(
            f"La table « {table.title} » ({name}) est privée : elle ne sort pas de l’étude. "
            "Si vous avez le droit de la diffuser, ajoutez l’option --with-private."
        )
    specs = schema.columns(name)
    extra = [str(column) for column in frame.columns if column not in specs and not _is_places(frame, column)]
    if extra:
        raise InputError(
            f"La table « {table.title} » ({name}) n’a pas de colonne {_quoted(extra)} : retirez-la, "
            "ou exportez ce tableau sous un autre nom."
        )
    typed = _typed(frame, name)
    hidden = set() if private else set(schema.private_columns(name))
    fields = tuple(
        Field(column, _label(name, column), spec.metadata["kind"], str(spec.description), spec.metadata["unit"],
              spec.metadata["choices"])
        for column, spec in specs.items()
        if column != "geometry" and column not in hidden
    )  # fmt: skip
    layer = Layer(
        name,
        title or str(table.title),
        pd.DataFrame(typed[[field.name for field in fields]]),
        fields,
        typed.geometry if isinstance(typed, gpd.GeoDataFrame) else None,
        tuple(schema.key_columns(name)),
        str(table.description),
        schema.geometry_types(name) == ("Point",),
        tuple(schema.private_columns(name)) if private else (),
        tuple(column for column in specs if column in hidden),
    )
    return _finished(layer)


def from_frame(
    frame: pd.DataFrame,
    name: str,
    *,
    title: str,
    key: Sequence[str],
    labels: Mapping[str, str],
    private: bool,
) -> Layer:
    """Return any frame as a layer: a result, a join, a summary.

    Parameters
    ----------
    name
        Name of the layer inside a GeoPackage or GeoJSON file.
    key
        Columns that identify a row together and order the rows; the order of `frame` when empty.
    labels
        Column → French title; the column name where absent.
    private
        False refuses columns that bear the name of a private column of the schema: they probably come from there.

    Raises
    ------
    InputError
        A cell no format can hold (list, infinite number, mixed types), a private column, a missing key.
    """
    places = _places(frame)
    columns = [column for column in frame.columns if not _is_places(frame, column)]
    secret = _private_names() & set(columns)
    if secret and not private:
        raise InputError(
            f"« {title} » contient {_quoted(sorted(secret))}, colonne privée d’une étude : retirez-la, "
            "ou ajoutez l’option --with-private si vous avez le droit de la diffuser."
        )
    absent = [column for column in key if column not in columns]
    if absent:
        raise UnknownNameError(f"« {title} » n’a pas de colonne {_quoted(absent)}, annoncée comme identifiant.")
    if len(set(columns)) < len(columns):
        twice = [str(column) for column, n in Counter(columns).items() if n > 1]
        raise InputError(f"« {title} » a plusieurs colonnes {_quoted(twice)} : renommez-les.")
    plain = {str(column): _plain(frame[column], title=title) for column in columns}
    kinds = {"Int64": "integer", "float64": "number", "boolean": "flag"}
    fields = tuple(
        Field(column, labels.get(column, column), kinds.get(str(series.dtype), "text"))
        for column, series in plain.items()
    )
    rows = pd.DataFrame(plain, index=frame.index)
    return _finished(
        Layer(name, title, rows, fields, places, tuple(key), private_kept=tuple(sorted(secret)) if private else ())
    )


def _label(name: str, column: str) -> str:
    """Return the French title of a column, with its unit where the bare title is the name of another column."""
    specs = schema.columns(name)
    title = str(specs[column].title)
    if fold(title) in specs and fold(title) != column:
        return f"{title} ({specs[column].metadata['unit'] or column})"
    return title


def _typed(frame: pd.DataFrame, name: str) -> pd.DataFrame:
    """Return `frame` with the columns and dtypes of table `name`."""
    places = _places(frame) if schema.geometry_types(name) else None
    bare = pd.DataFrame(frame.drop(columns=[c for c in frame.columns if _is_places(frame, c)]))
    if places is not None:
        bare["geometry"] = pd.Series(np.asarray(places, dtype=object), index=frame.index, dtype=object)
    try:
        return schema.typed(bare, name)
    except (TypeError, ValueError) as error:
        raise InputError(
            f"La table « {schema.label(name)} » ({name}) contient des valeurs d’un autre type que prévu : "
            "contrôlez-la avec geo-qmi check avant de l’exporter."
        ) from error


def _places(frame: pd.DataFrame) -> gpd.GeoSeries | None:
    """Return the geometry in Lambert-93, or ``None`` for a frame without."""
    if not isinstance(frame, gpd.GeoDataFrame):
        return None
    return to_metres(frame, what="la table à exporter").geometry


def _is_places(frame: pd.DataFrame, column: Any) -> bool:
    return isinstance(frame, gpd.GeoDataFrame) and bool(column == frame.geometry.name)


def _private_names() -> set[str]:
    """Return the columns that are private by themselves in a table of the schema."""
    return {
        column
        for name in schema.TABLES
        if not schema.table(name).metadata["private"]
        for column in schema.private_columns(name)
    }


#: dtypes that need no look at their cells → the dtype they leave in.
_READY: dict[str, Any] = {
    "str": "str",
    "int64": "Int64",
    "Int64": "Int64",
    "float64": "float64",
    "bool": "boolean",
    "boolean": "boolean",
}


def _plain(series: pd.Series[Any], *, title: str) -> pd.Series[Any]:
    """Return a column in one of the four dtypes of a layer."""
    if pd.api.types.is_datetime64_any_dtype(series.dtype):
        texts = [None if pd.isna(value) else value.isoformat() for value in series]
        return pd.Series(texts, index=series.index, dtype="str")
    if isinstance(series.dtype, pd.CategoricalDtype):
        series = series.astype(object)
    if str(series.dtype) in _READY:
        return series.astype(cast("Any", _READY[str(series.dtype)]))
    inferred = pd.api.types.infer_dtype(series, skipna=True)
    dtype = {
        "string": "str",
        "empty": "str",
        "integer": "Int64",
        "boolean": "boolean",
        "floating": "float64",
        "mixed-integer-float": "float64",
    }.get(inferred)
    if dtype is None:
        raise InputError(
            f"Colonne « {shown(series.name)} » de « {title} » : attendu du texte, des nombres ou oui/non, "
            f"trouvé un mélange ({inferred}). Séparez-la en colonnes d’un seul type."
        )
    if inferred == "empty" and str(series.dtype) in {"Int64", "float64", "boolean"}:
        dtype = str(series.dtype)
    try:
        return pd.Series(series.astype(object).where(series.notna(), None), dtype=dtype)
    except (UnicodeEncodeError, OverflowError) as error:
        raise InputError(
            f"Colonne « {shown(series.name)} » de « {title} » : attendu du texte sans demi-caractère et des entiers "
            "de 64 bits. Corrigez puis réexportez."
        ) from error


def _finished(layer: Layer) -> Layer:
    """Sort the rows, mark demonstration, empty the empty geometries, and refuse cells no format can hold."""
    frame, places = layer.frame, layer.geometry
    order = np.arange(len(frame))
    if layer.key:
        order = (
            frame[list(layer.key)].reset_index(drop=True).sort_values(list(layer.key), kind="stable").index.to_numpy()
        )
    if not np.array_equal(order, np.arange(len(frame))):
        frame = frame.iloc[order]
    frame = frame.reset_index(drop=True)
    remarks = list(layer.remarks)
    if places is not None:
        shapes = np.asarray(places, dtype=object)[order]
        empty = np.flatnonzero(shapely.is_empty(shapes))
        shapes[empty] = None
        rings = shapely.get_type_id(shapes) == shapely.GeometryType.LINEARRING
        if rings.any():  # no format has them
            shapes[rings] = [shapely.LineString(ring.coords) for ring in shapes[rings]]
        places = gpd.GeoSeries(shapes, crs=places.crs)
    layer = replace(layer, frame=frame, geometry=places)
    if places is not None and len(empty):
        remarks.append(f"{counted(len(empty), 'géométrie vide')} sans lieu dans le fichier : {layer.name_rows(empty)}.")
    _refuse_cells(layer)
    _refuse_places(layer)
    n_demo = int(frame["demo"].sum()) if "demo" in frame and str(frame["demo"].dtype) == "boolean" else 0
    title = f"{layer.title} {DEMO_MARK}" if n_demo and DEMO_MARK not in layer.title else layer.title
    if layer.private_removed:
        told = agreed(len(layer.private_removed), "Colonne privée non diffusée")
        remarks.append(f"{told} : {', '.join(layer.private_removed)}.")
    if layer.private_kept:
        told = agreed(len(layer.private_kept), "Colonne privée diffusée")
        remarks.append(f"{told} à la demande : {', '.join(layer.private_kept)}.")
    return replace(layer, title=title, n_demo=n_demo, remarks=tuple(remarks))


def _refuse_cells(layer: Layer) -> None:
    """Refuse infinite numbers, text that is not text, and missing identifiers."""
    for field in layer.fields:
        series = layer.frame[field.name]
        if field.kind == "number":
            wrong, what = np.isinf(series.to_numpy(dtype="float64")), "un nombre fini"
        elif field.kind in {"integer", "flag"}:
            wrong, what = np.zeros(len(series), dtype=bool), ""
        else:
            wrong, what = _unwritable(series), "un texte sans caractère nul ni demi-caractère"
        if field.name in layer.key and not wrong.any():
            wrong, what = series.isna().to_numpy(), "un identifiant non vide"
        if wrong.any():
            rows = layer.name_rows(np.flatnonzero(wrong))
            raise InputError(
                f"« {layer.title} », colonne « {field.label} » : attendu {what} ({rows}). Corrigez puis réexportez."
            )


def _unwritable(series: pd.Series[Any]) -> NDArray[np.bool_]:
    """Tell which texts hold a NUL or a lone surrogate, which UTF-8 files cannot carry whole."""
    if str(series.dtype) == "str" and not series.str.contains("\0", regex=False).any():
        return np.zeros(len(series), dtype=bool)  # Arrow, which holds this type, takes no lone surrogate
    texts = series.dropna()
    try:
        if "\0" not in "".join(texts).encode().decode():
            return np.zeros(len(series), dtype=bool)
    except UnicodeEncodeError:
        pass
    return np.array([isinstance(t, str) and any(c == "\0" or "\ud800" <= c <= "\udfff" for c in t) for t in series])


def _refuse_places(layer: Layer) -> None:
    """Refuse coordinates that are not finite."""
    if layer.geometry is None:
        return
    shapes = np.asarray(layer.geometry, dtype=object)
    wrong = ~shapely.is_missing(shapes) & ~np.isfinite(shapely.bounds(shapes)).all(axis=1)
    if wrong.any():
        raise InputError(
            f"« {layer.title} » : coordonnées infinies ou absentes ({layer.name_rows(np.flatnonzero(wrong))}). "
            "Vérifiez le système de coordonnées puis réexportez."
        )


def _quoted(names: Sequence[str]) -> str:
    return ", ".join(f"« {shown(name)} »" for name in names)
