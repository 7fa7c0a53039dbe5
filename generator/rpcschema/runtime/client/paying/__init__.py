"""Pay an invoice exactly once: shipped with packages that have the commands for it."""
