# Read by cpack itself: `cpack -D CPACK_PACKAGE_VERSION=...` changes the relations, too.
set(same "= ${CPACK_PACKAGE_VERSION}-${CPACK_DEBIAN_PACKAGE_RELEASE}")
set(CPACK_DEBIAN_DAEMON_PACKAGE_DEPENDS
    "liaison-tools (${same}), systemd (>= 252), init-system-helpers (>= 1.54), procps, tzdata, ca-certificates")
set(CPACK_DEBIAN_TOOLS_PACKAGE_DEPENDS "tzdata")
set(CPACK_DEBIAN_TOOLS_PACKAGE_SUGGESTS "liaison")
set(CPACK_DEBIAN_PLUGIN-DEV_PACKAGE_DEPENDS "liaison-tools (${same})")
set(CPACK_DEBIAN_PLUGIN-DEV_PACKAGE_RECOMMENDS "cmake, g++, ninja-build")
