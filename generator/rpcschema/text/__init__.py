"""Documents as pages to read: what stands on a page (`outline`, `words`), the Markdown inside descriptions
(`prose`), and how either is printed as roff (`roff`) or as Markdown (`commonmark`).

Everything that a page says passes through as Markdown, descriptions and our own sentences alike, so that each target
has one way to print text and one place where it is escaped.
"""
