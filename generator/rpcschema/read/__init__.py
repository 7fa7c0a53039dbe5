"""Reading documents: find the files, parse them strictly, check them against the dialect, build the model."""
