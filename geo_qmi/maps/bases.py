"""Which online base maps may a reader switch on, and what must be said of them?

Addresses and attributions only: nothing here calls anyone, and no map has a base until its reader asks for one.
"""

from __future__ import annotations

from typing import NamedTuple


class Base(NamedTuple):
    """An online base map: its French name, the attribution its licence asks for, the address of its 256 px tiles."""

    title: str
    credit: str
    tiles: str


def _ign(title: str, layer: str, picture: str) -> Base:
    """Return a layer of the Géoplateforme of the IGN, open without a key (Licence Ouverte 2.0)."""
    asked = f"LAYER={layer}&STYLE=normal&FORMAT=image/{picture}&TILEMATRIXSET=PM"
    place = "TILEMATRIX={z}&TILEROW={y}&TILECOL={x}"
    server = f"https://{BASE_HOST}/wmts?SERVICE=WMTS&REQUEST=GetTile&VERSION=1.0.0"
    return Base(title=title, credit="© IGN – Géoplateforme", tiles=f"{server}&{asked}&{place}")


#: The only outside host a map can call, and only for a base map that the reader switched on.
BASE_HOST = "data.geopf.fr"
BASES = {
    "plan": _ign("Plan IGN (en ligne)", "GEOGRAPHICALGRIDSYSTEMS.PLANIGNV2", "png"),
    "photo": _ign("Photographie aérienne IGN (en ligne)", "ORTHOIMAGERY.ORTHOPHOTOS", "jpeg"),
}
