"""Estimates of a plan: facts that the runtime measured, carried through the graph by Monte Carlo.

`facts` is what goes in, `estimates` what comes out.
"""
