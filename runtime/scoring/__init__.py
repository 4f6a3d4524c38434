"""Models that score, compare or embed texts: what they are asked, and what they answer."""
