"""A floor for hours, with viewers who come and go: what grows that must not? `make soak`."""
