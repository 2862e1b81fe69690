// Package config holds the settings of pyhost: one table (see Settings) from which come the command line, the names of
// the TOML keys and of the PYHOST_* variables, the JSON names that the Python side sees, validation and the help text.
//
// Where a value comes from, a later one winning:
//
//  1. the default, which for some settings is an environment variable ($PORT, $WEB_CONCURRENCY, $FORWARDED_ALLOW_IPS,
//     $SCRIPT_NAME)
//  2. what a framework brings along (a Layer of origin Framework)
//  3. the configuration file: the one given with -c, else the first of ./pyhost.toml, ./pyhost.conf.py, [tool.pyhost]
//     in ./pyproject.toml and ./gunicorn.conf.py. Others run a Python file (FindPython, a Layer of origin ConfigFile)
//  4. $GUNICORN_CMD_ARGS
//  5. $PYHOST_CMD_ARGS
//  6. $PYHOST_<NAME>, for example $PYHOST_WORKERS
//  7. the command line
//
// An empty environment variable counts as one that is not set. Every value that is addressed to pyhost (2 to 7) is
// checked, even where a later one wins.
package config
