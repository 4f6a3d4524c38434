"""Recipes, expressions and prompts that nobody would write, and what must hold of each."""
