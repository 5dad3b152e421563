"""A song and its file, its form and plan, what is asked of it, its arrangement, ending and performance."""
