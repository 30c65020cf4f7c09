"""How good it is: global time splits, metrics, 95 % intervals, leaks and the gate."""
