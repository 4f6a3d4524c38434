"""Sandboxes for programs that models wrote: no network, nothing to write to, limits on the rest."""
