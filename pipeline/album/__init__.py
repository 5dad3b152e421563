"""What people look at: plots, the cover and the listening page."""
