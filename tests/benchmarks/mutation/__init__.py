"""Recipes that are right, broken in one place at a time: what `check` says of each."""
