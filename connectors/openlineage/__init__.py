"""OpenLineage events that lie in files."""
