"""How is a sentence model opened from a folder of the user's own disk?

Two kinds of folder. *Word vectors*: ``words.txt`` (one word a line) and ``vectors.npy`` (words × dimensions); a
sentence is the mean of its known words, and no further library is needed. *Sentence transformer*: a folder saved by
that library, with weights in ``.safetensors``; the library is imported then, and must be installed.

Nothing is downloaded, no code of the folder is run, no pickled file is read.
"""

from __future__ import annotations

import importlib
import os
from typing import TYPE_CHECKING, Any

import numpy as np

from geo_qmi.errors import InputError, UnreadableError
from geo_qmi.vocabulary import fold

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

    Encoder = Callable[[list[str]], NDArray[np.float64]]

_EXPECTED = "Attendu : words.txt et vectors.npy, ou un modèle sentence-transformers en .safetensors."


def sentence_encoder(folder: Path) -> Encoder:
    """Return the function sentences → vectors of a model folder.

    Parameters
    ----------
    folder
        A folder of word vectors or a sentence transformer.

    Raises
    ------
    InputError
        No such folder, a folder of neither kind, weights that are not in ``.safetensors``, a library not installed.
    UnreadableError
        Files that do not hold together.
    """
    if not folder.is_dir():
        raise InputError(
            f"Modèle « {folder} » : ce dossier n’existe pas. Donnez le dossier d’un modèle déjà sur le disque."
        )
    if (folder / "words.txt").is_file() and (folder / "vectors.npy").is_file():
        return _word_vectors(folder)
    if (folder / "modules.json").is_file() or (folder / "config.json").is_file():
        return _sentence_transformer(folder)
    raise InputError(f"Modèle « {folder} » : contenu non reconnu. {_EXPECTED}")


def _word_vectors(folder: Path) -> Encoder:
    """Return the mean of the vectors of the known words; a sentence without a known word is the zero vector."""
    try:
        words = (folder / "words.txt").read_text(encoding="utf-8").splitlines()
        vectors = np.load(folder / "vectors.npy", allow_pickle=False)
    except (OSError, UnicodeDecodeError, ValueError) as error:
        raise UnreadableError(f"Modèle « {folder} » : fichier illisible. {_EXPECTED}") from error
    if vectors.ndim != 2 or vectors.dtype.kind != "f" or len(vectors) != len(words):
        raise UnreadableError(
            f"Modèle « {folder} » : {len(words)} mots, tableau de forme {vectors.shape}. "
            "Attendu : un vecteur de nombres décimaux par mot."
        )
    row = {fold(word): position for position, word in enumerate(words)}

    def encode(sentences: list[str]) -> NDArray[np.float64]:
        table = np.zeros((len(sentences), vectors.shape[1]))
        for number, sentence in enumerate(sentences):
            known = [row[word] for word in fold(sentence).split("_") if word in row]
            if known:
                table[number] = vectors[known].mean(axis=0)
        return table

    return encode


def _sentence_transformer(folder: Path) -> Encoder:
    """Return the encoder of a folder saved by sentence-transformers."""
    if not any(folder.rglob("*.safetensors")):
        raise InputError(
            f"Modèle « {folder} » : poids absents ou dans un format qui peut exécuter du code. "
            "Enregistrez-les en .safetensors."
        )
    # Nothing of the network: the library would otherwise look for a newer version.
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    try:
        library: Any = importlib.import_module("sentence_transformers")
    except ImportError as error:
        raise InputError(
            "La bibliothèque « sentence-transformers » n’est pas installée : installez-la, ou donnez des vecteurs de "
            "mots (words.txt et vectors.npy)."
        ) from error
    try:
        model = library.SentenceTransformer(
            str(folder),
            device="cpu",
            local_files_only=True,
            trust_remote_code=False,
            model_kwargs={"use_safetensors": True},
        )
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        raise UnreadableError(f"Modèle « {folder} » : la bibliothèque ne l’ouvre pas. {_EXPECTED}") from error

    def encode(sentences: list[str]) -> NDArray[np.float64]:
        return np.asarray(model.encode(sentences, convert_to_numpy=True, show_progress_bar=False), dtype=np.float64)

    return encode
