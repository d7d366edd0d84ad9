"""Which tables of a study are made, and when?

A study has some forty tables and a map needs five of them. This mapping makes each when it is first asked for, and
keeps it. It knows neither where a table comes from nor what is in it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

_Table = TypeVar("_Table")


class OnDemand(Mapping[str, _Table], Generic[_Table]):
    """Table name → table, each made once, when it is first asked for.

    Parameters
    ----------
    names
        Of the tables, in the order in which they are listed.
    make
        Returns the table of a name.

    Examples
    --------
    >>> tables = OnDemand(["communes", "sites"], str.upper)
    >>> "sites" in tables, len(tables), tables["sites"]
    (True, 2, 'SITES')
    """

    def __init__(self, names: Iterable[str], make: Callable[[str], _Table]) -> None:
        self._names = dict.fromkeys(names)
        self._make = make
        self._made: dict[str, _Table] = {}

    def __getitem__(self, name: str) -> _Table:
        if name not in self._names:
            raise KeyError(name)
        if name not in self._made:
            self._made[name] = self._make(name)
        return self._made[name]

    def __contains__(self, name: object) -> bool:
        return name in self._names

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)
