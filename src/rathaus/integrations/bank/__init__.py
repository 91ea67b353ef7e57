"""Files between a ministry's payments and its bank or cash system; pure reading and writing, no database."""
