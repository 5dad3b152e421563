"""What training leaves on disk and tells while it runs: recorder, TensorBoard, torchrun."""
