"""The demo's data: a year of a grocer's purchases, published by dunnhumby as "The Complete Journey"."""
