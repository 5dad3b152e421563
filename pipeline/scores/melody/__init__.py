"""The tune of a score: which part has it, and the top line of a part."""
