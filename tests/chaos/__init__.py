"""What Pitwall promises for bad days, tried on real processes: `make chaos` runs all of it."""
