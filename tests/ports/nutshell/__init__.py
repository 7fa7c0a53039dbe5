"""A port of nutshell's backend for Core Lightning's REST interface."""
