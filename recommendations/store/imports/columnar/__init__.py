"""Event files column by column: rows that the columns show to keep every rule go to the record without the stage."""
