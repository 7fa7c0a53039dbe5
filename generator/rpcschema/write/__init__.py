"""Write the output: share the work, keep what is still valid, join the pieces, and update the folder file by file."""
