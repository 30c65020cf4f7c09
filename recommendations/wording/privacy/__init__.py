"""Words of privacy: the codes on a page, and what each holder has, for what and for how long."""
