"""Files for spreadsheets of what pages show."""
