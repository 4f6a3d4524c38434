"""Tests of engines and of what they stand on."""
