"""The house has floors: imports go down only, and no wing imports another."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "geo_qmi"

#: First component under geo_qmi → floor. Within the foundation the order counts.
FLOORS = {
    "wording": "foundation-0",
    "errors": "foundation-1",
    "guards": "foundation-2",
    "vocabulary": "foundation-2",
    "schema": "foundation-3",
    "geo": "foundation-4",
    "_gpkg": "supply",
    "_connection": "supply",
    "_change": "supply",
    "_erased": "supply",
    "workspace": "supply",
    "shipped": "supply",
    "sources": "supply",
    "intake": "supply",
    "export": "supply",
    "matching": "thought",
    "network": "thought",
    "severance": "thought",
    "coverage": "thought",
    "siting": "thought",
    "sensitive": "thought",
    "editions": "thought",
    "transfer": "thought",
    "evaluation": "thought",
    "maps": "pictures",
    "charts": "pictures",
    "deck": "pictures",
    "page": "pictures",
    "qgis": "pictures",
    "plate": "pictures",
    "sheets": "pictures",
    "cli": "hall",
    "_french": "hall",
    "terminal": "hall",
    "field_commands": "hall",
    "workshop": "hall",
    "runs": "hall",
    "publishing": "hall",
    "jury": "hall",
    "jury_commands": "hall",
    "rulebook": "hall",
    "mapping": "hall",
    "handover": "hall",
    "gis": "hall",
    "cover": "hall",
    "map_commands": "hall",
    "export_commands": "hall",
    "evaluate_commands": "hall",
    "atlas": "hall",
    "walking": "hall",
    "packing": "hall",
    "provenance": "hall",
    "overview": "hall",
    "evaluating": "hall",
    "walk_commands": "hall",
    "__main__": "hall",
    "dashboard": "hall",
    "desk": "hall",
}
#: Modules that a wing of thought must not touch: files, clocks, networks, databases, screens.
OUTSIDE = {
    "os",
    "pathlib",
    "io",
    "time",
    "datetime",
    "socket",
    "urllib",
    "sqlite3",
    "subprocess",
    "streamlit",
    "pyogrio",
}


def modules() -> list[Path]:
    """Every module of the package except its lazy door."""
    return sorted(p for p in PACKAGE.rglob("*.py") if "_data" not in p.parts and p != PACKAGE / "__init__.py")


def floor_of(name: str) -> str:
    """Floor of a component, failing on a file that has none."""
    assert name in FLOORS, f"geo_qmi/{name} has no floor: give it one in FLOORS"
    return FLOORS[name]


def component(path: Path) -> str:
    """First path component under the package, without suffix."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imports(path: Path) -> list[str]:
    """Dotted names imported by a module, TYPE_CHECKING blocks included."""
    found = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path.name}: relative imports hide the floor"
            found += [f"{node.module}.{alias.name}" for alias in node.names]
    return found


def allowed(user: str, used: str) -> bool:
    """Whether a module on one floor may import one on another."""
    if user == "hall":
        return True
    if user.startswith("foundation"):
        return used.startswith("foundation") and used <= user
    return used.startswith("foundation") or used == user


@pytest.mark.parametrize("path", modules(), ids=lambda p: str(p.relative_to(PACKAGE)))
def test_imports_go_down(path):
    floor = floor_of(component(path))
    for name in imports(path):
        if name.startswith("geo_qmi."):
            used = name.split(".")[1]
            if used == "__version__":
                continue
            assert allowed(floor, floor_of(used)), f"{path.name} ({floor}) imports {name}"


@pytest.mark.parametrize("path", [p for p in modules() if FLOORS.get(component(p)) == "thought"], ids=lambda p: p.name)
def test_thought_touches_nothing_outside(path):
    touched = {name.split(".")[0] for name in imports(path)} & OUTSIDE
    assert not touched, f"{path.name} imports {touched}"


def test_every_floor_entry_exists():
    present = {component(p) for p in modules()}
    assert set(FLOORS) - present == set()


def test_only_the_store_opens_a_database():
    users = {component(p) for p in modules() if "sqlite3" in imports(p)}
    # sources reads GeoPackages handed in by users, read-only and in a child process; export reads back what it wrote.
    assert users <= {"workspace", "_connection", "_change", "_erased", "_gpkg", "sources", "export"}


def test_app_holds_no_logic():
    assert len((ROOT / "app.py").read_text(encoding="utf-8").splitlines()) <= 20


def test_the_package_loads_nothing_heavy():
    source = (PACKAGE / "__init__.py").read_text(encoding="utf-8")
    top = [node for node in ast.parse(source).body if isinstance(node, ast.Import | ast.ImportFrom)]
    assert {getattr(node, "module", None) or node.names[0].name for node in top} == {"__future__", "importlib"}
