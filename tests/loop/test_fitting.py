"""Fits side by side."""

import subprocess
import sys

FITS = """
import sys, time
import django; django.setup()
from recommendations.engine.recommenders.registry import INSTANCES
from recommendations.loop.fitting import fit_instances

class Context:
    def report(self, *_):
        pass

class Trainer:
    def fit(self, instance, *, heard):
        if instance is wanted[0]:
            from sklearn.linear_model import LogisticRegression
        else:
            while "sklearn.utils" not in sys.modules:
                time.sleep(0.001)
            from sklearn.utils.extmath import randomized_svd
        return instance.build()

wanted = INSTANCES[:1] + tuple(one for one in INSTANCES if not one.learns_as(INSTANCES[0]))[:1]
fitted, _ = fit_instances(Context(), Trainer(), wanted, share=1.0)
print(len(fitted))
"""


def test_two_fits_that_are_the_first_to_need_scikit_learn_do_not_meet_in_its_imports() -> None:
    """A run that was taken up again begins with its fits, in a process that has imported nothing yet."""
    done = subprocess.run([sys.executable, "-c", FITS], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-1000:]
    assert done.stdout.split() == ["2"]
