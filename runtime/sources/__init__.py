"""Sources of rows. One folder file a format, found by the path a recipe names."""
