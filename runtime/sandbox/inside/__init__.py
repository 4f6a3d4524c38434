"""What runs inside a sandbox: stand-alone modules that import nothing of Mashbill.

The folder is bound into the sandbox and started by its own interpreter. `zygote` waits warm;
`supervisor` watches one program and judges it; `cell` shuts the program in; `harness` runs it.
"""
