"""How is text of the data shown as it is, never read as markup?

Streamlit reads Markdown in titles, messages and captions: an image or a link in the name of a project would make the
reader's browser call another host.
"""

from __future__ import annotations

import re

_SIGNS = re.compile(r"([\\`*_{}\[\]()<>#+\-.!|~:$&])")


def literal(text: object) -> str:
    r"""Return `text` with every sign of Markdown escaped.

    Examples
    --------
    >>> print(literal("![x](http://a.b/c.png)"))
    \!\[x\]\(http\://a\.b/c\.png\)
    """
    return _SIGNS.sub(r"\\\1", str(text))
