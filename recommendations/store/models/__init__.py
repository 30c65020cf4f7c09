"""What the loop learns and measures, as rows and artefacts: runs, versions, weights, figures."""
