"""The code broken in many small ways, one at a time: what no test sees. `make mutants`."""
