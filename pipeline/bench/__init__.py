"""Benchmarks: how fast the program is on this machine, beside others; `make bench` or `python -m pipeline.bench`.

`training` (with the machine's peak and the operations of a step), `generation`, `ingest_render_evaluate`,
`transcription` (its accuracy too), `processes` (start-up and peak memory), `gpu` with `gpu_contenders` (a GPU's losses
too); `plan` says how much is measured, `timing` measures it, `music` is what it is measured with, `report` writes it
down. `language` compares language models.
"""
