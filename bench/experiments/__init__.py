"""Whether experiments say what is so: false alarms, coverage, power, planned days and the split check."""
