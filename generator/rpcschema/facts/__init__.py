"""The facts of Core Lightning's documents: what a program needs to know of them, without their prose."""
