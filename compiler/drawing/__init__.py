"""Pictures of a graph: text, Mermaid and DOT. They show the recipe as it is written."""
