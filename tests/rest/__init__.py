"""REST: the application, its certificates, its server, and `lnoffers serve --rest`."""
