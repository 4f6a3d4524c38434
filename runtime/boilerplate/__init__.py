"""Main text or boilerplate: a verdict for each line of a web page."""
