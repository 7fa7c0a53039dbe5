"""Read documents: find the files, parse them strictly, check them against the dialect, and build the model."""
