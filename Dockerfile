FROM python:3.11-slim AS build
COPY requirements.txt /
RUN python -m venv /venv && /venv/bin/pip install --no-cache-dir -r /requirements.txt

FROM python:3.11-slim
WORKDIR /app
COPY --from=build /venv /venv
COPY gunicorn.conf.py wsgi.py ./
COPY identity identity
# Once, and not each time that a command or a worker starts.
RUN python -m compileall -q wsgi.py identity
COPY migrations migrations
COPY static static
COPY templates templates
# All that is ever written, apart from /tmp: a secret that nobody gave, and SQLite.
RUN mkdir instance && chown 10001:10001 instance
VOLUME /app/instance
ENV PATH=/venv/bin:$PATH HOST=0.0.0.0 PYTHONDONTWRITEBYTECODE=1
EXPOSE 8000
# A number, so that a host which forbids root can see that this is not root.
USER 10001:10001
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s \
    CMD ["python", "-c", "import os, urllib.request as web; web.urlopen('http://127.0.0.1:' + os.environ.get('PORT', '8000') + '/health')"]
CMD ["sh", "-c", "flask --app wsgi db upgrade && exec gunicorn"]
