# What is installed beside programs, connectors and manual pages, and the three packages for Debian 12:
#   tests/package/build          (ninja, then cpack -G DEB)
# Components: daemon -> liaison, tools -> liaison-tools, plugin-dev -> liaison-plugin-dev.
set(debian ${PROJECT_SOURCE_DIR}/systemd/debian)

# ---- the daemon's configuration, units and documents ----
# What follows is for /usr: units and the default configuration name it.
install(FILES systemd/liaisond.service systemd/liaisond.socket systemd/liaisond-api.socket systemd/liaisond-webhooks.socket
    DESTINATION lib/systemd/system COMPONENT daemon)
install(FILES systemd/liaison.catalog DESTINATION lib/systemd/catalog COMPONENT daemon)
install(FILES systemd/liaison.sysusers DESTINATION lib/sysusers.d RENAME liaison.conf COMPONENT daemon)
install(FILES systemd/liaison.tmpfiles DESTINATION lib/tmpfiles.d RENAME liaison.conf COMPONENT daemon)
install(FILES etc/liaison.yaml DESTINATION /etc/liaison COMPONENT daemon)
install(DIRECTORY DESTINATION /etc/liaison/conf.d COMPONENT daemon)
install(DIRECTORY etc/examples/ DESTINATION share/doc/liaison/examples/conf.d COMPONENT daemon)
install(DIRECTORY systemd/examples/ DESTINATION share/doc/liaison/examples/systemd COMPONENT daemon)
install(FILES etc/prometheus/liaison.rules.yml DESTINATION share/liaison/prometheus COMPONENT daemon)
file(GLOB connector_readmes RELATIVE ${PROJECT_SOURCE_DIR}/plugins ${PROJECT_SOURCE_DIR}/plugins/*/README.md)
foreach(readme ${connector_readmes})
    cmake_path(GET readme PARENT_PATH name)
    install(FILES plugins/${readme} DESTINATION share/doc/liaison/connectors RENAME ${name}.md COMPONENT daemon)
endforeach()

# ---- the packages ----
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_VERSION ${PROJECT_VERSION})
set(CPACK_PACKAGE_VENDOR "liaison")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_PACKAGE_DIRECTORY ${PROJECT_SOURCE_DIR}/.build/packages)
set(CPACK_COMPONENTS_ALL daemon tools plugin-dev)
set(CPACK_STRIP_FILES ON)
set(CPACK_THREADS 0)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE
    WORLD_READ WORLD_EXECUTE)
set(CPACK_PROJECT_CONFIG_FILE ${debian}/relations.cmake)

set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_RELEASE 1)
# Whoever builds packages for others says who that is, as for other Debian tools.
set(name $ENV{DEBFULLNAME})
set(mail $ENV{DEBEMAIL})
if(NOT name OR NOT mail)
    set(name "The liaison authors")
    set(mail liaison@example.org)
endif()
set(CPACK_DEBIAN_PACKAGE_MAINTAINER "${name} <${mail}>")
set(CPACK_DEBIAN_PACKAGE_PRIORITY optional)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_COMPRESSION_TYPE xz)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)

set(CPACK_DEBIAN_DAEMON_PACKAGE_NAME liaison)
set(CPACK_DEBIAN_DAEMON_PACKAGE_SECTION net)
set(CPACK_DEBIAN_DAEMON_DESCRIPTION "keeps the business systems of a house in step
liaisond exchanges reservations, products, orders, invoices and customers
between the systems of a hotel, a restaurant or a wholesaler: without typing,
without duplicates, whatever crashes in between. Each system is reached
through a connector; this package brings the usual ones.")
set(CPACK_DEBIAN_DAEMON_PACKAGE_CONTROL_EXTRA ${debian}/postinst ${debian}/prerm ${debian}/postrm ${debian}/conffiles)

set(CPACK_DEBIAN_TOOLS_PACKAGE_NAME liaison-tools)
set(CPACK_DEBIAN_TOOLS_PACKAGE_SECTION net)
set(CPACK_DEBIAN_TOOLS_DESCRIPTION "command line of liaison, and what runs its connectors
liaisonctl administers a liaison daemon, and checks and tries connectors where
there is none; liaison-worker is the locked process that a connector runs in.")

set(CPACK_DEBIAN_PLUGIN-DEV_PACKAGE_NAME liaison-plugin-dev)
set(CPACK_DEBIAN_PLUGIN-DEV_PACKAGE_SECTION libdevel)
set(CPACK_DEBIAN_PLUGIN-DEV_DESCRIPTION "write connectors for liaison
The interface between liaison and its connectors in C, the kit for C++20, a
template to begin with, and what CMake and pkg-config need to find them.
liaisonctl plugin new NAME writes the project.")

# ---- what policy wants of each package ----
string(TIMESTAMP date "%a, %d %b %Y %H:%M:%S +0000" UTC)
set(changelog ${CMAKE_BINARY_DIR}/debian)
foreach(component ${CPACK_COMPONENTS_ALL})
    string(TOUPPER ${component} key)
    set(package ${CPACK_DEBIAN_${key}_PACKAGE_NAME})
    file(WRITE ${changelog}/${package}/changelog.Debian
        "liaison (${PROJECT_VERSION}-${CPACK_DEBIAN_PACKAGE_RELEASE}) bookworm; urgency=medium\n\n"
        "  * Made from the source tree; what changed is in its history.\n\n"
        " -- ${CPACK_DEBIAN_PACKAGE_MAINTAINER}  ${date}\n")
    execute_process(COMMAND gzip -9nf ${changelog}/${package}/changelog.Debian COMMAND_ERROR_IS_FATAL ANY)
    install(FILES ${changelog}/${package}/changelog.Debian.gz ${debian}/copyright DESTINATION share/doc/${package}
        COMPONENT ${component})
    if(EXISTS ${debian}/${package}.lintian-overrides)
        install(FILES ${debian}/${package}.lintian-overrides DESTINATION share/lintian/overrides RENAME ${package}
            COMPONENT ${component})
    endif()
endforeach()
include(CPack)
