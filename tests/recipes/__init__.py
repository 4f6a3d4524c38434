"""The shipped recipes, on a model whose right and wrong replies are known."""
