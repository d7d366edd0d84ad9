"""What would a call for projects look like, dossier by dossier?

Puts 168 invented applications together from the parts of ``demo_calls.toml``: theme shares of the real call where
they are published, fictional names, texts, site needs, a few incomplete dossiers, a few that straddle two themes and
eight deposited twice under another spelling. It reads no file.

SIRET numbers cannot belong to anybody: the whole number passes the Luhn check, as a form would require, but its
first nine digits, the SIREN, fail theirs on purpose, and no such SIREN is ever attributed. Addresses end in
``.example``, which RFC 2606 keeps out of use.
"""

from __future__ import annotations

from typing import Any

import numpy as np

Row = dict[str, Any]

TWICE = 8  # dossiers deposited a second time
INCOMPLETE = 17  # a tenth of the dossiers
STRADDLING = 18  # dossiers that claim a second theme
PIECES = ("constat", "solution", "action", "moyen", "but", "mesure", "public")
OPTIONAL = (
    "operator",
    "siret",
    "contact",
    "keywords",
    "need_area_m2",
    "need_water",
    "need_power",
    "public_domain",
    "testers",
    "months",
    "season",
)


def application_rows(words: Row, *, seed: int) -> list[Row]:
    """Return the rows of table ``applications`` in order of identifier.

    Parameters
    ----------
    words
        Contents of ``demo_calls.toml``.
    seed
        The call draws from its own stream, apart from those of the walks.
    """
    rng = np.random.default_rng([seed, 1000])
    families = [family for family in words["family"] for _ in range(family["count"])]
    order = rng.permutation(len(families))
    second = set(_second_places(families, order, rng))
    names = _names(words["words"], 2 * len(families), rng)
    rows: list[Row] = []
    parts: list[Row] = []
    for place, index in enumerate(order):
        if place in second:
            rows.append({"family": families[index]["name"]})  # filled below, once every first dossier exists
            parts.append({})
            continue
        row, part = _dossier(words, families[index], names[2 * place : 2 * place + 2], rng)
        rows.append(row)
        parts.append(part)
    first = [place for place in range(len(rows)) if place not in second]
    _straddle(words, [rows[place] for place in rng.choice(first, STRADDLING, replace=False)], rng)
    _number(rows, rng)
    for place in sorted(second):
        _deposit_again(words, rows, parts, place, rng)
    plain = [place for place, row in enumerate(rows) if not row.get("note")]
    for place in rng.choice(plain, INCOMPLETE, replace=False):
        for column in rng.choice(OPTIONAL, int(rng.integers(2, 6)), replace=False):
            rows[place][str(column)] = None
    return rows


def _second_places(families: list[Row], order: np.ndarray, rng: np.random.Generator) -> list[int]:
    """Return the positions of dossiers deposited twice, in the second half and in families with a few dossiers."""
    late = [place for place in range(len(order) // 2, len(order)) if families[order[place]]["count"] > 2 * TWICE]
    return [int(place) for place in rng.choice(late, TWICE, replace=False)]


def _names(words: Row, total: int, rng: np.random.Generator) -> list[str]:
    """Return distinct words of three syllables that mean nothing."""
    names: dict[str, None] = {}
    while len(names) < total:
        names["".join(str(rng.choice(words[part])) for part in ("first", "middle", "last"))] = None
    return list(names)


def _dossier(words: Row, family: Row, names: list[str], rng: np.random.Generator) -> tuple[Row, Row]:
    """Return one application, without numbers, and the parts its text was made of."""
    kind = family["kind"][int(rng.integers(len(family["kind"])))]
    name = names[0] if rng.random() < 0.55 else f"{names[0]} {rng.choice(family['tail'])}"
    structures = list(words["structures"])
    shares = [words["structures"][one]["share"] for one in structures]
    structure = str(rng.choice(structures, p=shares))
    form = str(rng.choice(words["structures"][structure]["forms"]))
    part = {piece: str(rng.choice(kind[piece])) for piece in PIECES}
    template = str(rng.choice(words["templates"]))
    row = {
        "name": name,
        "operator": form.format(names[1]),
        "structure": structure,
        "family": family["name"],
        "keywords": kind["keywords"],
        "description": _text(template, part, name),
        **_needs(kind["needs"], rng),
    }
    return row, part


def _text(template: str, part: Row, name: str) -> str:
    """Return the description: the parts in the template, with a capital where the template asks for one."""
    capitals = {piece.capitalize(): text[0].upper() + text[1:] for piece, text in part.items()}
    return template.format(**part, **capitals, Nom=name)


def _needs(needs: Row, rng: np.random.Generator) -> Row:
    """Return the site needs of one application, drawn inside the ranges of its kind."""
    area = needs.get("area")
    fine = 5 if area and area[1] > 20 else 1
    return {
        "need_area_m2": int(fine * round(rng.integers(area[0], area[1] + 1) / fine)) if area else None,
        "need_ground": needs.get("ground"),
        "need_sun_h": int(rng.integers(needs["sun"][0], needs["sun"][1] + 1)) if "sun" in needs else None,
        "need_water": needs.get("water", False),
        "need_power": needs.get("power", False),
        "need_support": needs["support"],
        "public_domain": needs["public_domain"],
        "need_vehicle": needs.get("vehicle", False),
        "testers": int(rng.integers(needs["testers"][0], needs["testers"][1] + 1)),
        "months": int(3 * round(rng.integers(needs["months"][0], needs["months"][1] + 1) / 3)),
        "season": needs["season"],
    }


def _straddle(words: Row, rows: list[Row], rng: np.random.Generator) -> None:
    """Give each dossier a second theme, said in one more sentence and in the keywords."""
    for i, row in enumerate(rows):
        others = [family for family in words["family"] if family["name"] != row["family"]]
        other = others[int(rng.integers(len(others)))]
        kind = other["kind"][int(rng.integers(len(other["kind"])))]
        sentence = words["straddles"][i % len(words["straddles"])].format(but=str(rng.choice(kind["but"])))
        row["description"] += f" {sentence}"
        row["keywords"] += f";{kind['keywords'].split(';')[0]}"
        row["note"] = f"Chevauche deux thématiques : {row['family']} et {other['name']}."


def _number(rows: list[Row], rng: np.random.Generator) -> None:
    """Give each dossier its identifier, address and SIRET; every third SIRET starts with zeros."""
    for number, row in enumerate(rows, 1):
        row["application_id"] = f"DEMO-{number:03d}"
        row["contact"] = f"contact@projet-{number:03d}.example"
        row["siret"] = _siret("0000" if number % 3 == 0 else "9", rng)


def _siret(start: str, rng: np.random.Generator) -> str:
    """Return fourteen digits that pass the Luhn check and whose first nine do not."""
    while True:
        siren = start + "".join(map(str, rng.integers(0, 10, 9 - len(start))))
        if luhn(siren) % 10:
            break
    body = f"{siren}{int(rng.integers(1, 60)):04d}"
    return f"{body}{-luhn(body + '0') % 10}"


def luhn(digits: str) -> int:
    """Return the Luhn sum, a multiple of ten for a valid number.

    Examples
    --------
    >>> luhn("73282932000074") % 10
    0
    """
    doubled = [int(digit) * (2 if i % 2 else 1) for i, digit in enumerate(reversed(digits))]
    return sum(value - 9 if value > 9 else value for value in doubled)


def _deposit_again(words: Row, rows: list[Row], parts: list[Row], place: int, rng: np.random.Generator) -> None:
    """Fill the dossier at `place` as a second deposit of an earlier one of its family, under another spelling."""
    row = rows[place]
    taken = {other.get("note") for other in rows}
    candidates = [
        i
        for i in range(place)
        if parts[i] and rows[i]["family"] == row["family"] and not rows[i].get("note") and _twin(rows[i]) not in taken
    ]
    original = int(rng.choice(candidates))
    first = rows[original]
    style = place % 4
    name = _respelled(first["name"], style)
    if style % 2:
        text = _text(words["templates"][style], parts[original], name)
    else:
        text = first["description"].replace(first["name"], name) + " Dossier complété depuis le premier dépôt."
    own = {key: row[key] for key in ("application_id", "contact", "siret")}
    row.update({**first, **own, "name": name, "description": text, "note": _twin(first)})
    if style != 3:
        row["siret"] = first["siret"]


def _twin(row: Row) -> str:
    """Return the note of the second deposit of `row`."""
    return f"Doublon volontaire, par la graphie, de {row['application_id']}."


def _respelled(name: str, style: int) -> str:
    """Return `name` as somebody else would type it."""
    if style == 0:
        return name.upper()
    if style == 1:
        return f"{name[:3]}-{name[3:]}"
    if style == 2:
        return f"{name[:4]}{name[3:]}"  # one letter doubled
    return f"{name[:3]}{name[4]}{name[3]}{name[5:]}"  # two letters swapped
