"""The album's page: cover, credits, contents, rerolling."""
