"""Weights & Biases: projects, runs, artifacts, the registry."""
