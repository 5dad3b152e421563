"""From files to a prepared set of phrases: cutting, near-duplicates, splits, the store, labels, statistics."""
