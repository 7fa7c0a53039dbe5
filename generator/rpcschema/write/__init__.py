"""Writing output: share the work, keep what still stands, join the pieces, and change the folder file by file."""
