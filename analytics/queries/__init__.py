"""Queries of each page: model querysets and services in, small frozen records out."""
