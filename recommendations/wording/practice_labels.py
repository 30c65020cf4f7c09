"""Labels of the codes of practice on a page, in the reader's language."""

from django.utils.translation import gettext_lazy as _

from recommendations.practice_terms import PracticeEffect
from recommendations.wording.labels import Choices

EFFECTS: Choices = [
    (PracticeEffect.BETTER, _("B is clearly better")),
    (PracticeEffect.SAME, _("B is no different")),
    (PracticeEffect.WORSE, _("B is clearly worse")),
    (PracticeEffect.HARMFUL, _("B does harm, and a guardrail sees it")),
]
