"""The hardware and the models that are here: their shapes, their speeds, whether they fit."""
