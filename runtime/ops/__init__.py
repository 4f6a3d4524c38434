"""Step operators. One file each, found by the folder."""
