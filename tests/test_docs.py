"""What is written is true: examples run, commands are documented, decisions are indexed."""

from __future__ import annotations

import ast
import doctest
import importlib
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from geo_qmi.cli import app

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def with_examples() -> list[str]:
    """Modules whose docstrings hold an example, found without importing them: pages run when imported."""
    paths = [p for p in (ROOT / "geo_qmi").rglob("*.py") if "_data" not in p.parts]
    return sorted(
        ".".join(p.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        for p in paths
        if ">>> " in p.read_text(encoding="utf-8")
    )


@pytest.mark.parametrize("name", with_examples())
def test_examples_in_docstrings_run(name):
    result = doctest.testmod(importlib.import_module(name), optionflags=doctest.ELLIPSIS)
    assert result.attempted > 0
    assert result.failed == 0


@pytest.mark.parametrize("path", sorted((ROOT / "examples").glob("*.py")), ids=lambda p: p.name)
def test_examples_run(path, tmp_path):
    environment = {**os.environ, "PYTHONWARNINGS": "error"}
    done = subprocess.run(
        [sys.executable, str(path)], cwd=tmp_path, capture_output=True, text=True, check=False, env=environment
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout


def test_there_are_examples():
    assert len(list((ROOT / "examples").glob("*.py"))) >= 2


def test_every_command_is_in_the_readme():
    names = {command.name or command.callback.__name__ for command in app.registered_commands}
    missing = {name for name in names if f"geo-qmi {name}" not in README}
    assert missing == set()


def test_every_command_of_the_readme_exists():
    names = {command.name or command.callback.__name__ for command in app.registered_commands}
    names |= {group.name for group in app.registered_groups}
    written = set(re.findall(r"geo-qmi ([a-z]+(?:-[a-z]+)*)", README))
    assert written - names == set()


@pytest.mark.parametrize("path", sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]), ids=lambda p: p.name)
def test_links_between_pages_lead_somewhere(path):
    for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", path.read_text(encoding="utf-8")):
        if not target.startswith(("http://", "https://", "mailto:")):
            assert (path.parent / target).exists(), f"{path.name} links to {target}"


def test_every_decision_is_indexed():
    index = (ROOT / "docs" / "adr" / "README.md").read_text(encoding="utf-8")
    for path in (ROOT / "docs" / "adr").glob("0*.md"):
        assert path.name in index


def public(path: Path) -> list[ast.FunctionDef | ast.ClassDef]:
    """Public top-level functions and classes of a module."""
    body = ast.parse(path.read_text(encoding="utf-8")).body
    return [node for node in body if isinstance(node, ast.FunctionDef | ast.ClassDef) and node.name[0] != "_"]


@pytest.mark.parametrize(
    "path", sorted(p for p in (ROOT / "geo_qmi").rglob("*.py") if "_data" not in p.parts), ids=lambda p: p.name
)
def test_modules_open_with_a_question_and_public_names_are_described(path):
    text = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    if path.name not in {"__main__.py", "__init__.py", "app.py"}:
        assert "?" in text.split("\n\n")[0], f"{path.name} does not open with the question it answers"
    for node in public(path):
        assert ast.get_docstring(node), f"{path.name}:{node.name} has no docstring"
