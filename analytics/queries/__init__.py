"""What each page reads: model querysets and services in, small frozen records out."""
