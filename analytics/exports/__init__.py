"""What pages show, as files for spreadsheets."""
