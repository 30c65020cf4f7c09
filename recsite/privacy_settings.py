"""Settings of what people may ask for: keys that sign receipts and seal exports, and how long backups last."""

from recsite import env

RECEIPT_KEYS = env.seeds("RECEIPT_KEYS")  # the first signs receipts; the public halves of all are shown
EXPORT_KEYS = env.secrets("EXPORT_KEYS", shortest=32)  # the first seals exports and waiting ids, all of them open
BACKUP_DAYS = env.integer("BACKUP_DAYS", default=35, at_least=0)  # after which no copy has what was erased
