"""Everything that opens files, calls models or computes on data."""
