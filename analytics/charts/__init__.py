"""Pure functions from records to Plotly figures; every word in a figure is given by the caller.

The look (fonts, colours, light and dark) is a template that ``static/js/chart.js`` makes in the browser.
"""

import plotly.io as pio

pio.templates.default = "none"
