"""How fast the program is on this machine, beside others: `make bench` or `python -m pipeline.bench`.

A section a module: `training` (with the machine's peak and the operations of a step), `generation`, `ingest`,
`rendering`, `yardstick`, `processes` (memory and start-up). `report` writes what they measured.
"""
