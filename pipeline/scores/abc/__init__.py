"""ABC notation, by its standard 2.1 and the habits of its users: tune books to scores."""
