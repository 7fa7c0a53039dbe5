"""Documents as pages: the content of a page (`outline`, `items`, `words`), the Markdown in descriptions (`prose`), and
printing both as roff (`roff`) or Markdown (`commonmark`).

All text on a page, descriptions as well as our own sentences, passes through as Markdown. So each target has one way to
print text and one place that escapes it.
"""
