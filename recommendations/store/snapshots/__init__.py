"""Events as Parquet files by month, from which runs read them: copies of the record, which is the only truth."""
