# Two stages: the first installs and builds, the second holds only what runs.
FROM python:3.13-slim AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
RUN python -m venv /app/.venv
WORKDIR /app
COPY requirements/run.txt requirements/run.txt
RUN .venv/bin/pip install --require-hashes --no-deps -r requirements/run.txt
COPY manage.py pyproject.toml ./
COPY locale locale
COPY static static
COPY templates templates
COPY recsite recsite
COPY recommendations recommendations
COPY analytics analytics
# Nothing of this reaches the running process: collecting static files needs no server and no secret.
RUN SECRET_KEY=only-while-the-image-is-built-0123456789abcdefghijklmn PSEUDONYM_KEY=only-while-the-image-is-built-01 \
    DATABASE_URL=postgresql:/// REDIS_URL=redis://localhost ALLOWED_HOSTS=nowhere EMAIL_URL=smtp://nowhere \
    .venv/bin/python manage.py collectstatic --noinput -v 0

FROM python:3.13-slim
ENV PATH=/app/.venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
# What the wheel of LightGBM leaves to the system, and letters for the pictures of mails.
RUN apt-get update && apt-get install --yes --no-install-recommends fonts-dejavu-core libgomp1 && rm -rf /var/lib/apt/lists/*
RUN useradd --system --uid 10001 --no-create-home recsite && install -d -o recsite /data
COPY --from=build /app /app
WORKDIR /app
USER recsite
EXPOSE 8000
# What is written belongs to this user alone, whatever the command.
ENTRYPOINT ["sh", "-c", "umask 077 && exec \"$@\"", "--"]
CMD ["granian", "--interface=wsgi", "--host=0.0.0.0", "--port=8000", "--workers=2", "--blocking-threads=18", "recsite.wsgi:application"]
