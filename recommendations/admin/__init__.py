"""The record in Django's admin: for the rows themselves, where the dashboard shows what they mean.

Django loads this package; each module registers its models.
"""

import recommendations.admin.blends
import recommendations.admin.catalogue
import recommendations.admin.customers
import recommendations.admin.events
import recommendations.admin.imports
import recommendations.admin.keys
import recommendations.admin.placements
import recommendations.admin.promotions
import recommendations.admin.rules
import recommendations.admin.staff
import recommendations.admin.trail
