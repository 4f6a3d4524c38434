"""Checks on a row. One file each, found by the folder."""
