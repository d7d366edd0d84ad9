from __future__ import annotations

from sensitive_walks import at, line, mark, observations, routes, sessions

from geo_qmi.sensitive import field_defects

STREET = routes(line((0, 0), (100, 0)))
HELD = sessions(s1=3)


def sentences(*rows: dict, **options: object) -> list[str]:
    found = field_defects(observations(*rows), sessions=HELD, routes=STREET, **options)
    assert all(defect.proposal for defect in found)
    return [f"{defect.severity} {defect.row} {defect.id} {defect.field} : {defect.reason}" for defect in found]


def test_a_sound_walk_has_no_defect():
    assert sentences(mark("a", at(5, 5), 1, time="2026-05-16T10:05", theme="eau")) == []


def test_far_from_the_walk():
    # 600 m from the street: said with its distance; 500 m is still the walk.
    assert sentences(mark("a", at(50, 600), 1)) == [
        "warning 0 o001 geometry : à 600 m du parcours de la séance ; attendu : 500 m au plus"
    ]
    assert sentences(mark("a", at(50, 500), 1)) == []


def test_before_the_session_in_any_time_zone():
    late = mark("a", at(0, 0), 1, time="2026-05-16T08:00Z")  # 10:00 in Paris, in summer
    early = mark("a", at(0, 0), 1, time="2026-05-16T07:59:59Z")
    local = mark("a", at(0, 0), 1, time="2026-05-16T09:59")
    assert sentences(late, early, local) == [
        "warning 1 o002 time : heure antérieure au début de la séance",
        "warning 2 o003 time : heure antérieure au début de la séance",
    ]


def test_unknown_theme_lost_photo_twice_and_nowhere():
    found = sentences(
        mark("a", at(0, 0), 1, theme="licornes"),
        mark("a", at(0, 0), 1, photo_sha256="a" * 64),
        mark("a", at(0, 0), 1, photo_sha256="b" * 64),
        mark("a", at(0, 0), 1, observation_id="o001"),
        mark("a", None, 1),
        mark("a", None, kind="absence"),
        photos=["b" * 64],
    )
    assert found == [
        "error 0 o001 observation_id : identifiant présent plusieurs fois",
        "error 0 o001 theme : thème inconnu",
        "warning 1 o002 photo_sha256 : photo annoncée mais absente de la livraison",
        "error 3 o001 observation_id : identifiant présent plusieurs fois",
        "warning 4 o005 geometry : observation sans lieu qui n’est pas une absence",
    ]


def test_a_session_without_a_route_says_nothing_about_distance():
    assert field_defects(observations(mark("a", at(0, 9000), 1)), sessions=HELD, routes=routes()) == []


def test_shipped_walks_are_sound(shipped):
    tables = {name: shipped[name] for name in ("sessions", "routes")}
    assert field_defects(shipped["observations"], **tables) == []
