"""Several draws of one row: when to stop drawing, who has won, which rows go on."""
