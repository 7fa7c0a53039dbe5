"""What the documents mean: `nodes` holds it, `build` makes it, `dump` writes it out, `resolve` draws conclusions."""
