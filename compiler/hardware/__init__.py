"""What models need of hardware, and how fast it runs them, by their shapes alone."""
