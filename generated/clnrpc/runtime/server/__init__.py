"""Answering calls: parameters are converted and bound as Core Lightning does, and requests dispatched to methods."""
