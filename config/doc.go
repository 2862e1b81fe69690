// Package config holds the settings of pyhost: one table (see Settings) from which come the command line, the names of
// the TOML keys and of the PYHOST_* variables, the JSON names that the Python side sees, validation and the help text.
//
// Where a value comes from, a later one winning:
//
//  1. the default, which for some settings is an environment variable ($PORT, $WEB_CONCURRENCY, $FORWARDED_ALLOW_IPS,
//     $SCRIPT_NAME)
//  2. the TOML file: the one given with -c, else ./pyhost.toml, else [tool.pyhost] in ./pyproject.toml
//  3. $GUNICORN_CMD_ARGS
//  4. $PYHOST_CMD_ARGS
//  5. $PYHOST_<NAME>, for example $PYHOST_WORKERS
//  6. the command line
//
// An empty environment variable counts as one that is not set. Every value that is addressed to pyhost (2 to 6) is
// checked, even where a later one wins.
package config
