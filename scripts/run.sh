#!/bin/sh
# make run: serves the Django project of pyapps/django_project with bin/pyhost, from nothing.
# PYTHON, BIND and DJANGO_DATA_DIR may be set.
set -eu
. "$(dirname "$0")/lib.sh"

python=${PYTHON:-python3}
bind=${BIND:-127.0.0.1:8000}
project=pyapps/django_project
steps 5

step "Building bin/pyhost"
scripts/toolchain.sh
quietly make --no-print-directory build

step "Installing Django into .venv"
interpreter=$(scripts/venv.sh "$python" "$project/requirements.txt")
venv=$(dirname "$(dirname "$interpreter")")
link_environment "${venv#"$root/"}"

step "Migrating the SQLite database"
quietly "$interpreter" "$project/manage.py" migrate --verbosity 0

step "Loading the admin user and sample documents"
"$interpreter" "$project/manage.py" demo | sed 's/^/      /'

step "Serving http://$bind/ (admin at /admin/), Ctrl-C stops"
# With DEBUG Django serves the static files of its admin itself.
DJANGO_DEBUG=${DJANGO_DEBUG:-1} exec bin/pyhost --python "$interpreter" --chdir "$project" --bind "$bind" \
    -w 3 -k gthread --threads 4 --access-logfile - mysite.wsgi:application
