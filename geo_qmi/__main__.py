"""Run the command line as ``python -m geo_qmi``."""

from geo_qmi.cli import main

main()
