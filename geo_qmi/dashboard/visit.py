"""Who is in front of the screen, may they write, and what do they carry from page to page?

Sign-in is Streamlit's own OIDC and is asked for when ``[auth]`` stands in ``secrets.toml``; without it nothing changes.
The district chosen is one for all pages and stands in the address, so that a link opens the same view. Rights inside a
study are not managed here: who signs in may write, unless the study is open for reading only.
"""

from __future__ import annotations

from collections import Counter
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import streamlit as st

from geo_qmi.dashboard import PAGES, state
from geo_qmi.dashboard.markup import literal
from geo_qmi.desk import readings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from streamlit.delta_generator import DeltaGenerator

Thing = TypeVar("Thing")

#: Name of the district in the address, and where it is kept while a page without district is read.
DISTRICT = "quartier"
_CARRIED = "quartier-garde"
#: How an address says whether a box is ticked, and a time of day.
YES_OR_NO = ("true", "false")
TIMES = frozenset(f"{hour:02d}:{minute:02d}" for hour in range(24) for minute in range(60))
_FOLDER = Path(__file__).resolve().parent
_TITLES = {file: title for file, title, *_ in PAGES}


def name() -> str:
    """Return the name of the person who signed in; empty without sign-in."""
    told = st.user.to_dict()
    if not told.get("is_logged_in"):
        return ""
    return next((str(told[key]) for key in ("name", "email", "preferred_username", "sub") if told.get(key)), "")


def sign_in() -> None:
    """Ask to sign in and stop there, when sign-in is configured and nobody did; otherwise offer to sign out."""
    told = st.user.to_dict()
    if "is_logged_in" not in told:
        return
    if not told["is_logged_in"]:
        st.title("geo-qmi")
        st.info("Cette étude demande de se connecter. Votre nom accompagnera vos écritures dans le journal.")
        if find_spec("authlib") is None:
            st.error('Connexion impossible : le paquet Authlib manque. Installez-le : pip install "geo-qmi[auth]".')
            st.stop()
        st.button("Se connecter", type="primary", on_click=st.login, key="connexion")
        st.stop()
    left, right = st.columns([6, 1], vertical_alignment="center")
    left.caption(f"Connecté : {literal(name())}")
    right.button("Se déconnecter", on_click=st.logout, key="deconnexion")


def actor(label: str, *, box: DeltaGenerator, key: str) -> str:
    """Return who writes, for the journal: the person signed in, else what is typed.

    Parameters
    ----------
    label
        Of the field, shown locked when somebody is signed in.
    box
        Where the field goes.
    """
    known = name()
    if known:
        box.text_input(label, value=known, disabled=True, help="Nom de la personne connectée.", key=f"{key}-connecte")
        return known
    return str(box.text_input(label, max_chars=200, key=key)).strip()


def closed() -> str:
    """Return why nothing may be written in the open study, as a French sentence; empty when it may."""
    if state.is_shipped():
        return (
            "L’étude livrée est en lecture seule : créez la vôtre (« geo-qmi init etude.gpkg »), puis ouvrez-la "
            "(« geo-qmi app etude.gpkg »)."
        )
    if state.study().read_only:
        return "Affichage en lecture seule : rien ne peut être écrit. Relancez sans « --read-only » pour modifier."
    return ""


def link(file: str, label: str = "", *, district_id: str = "") -> None:
    """Show a link to a page, on a district where one is given; nothing when no page does it."""
    if file not in _TITLES:
        return
    st.page_link(
        _FOLDER / file,
        label=label or _TITLES[file],
        icon=":material/arrow_forward:",
        query_params={DISTRICT: district_id} if district_id else None,
    )


def names(tables: Mapping[str, Any]) -> dict[str, str]:
    """Return district identifier → display name, as `geo_qmi.desk.readings.district_names`, once a study."""
    return state.of_study("noms", build=lambda: readings.district_names(tables))


def told_apart(names: Mapping[Thing, str], *, ident: Callable[[Thing], str] = str) -> dict[Thing, str]:
    """Return thing → name, the identifier beside the names that several share: a list knows its words only."""
    shared = Counter(names.values())
    return {one: name if shared[name] == 1 else f"{name} ({ident(one)})" for one, name in names.items()}


def in_address(key: str, offered: Iterable[str] = (), *, least: float = 0, most: float | None = None) -> dict[str, Any]:
    """Return what puts a choice in the address, so that a view can be sent; say when the address asks the impossible.

    Parameters
    ----------
    key
        Of the widget, which is also the name in the address.
    offered
        Words shown for each choice, as the address spells them.
    least, most
        Ends of the numbers that may be asked, where it is no list.

    Returns
    -------
    ``key`` and ``bind``, for the widget.

    Examples
    --------
    ``st.selectbox("Section", names, **in_address("section", names))``
    """
    asked = st.query_params.get_all(key)
    words = set(offered)
    wrong = [one for one in asked if (one not in words if most is None else not _within(one, least, most))]
    if wrong:
        st.warning(
            f"L’adresse de cette page demande « {literal(wrong[0][:80])} », qui n’est pas parmi les choix : "
            "le choix habituel est montré."
        )
    return {"key": key, "bind": "query-params"}


def _within(text: str, least: float, most: float) -> bool:
    try:
        return least <= float(text) <= most
    except ValueError:
        return False


def district(names: Mapping[str, str], *, box: DeltaGenerator, first: str = "") -> str:
    """Let the reader choose a district, the one of the address or of the page before at first.

    Parameters
    ----------
    names
        Identifier → display name, not empty.
    box
        Where the list goes.
    first
        Where to open when nothing was chosen yet.

    Returns
    -------
    Identifier of the district.
    """
    asked, carried = st.query_params.get(DISTRICT, ""), st.session_state.get(_CARRIED, "")
    current = st.session_state.get(DISTRICT, "")
    # A list that differs from what was carried was just changed by hand; otherwise the address speaks first. The value
    # is written in any case: on another page the list is a new one, and would start from its first line.
    wanted = (current if current != carried else "", asked, carried, first)
    st.session_state[DISTRICT] = next((one for one in wanted if one in names), next(iter(names)))
    chosen = str(box.selectbox("Quartier", list(names), format_func=names.__getitem__, key=DISTRICT))
    st.session_state[_CARRIED] = chosen
    if asked and asked not in names:
        st.warning(
            f"L’adresse de cette page demande le quartier « {literal(asked[:80])} », qui n’est pas dans cette étude : "
            "un autre est montré."
        )
    if asked != chosen:
        st.query_params[DISTRICT] = chosen
    return chosen
