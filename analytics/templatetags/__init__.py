"""Template filters and tags that say what models and services have in the reader's words; queries use them, too."""
