"""Price truth for everybody else: quotes, bars, the exchange's hours, instruments, and the market's clock."""
