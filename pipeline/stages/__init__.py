"""One module a stage of the pipeline; they meet on disk and never import one another."""
