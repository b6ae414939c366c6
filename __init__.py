"""Watersmeet: one lineage graph from many platforms."""
