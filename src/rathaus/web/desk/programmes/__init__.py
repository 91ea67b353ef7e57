"""A ministry's programmes: overview with its money, lists behind its tabs, files to take away, and setting up."""
