"""What a reader asks of a map: layers, opacity, base, one object, a framing; what of it outlives the page."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from geo_qmi.dashboard import STUDY_VARIABLE
from geo_qmi.maps.bases import BASE_HOST

SCRIPT = Path(__file__).resolve().parents[1] / "geo_qmi" / "dashboard" / "app.py"
MAP = "carte-QMI1-AUL"
RAIL = ("barriers", "RAIL-AUL-3")

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")


@pytest.fixture(autouse=True)
def at_shipped(monkeypatch):
    monkeypatch.delenv(STUDY_VARIABLE, raising=False)


@pytest.fixture
def app() -> AppTest:
    return AppTest.from_file(str(SCRIPT), default_timeout=120).run().switch_page("district.py").run()


def chart(app: AppTest) -> dict:
    return json.loads(app.get("deck_gl_json_chart")[0].proto.json)


def drawn(app: AppTest) -> set[str]:
    return {layer["id"] for layer in chart(app)["layers"]}


def style(app: AppTest) -> dict:
    return json.loads(base64.b64decode(chart(app)["mapStyle"].split(",")[1]))


def said(app: AppTest) -> str:
    return "\n".join(element.value for kind in ("markdown", "caption") for element in app.get(kind))


def test_layers_and_opacity_outlive_a_change_of_page_and_stand_in_the_address(app):
    assert "stations-points" in drawn(app)
    app.checkbox(key=f"{MAP}-stations").uncheck().run()
    app.slider(key=f"{MAP}-opacite").set_value(40).run()
    assert "stations-points" not in drawn(app)
    app.switch_page("programme.py").run()
    assert app.query_params["couches"] == "-stations"
    app.switch_page("district.py").run()
    assert "stations-points" not in drawn(app)
    assert app.slider(key=f"{MAP}-opacite").value == 40
    app.checkbox(key=f"{MAP}-stations").check().run()
    assert "stations-points" in drawn(app)
    assert "couches" not in app.query_params
    assert app.query_params["opacite"] == "40"


def test_an_address_opens_the_same_view():
    app = AppTest.from_file(str(SCRIPT), default_timeout=120)
    app.query_params["couches"] = "-barriers.-names"
    app.query_params["opacite"] = "30"
    app.run().switch_page("district.py").run()
    assert not any(name.startswith(("barriers", "names")) for name in drawn(app))
    assert app.slider(key=f"{MAP}-opacite").value == 30


@pytest.mark.parametrize("hostile", ["999", "²", "-5", "<script>", ""])
def test_a_hostile_address_changes_nothing_but_layers_that_exist(hostile):
    app = AppTest.from_file(str(SCRIPT), default_timeout=120)
    app.query_params["opacite"], app.query_params["couches"] = hostile, f"--..{hostile}"
    app.run().switch_page("district.py").run()
    assert not app.exception
    assert "stations-points" in drawn(app)


def test_no_base_map_until_it_is_asked_for_and_never_in_the_address(app):
    assert style(app)["sources"] == {}
    assert BASE_HOST.replace(".", "\\.") in said(app)  # said before it is switched on
    app.selectbox(key=f"{MAP}-fond").set_value("photo").run()
    (tiles,) = style(app)["sources"]["base"]["tiles"]
    assert "ORTHOIMAGERY.ORTHOPHOTOS" in tiles
    assert "Fond \\: © IGN – Géoplateforme".replace("\\:", ":") in said(app).replace("\\", "")
    assert "photo" not in json.dumps(app.query_params)
    app.selectbox(key=f"{MAP}-fond").set_value("").run()
    assert style(app)["sources"] == {}


def test_an_object_of_the_list_is_told_framed_and_kept(app):
    whole = chart(app)["initialViewState"]
    app.selectbox(key=f"{MAP}-objet").set_value(RAIL).run()
    assert "objet-choisi" in drawn(app)
    for words in ("Couche : Coupures", "Nature : ", "Tracé : ", "Sources de la carte : "):
        assert words in said(app).replace("\\", "")
    app.button(key=f"{MAP}-cadrer").click().run()
    framed = chart(app)["initialViewState"]
    assert framed["zoom"] != pytest.approx(whole["zoom"], abs=0.1)
    app.switch_page("programme.py").run()
    app.switch_page("district.py").run()
    assert chart(app)["initialViewState"] == framed
    assert app.selectbox(key=f"{MAP}-objet").value == RAIL
    app.button(key=f"{MAP}-ensemble").click().run()
    assert chart(app)["initialViewState"]["zoom"] == whole["zoom"]


def test_more_objects_than_a_list_holds_are_searched_by_name():
    def page() -> None:
        import geopandas as gpd
        import pandas as pd
        import shapely

        from geo_qmi.dashboard.panel import show_map
        from geo_qmi.maps import Layer, Map, Style

        shapes = [shapely.box(650_000 + 20 * n, 6_860_000, 650_018 + 20 * n, 6_860_018) for n in range(10_050)]
        frame = gpd.GeoDataFrame(
            {"id": range(10_050), "label": [f"Case {n}" for n in range(10_050)], "style": "s", "Détail": "x"},
            geometry=shapes,
            crs="EPSG:2154",
        )
        layer = Layer(
            name="cells", title="Cases", kind="area", frame=frame, styles={"s": Style(fill="#ff0000")},
            tooltip=("Détail",),
        )  # fmt: skip
        show_map(
            Map(
                title="T", layers=(layer,), extent_m=(650_000, 6_860_000, 651_000, 6_861_000), description="D",
                credits=(), table=pd.DataFrame({"A": [1]}),
            ),
            key="k",
        )  # fmt: skip

    app = AppTest.from_function(page, default_timeout=120).run()
    assert not app.exception
    assert len(app.selectbox(key="k-objet").options) == 500
    assert "10 050 objets, envoyés dans un fichier à part" in said(app).replace("\u202f", " ").replace("\\", "")
    assert chart(app)["layers"][0]["data"].endswith(".json")
    assert len(app.get("deck_gl_json_chart")[0].proto.json) < 10_000
    app.text_input(key="k-chercher").set_value("case 10049").run()
    assert app.selectbox(key="k-objet").options == ["Case 10049 (Cases)"]
