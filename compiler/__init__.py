"""Recipe text in, diagnostics and a plan out. Pure: see world.py for what it is handed."""
