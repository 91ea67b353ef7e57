"""Pages for everybody, without login: who got what, and the same as open data."""
