"""Which rule file applies, and how does a planner change one value of it?

Reads a rule file (the shipped ``rules.toml`` by default), remembers its bytes for the manifest, and writes values into
its text so that the comments stay. What a rule may say, and all its defects, are in `geo_qmi.matching.rules`; nothing
here judges a value.
"""

from __future__ import annotations

import hashlib
import re
import tomllib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from geo_qmi.errors import Defect, DefectsError, InputError, UnreadableError
from geo_qmi.matching import rules_from
from geo_qmi.shipped import data_dir

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from geo_qmi.matching import Rules

#: A rule file is a page of text; more is something else, given by mistake.
_MOST_BYTES = 1_000_000
_SHIPPED = "rules.toml"


@dataclass(frozen=True, slots=True)
class Rulebook:
    """A rule file that was read.

    Attributes
    ----------
    name
        Name of the file.
    text
        Its text, comments included.
    rules
        What it says, checked.
    sha256
        Hash of its text.
    """

    name: str
    text: str
    rules: Rules

    @property
    def sha256(self) -> str:
        """Return the SHA-256 of the text, in UTF-8."""
        return hashlib.sha256(self.text.encode("utf-8")).hexdigest()


def shipped_text() -> str:
    """Return the text of the shipped rule file."""
    return (data_dir() / _SHIPPED).read_text(encoding="utf-8")


def opened(path: Path | None = None, *, values: Mapping[str, float] | None = None) -> Rulebook:
    """Return the rule file at `path`, or the shipped one, once `values` are written into it.

    Parameters
    ----------
    path
        A TOML file in UTF-8.
    values
        See `with_values`.

    Raises
    ------
    UnreadableError
        No such file, too large, not text.
    DefectsError
        See `parsed`.
    """
    if path is None:
        return parsed(with_values(shipped_text(), values or {}), name=_SHIPPED)
    try:
        with path.open("rb") as stream:
            content = stream.read(_MOST_BYTES + 1)
    except OSError as error:
        raise UnreadableError(f"Fichier de règles illisible ou introuvable : « {path} ». Vérifiez le nom.") from error
    return parsed(with_values(decoded(content, name=path.name), values or {}), name=path.name)


def decoded(content: bytes, *, name: str) -> str:
    """Return the text of a rule file, or raise `UnreadableError`."""
    if len(content) > _MOST_BYTES:
        raise UnreadableError(f"« {name} » dépasse 1 Mo : ce n’est pas un fichier de règles.")
    try:
        return content.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        raise UnreadableError(f"« {name} » n’est pas du texte en UTF-8 : enregistrez-le dans ce codage.") from error


def parsed(text: str, *, name: str = _SHIPPED) -> Rulebook:
    """Return the rules a text says.

    Raises
    ------
    DefectsError
        Not TOML (with the place), or values that the rules refuse, all at once.
    """
    try:
        record = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        defect = Defect(
            "error", f"ce n’est pas du TOML ({_place(str(error))})", "corrigez l’écriture à cet endroit", file=name
        )
        raise DefectsError([defect], title="Règles refusées") from error
    except RecursionError as error:
        raise InputError(f"« {name} » : valeurs emboîtées trop profondément. Simplifiez le fichier.") from error
    return Rulebook(name, text, rules_from(record, file=name))


def _place(message: str) -> str:
    """Return where a text stops being TOML, in French."""
    found = re.search(r"line (\d+), column (\d+)", message)
    return f"ligne {found[1]}, colonne {found[2]}" if found else "à la fin du fichier"


def with_values(text: str, values: Mapping[str, float]) -> str:
    r"""Return a rule file with some numbers changed, its comments kept.

    Parameters
    ----------
    text
        A rule file.
    values
        Path → number: ``{"criteria.needs.weight": 0.5, "quotas.low": 4}``.

    Raises
    ------
    InputError
        The file writes one of these values in a way that cannot be changed in place.

    Examples
    --------
    >>> with_values("[quotas]\nlow = 6  # au moins\n", {"quotas.low": 4, "quotas.high": 9})
    '[quotas]\nhigh = 9\nlow = 4  # au moins\n'
    """
    lines = text.split("\n")
    for path, value in values.items():
        section, _, key = path.rpartition(".")
        written = f"{value:g}" if isinstance(value, int) else repr(float(value))
        header = next((n for n, line in enumerate(lines) if _header(line) == section), None)
        if header is None:
            lines += [f"[{section}]", f"{key} = {written}", ""]
            continue
        after = next((n for n in range(header + 1, len(lines)) if _header(lines[n])), len(lines))
        place = next((n for n in range(header + 1, after) if re.match(rf"\s*{key}\s*=", lines[n])), None)
        if place is None:
            lines.insert(header + 1, f"{key} = {written}")
        else:
            lines[place] = re.sub(r"=\s*[^\s#]+", f"= {written}", lines[place], count=1)
    changed = "\n".join(lines)
    _require_written(text, changed, values)
    return changed


def _header(line: str) -> str | None:
    """Return the name of the section a line opens, nothing for another line."""
    found = re.match(r"\s*\[{1,2}\s*([^\]]+?)\s*\]", line)
    return found[1] if found else None


def _require_written(before: str, after: str, values: Mapping[str, float]) -> None:
    """Raise `InputError` unless `after` says each of `values`; a text that was not TOML is left to `parsed`."""
    if not values:
        return
    try:
        tomllib.loads(before)
    except tomllib.TOMLDecodeError:
        return
    try:
        said = tomllib.loads(after)
    except tomllib.TOMLDecodeError:
        said = {}
    for path, value in values.items():
        found: object = said
        try:
            for part in path.split("."):
                found = found[part]  # type: ignore[index]
        except (KeyError, TypeError):
            found = None
        if found != value:
            raise InputError(
                f"Règles : « {path} » ne peut pas être changé à sa place. "
                "Écrivez sa section avec un titre entre crochets, une valeur par ligne."
            )
