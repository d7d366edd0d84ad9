"""The dashboard from a checkout: ``streamlit run app.py`` (``geo-qmi app`` once installed)."""

from __future__ import annotations

from geo_qmi.dashboard import run

run()
