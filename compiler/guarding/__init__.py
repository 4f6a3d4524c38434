"""Guards before spending: is the budget enough, what would cost less, and must a person say yes.

`charges` says what a cap is charged with, `affording` compares it with the cap, `cheapest` tries
what would fit, `default_caps` holds a recipe that spends and caps nothing, and `approval` says what
a run is about to spend. All of it works on estimates alone; nothing here opens data or asks.
"""
