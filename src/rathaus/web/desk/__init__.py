"""The desk: inbox, cases and decisions for the people who work for an authority."""
