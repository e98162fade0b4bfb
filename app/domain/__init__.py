"""The call centre itself, as pure values and rules: no I/O, no clock, no logging."""
