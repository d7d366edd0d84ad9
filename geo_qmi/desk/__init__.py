"""What happens at the planner's desk, where files come in and tables are corrected by hand?

`deposits` takes a file brought by somebody: its layers, what each column means, which rows may enter. `eligibility`
says which rule each application passes or fails, with the value. `ledger` turns a table into cells that can be
edited and back; `versions` lays two side by side when somebody else wrote meanwhile. `readings` selects, joins and
words what is shown of published tables. The dashboard shows it; nothing here knows a screen.
"""

from __future__ import annotations
