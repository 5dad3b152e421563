"""The evaluator: how good generated music is, scored beside real songs, drawn and ranked."""
