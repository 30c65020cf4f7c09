"""Files of other systems' calls: what an export of one has is read as its live calls are, and imported as history."""
