"""Who may do what: staff, API keys, the policy table, and the audit trail that all services write."""
