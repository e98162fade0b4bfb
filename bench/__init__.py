"""Measures Pitwall in one run on one machine, in ratios. See docs/performance.md."""
