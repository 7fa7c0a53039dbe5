"""A port of lnbits' wallets for Core Lightning, over the socket and over REST."""
