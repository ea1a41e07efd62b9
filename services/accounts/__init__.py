"""Money and shares: the ledger, deposits and withdrawals, holdings and their valuation."""
