"""Prints one line about this Python: "MAJOR.MINOR MISSING EXECUTABLE"; a free-threaded one's version ends with t.

MISSING is what it lacks for pyhost and its tests: "venv", "libpython", "venv,libpython" or "-".
"""
import os
import sys
import sysconfig


def has_venv():
    try:
        import ensurepip  # noqa: F401
        import venv  # noqa: F401
    except ImportError:
        return False
    return True


def has_libpython():
    name = sysconfig.get_config_var("INSTSONAME") or ""
    libdir = sysconfig.get_config_var("LIBDIR") or ""
    # Debian 11 and Ubuntu 20.04 say /usr/lib and mean /usr/lib/x86_64-linux-gnu.
    multiarch = os.path.join(libdir, sysconfig.get_config_var("MULTIARCH") or "")
    folders = [libdir, multiarch, os.path.join(sys.base_prefix, "lib")]
    return ".so" in name and any(os.path.exists(os.path.join(folder, name)) for folder in folders)


def main():
    missing = [name for name, there in (("venv", has_venv()), ("libpython", has_libpython())) if not there]
    suffix = "t" if sysconfig.get_config_var("Py_GIL_DISABLED") else ""
    print("%d.%d%s %s %s" % (sys.version_info[:2] + (suffix, ",".join(missing) or "-", sys.executable)))


main()
