"""What tokens of hosted models cost: dated files of prices, and which of them a model is charged.

`prices/` holds one file a vendor, in the form that a user's own `prices.yaml` has.
"""
