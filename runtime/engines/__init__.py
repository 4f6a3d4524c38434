"""Engines: one file each, found by its name; files that start with `_` help them."""
