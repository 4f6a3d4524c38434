"""The canonical layout of a recipe: text → tree with its comments → order of keys → text."""
