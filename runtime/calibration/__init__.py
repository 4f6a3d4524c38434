"""How good a check is, measured on rows whose verdict is known."""
