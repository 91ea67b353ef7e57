"""Pages of review: what experts see and fill in, who is asked, the ranking, and what the case page shows of it."""
