"""How does Typer speak French?

Typer takes a few words from ``gettext`` when it is imported and writes the others in English. This module gives it
the former, overrides the latter, and turns its complaints about usage into French sentences. `geo_qmi.cli` imports
it before anything of Typer's; it knows no command.
"""

from __future__ import annotations

import gettext
import re
from typing import Any

__all__ = ["FrenchCommand", "FrenchGroup", "complaint", "typer"]

_WORDS = {
    "Options": "Options ",
    "Arguments": "Arguments ",
    "Commands": "Commandes ",
    "required": "obligatoire",
    "default: {default}": "par défaut : {default}",
    "Missing command.": "Commande manquante.",
    "No such command {name!r}.": "Commande inconnue : {name!r}.",
}
gettext.gettext = lambda message: _WORDS.get(message, message)

import typer  # noqa: E402 — after its words are French
from typer.core import TyperCommand, TyperGroup  # noqa: E402

#: Typer's English complaints and their French form.
_SENTENCES = (
    (r"No such option: (\S+)(?: Did you mean (.+)\?| \(Possible options: (.+)\))?", r"Option inconnue : \1."),
    (r"Missing argument '(.+?)'\.?", r"Argument manquant : \1."),
    (r"Missing option '(.+?)'\.?", r"Option obligatoire absente : \1."),
    (r"Option '?(\S+?)'? requires an argument\.", r"L’option \1 attend une valeur."),
    (r"Got unexpected extra argument(?:s|\(s\))? \((.+)\)", r"Argument(s) en trop : \1."),
    (
        r"Invalid value for '?(.+?)'?: .*(?:valid integer|valid int).*",
        r"Valeur refusée pour \1 : attendu un nombre entier.",
    ),
    (
        r"Invalid value for '?(.+?)'?: .*valid (?:number|float).*",
        r"Valeur refusée pour \1 : attendu un nombre, avec un point décimal (2.2).",
    ),
    (
        r"Invalid value for '?(.+?)'?: .*(?:greater than or equal to) (\S+).*",
        r"Valeur refusée pour \1 : attendu \2 au moins.",
    ),
    (
        r"Invalid value for '?(.+?)'?: .*(?:less than or equal to) (\S+).*",
        r"Valeur refusée pour \1 : attendu \2 au plus.",
    ),
    (r"Invalid value for '?(.+?)'?: (.+)", r"Valeur refusée pour \1 : \2"),
    (r"Invalid value: (.+)", r"Valeur refusée : \1"),
    (r"(Commande inconnue : '.+')\. Did you mean (.+)\?", r"\1. Vouliez-vous dire \2 ?"),
)


def complaint(error: typer.TyperException) -> str:
    """Return what Typer reproaches to the arguments, in French."""
    text = error.format_message().strip()
    for pattern, words in _SENTENCES:
        found = re.fullmatch(pattern, text, flags=re.DOTALL)
        if found:
            return found.expand(words)
    return text


class _French:
    """What commands and groups print of themselves."""

    def get_help_option(self, ctx: Any) -> Any:
        """Return the help option, its own help in French."""
        option = super().get_help_option(ctx)  # type: ignore[misc]
        if option is not None:
            option.help = "Affiche cette aide."
        return option

    def format_usage(self, ctx: Any, formatter: Any) -> None:
        """Write the usage line."""
        pieces = self.collect_usage_pieces(ctx)  # type: ignore[attr-defined]
        formatter.write_usage(ctx.command_path, " ".join(pieces), prefix="Usage : ")


class FrenchCommand(_French, TyperCommand):
    """A command that explains itself in French."""


class FrenchGroup(_French, TyperGroup):
    """A group of commands that explains itself in French."""
