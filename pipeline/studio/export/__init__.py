"""The static page: the networks as ONNX for onnxruntime-web, the album's songs, and what a browser needs to make more.

Nothing of it needs a server of ours: any static host will do.
"""
