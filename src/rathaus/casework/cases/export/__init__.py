"""A case, or many, as a ZIP that speaks for itself: for courts of audit. `actions/exporting.py` and domains write it."""
