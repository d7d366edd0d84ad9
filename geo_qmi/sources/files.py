"""What is in this file that somebody handed over?

The door of `geo_qmi.sources`: one path in, one `RawTable` per layer, sheet or folder out. Each file is parsed in a
child process with limits of time, memory and size, without network and in a private folder; the calling process
never opens the file itself. Gives no meaning to what it reads: `geo_qmi.intake` does.
"""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import asdict
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Literal

from geo_qmi import errors
from geo_qmi.errors import InputError, LimitError, UnknownNameError, UnreadableError, shown
from geo_qmi.sources._child import read_sheets
from geo_qmi.sources.limits import Limits, passed
from geo_qmi.sources.ogr import skip_drivers
from geo_qmi.sources.recognise import FORMATS
from geo_qmi.wording import number

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from geo_qmi.sources.raw import RawTable
    from geo_qmi.sources.sheet import Sheet

__all__ = ["Limits", "describe_formats", "read_file", "watched"]

#: The only variables the child inherits: where libraries are, never proxies, tokens or paths to data.
_INHERITED = ("PATH", "LD_LIBRARY_PATH", "SYSTEMROOT", "GDAL_DATA", "PROJ_DATA", "PROJ_LIB", "VIRTUAL_ENV")
_NO_LIMITS = Limits()
#: Seconds between two calls of whoever watches a reading, and who that is: nobody, unless `watched` says so.
_BEAT_S = 0.2
_WATCHER: ContextVar[Callable[[], None] | None] = ContextVar("watcher", default=None)


def read_file(
    path: Path,
    *,
    limits: Limits = _NO_LIMITS,
    layer: str | None = None,
    name: str | None = None,
    reader: Literal["data", "field", "streets"] = "data",
    progress: Callable[[int], None] | None = None,
) -> list[RawTable]:
    """Return every layer, sheet or folder of a file.

    Parameters
    ----------
    path
        The file, of any format of `describe_formats`; a shapefile is read with its siblings.
    limits
        What the file may cost.
    layer
        Keep only the layer or sheet of that name.
    name
        Name the user knows the file by, when it differs from the path (an upload in a temporary folder). Its
        suffix is the one compared with the content.
    reader
        ``field`` reads what only a walk brings back too, see `geo_qmi.sources.field.parsing`; ``streets`` reads an
        OpenStreetMap extract, see `geo_qmi.sources.pbf`.
    progress
        Called now and then with the number of records read, by the readers that tell it (``streets``).

    Returns
    -------
    list of RawTable
        In the order of the file; every record is a row or a defect.

    Raises
    ------
    UnreadableError
        Missing, empty, damaged, or not what its suffix says.
    LimitError
        A limit is passed; the sentence names it and the value met.
    UnknownNameError
        There is no layer of that name.
    """
    path = Path(path)
    shown_name = shown(name or path.name)
    _check_path(path, shown_name, limits=limits, folder=reader == "field")
    tables = [sheet.table() for sheet in _in_child(path, shown_name, limits=limits, reader=reader, progress=progress)]
    if layer is None:
        return tables
    chosen = [table for table in tables if table.layer == layer]
    if not chosen:
        met = ", ".join(f"« {table.layer} »" for table in tables[:20])
        raise UnknownNameError(f"« {shown_name} » n’a pas de couche « {shown(layer)} » ; couches présentes : {met}.")
    return chosen


@contextmanager
def watched(by: Callable[[], None]) -> Iterator[None]:
    """Call `by` several times a second while a file is read in this block; what it raises ends the reading.

    The child process is then killed and its folder removed, whatever function of the package asked for the file.
    """
    token = _WATCHER.set(by)
    try:
        yield
    finally:
        _WATCHER.reset(token)


def describe_formats() -> dict[str, str]:
    """Return the French name of the format of each suffix that is read.

    Examples
    --------
    >>> describe_formats()[".gpkg"]
    'GeoPackage'
    """
    return {suffix: name for suffix, (_, name) in FORMATS.items()}


def _check_path(path: Path, name: str, *, limits: Limits, folder: bool) -> None:
    try:
        found = path.stat()
    except (OSError, ValueError) as error:
        reason = "est introuvable" if isinstance(error, FileNotFoundError) else "ne peut pas être ouvert"
        raise UnreadableError(f"« {name} » {reason} → vérifiez le chemin et les droits d’accès.") from None
    if stat.S_ISDIR(found.st_mode) and folder:
        return
    if stat.S_ISDIR(found.st_mode):
        geodatabase = " (une géodatabase .gdb : exportez-la en GeoPackage)" if path.suffix.lower() == ".gdb" else ""
        raise UnreadableError(f"« {name} » est un dossier{geodatabase} → choisissez un fichier.")
    if not stat.S_ISREG(found.st_mode):
        raise UnreadableError(f"« {name} » n’est pas un fichier ordinaire → choisissez un fichier de données.")
    if found.st_size > limits.file_bytes:
        raise passed(name, "octets", met=found.st_size, limit=limits.file_bytes)


def _in_child(
    path: Path, name: str, *, limits: Limits, reader: str, progress: Callable[[int], None] | None
) -> list[Sheet]:
    arguments = [os.fspath(path.absolute()), name, json.dumps(asdict(limits)), reader]
    command = [sys.executable, "-P", "-X", "utf8", "-m", "geo_qmi.sources._child", *arguments]
    allowed = 3 * limits.seconds  # a busy machine may need longer; a sleeping child must still end
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="geo-qmi-") as folder, tempfile.TemporaryFile() as out:
        # The command is ours; the path is one argument among others, seen by no shell.
        child = subprocess.Popen(  # noqa: S603
            command,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.PIPE,
            cwd=folder,
            env=_environment(folder),
        )
        clock = threading.Timer(allowed, child.kill)
        clock.start()
        try:
            last = _last_words(child, progress)
        finally:
            clock.cancel()
            child.kill()  # already gone, unless whoever watches or is told the progress wants no more
            code = child.wait()
        if time.monotonic() - started >= allowed:
            raise passed(name, "secondes de lecture", met=limits.seconds, limit=limits.seconds)
        out.seek(0)
        told = out.read()
    try:
        answer = read_sheets(told)
    except (ValueError, StopIteration, KeyError, TypeError):
        raise _died(name, code=code, last=last, limits=limits) from None
    if isinstance(answer, tuple):
        kind = getattr(errors, answer[0], InputError)
        raise kind(answer[1])
    return answer


def _last_words(child: subprocess.Popen[bytes], progress: Callable[[int], None] | None) -> str:
    """Return the last line on the error stream of a child once it has ended; tell its progress on the way."""
    last, lines, watcher = "", SimpleQueue[bytes](), _WATCHER.get()
    # Pipes cannot be waited for with a limit of time everywhere: a thread does it, and ends with the child.
    threading.Thread(target=_overheard, args=(child, lines), daemon=True).start()
    while True:
        try:
            line = lines.get(timeout=_BEAT_S)
        except Empty:
            if watcher is not None:
                watcher()
            continue
        if not line:
            return last
        if line.startswith(b'{"read": '):
            if progress is not None:
                progress(int(json.loads(line)["read"]))
        elif line.strip():
            last = line.decode("utf-8", "replace").strip()


def _overheard(child: subprocess.Popen[bytes], lines: SimpleQueue[bytes]) -> None:
    """Pass on each line of the error stream of a child, then an empty one."""
    with child.stderr as told:  # type: ignore[union-attr]  # a pipe was asked for
        for line in told:
            lines.put(line)
    lines.put(b"")


def _environment(folder: str) -> dict[str, str]:
    root = os.fspath(Path(__file__).resolve().parents[2])
    search = [root, *(os.fspath(Path(p).resolve()) for p in os.environ.get("PYTHONPATH", "").split(os.pathsep) if p)]
    return {key: os.environ[key] for key in _INHERITED if key in os.environ} | {
        "PYTHONPATH": os.pathsep.join(search),
        "HOME": folder,
        "TMPDIR": folder,
        "LANG": "C.UTF-8",
        "OGR_SKIP": skip_drivers(),
        "GDAL_HTTP_PROXY": "127.0.0.1:9",
        "CPL_DEBUG": "OFF",
        "OPENBLAS_NUM_THREADS": "1",
        "OMP_NUM_THREADS": "1",
    }


def _died(name: str, *, code: int, last: str, limits: Limits) -> InputError:
    killed = {-int(getattr(signal, sign)) for sign in ("SIGKILL", "SIGABRT", "SIGXCPU") if hasattr(signal, sign)}
    if code in killed or "MemoryError" in last or "bad_alloc" in last:
        return LimitError(
            f"« {name} » : lecture arrêtée, limite de {number(limits.seconds)} s ou de "
            f"{number(limits.memory_bytes / 2**20)} Mio de mémoire dépassée → découpez ou allégez le fichier."
        )
    return UnreadableError(
        f"« {name} » : la lecture s’est interrompue (détail technique : code {code} {shown(last)}) → réexportez le "
        "fichier."
    )
