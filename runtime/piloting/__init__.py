"""Real rows sent through a plan before its run, which pays for none of them again."""
