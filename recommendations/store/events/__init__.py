"""Events in the record: appended once, in monthly partitions, under pseudonyms."""
