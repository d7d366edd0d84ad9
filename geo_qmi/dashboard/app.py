"""Which script does Streamlit run in an installed package?"""

from __future__ import annotations

from geo_qmi.dashboard import run

run()
