# liaison_add_plugin(NAME SOURCES file... [MANIFEST manifest.json] [LIBRARIES target...])
#
# Builds NAME.so (for Windows NAME.dll) with exactly one exported symbol, embeds the manifest, and puts it beside the
# library as NAME.manifest.json. The generated header liaison_manifest.hpp feeds LIAISON_PLUGIN(). Both come to lie in
# LIAISON_PLUGIN_OUTPUT_DIRECTORY, by default the current binary directory.

function(liaison_add_plugin name)
    cmake_parse_arguments(PARSE_ARGV 1 arg "" "MANIFEST" "SOURCES;LIBRARIES")
    if(NOT arg_MANIFEST)
        set(arg_MANIFEST manifest.json)
    endif()
    set(folder ${LIAISON_PLUGIN_OUTPUT_DIRECTORY})
    if(NOT folder)
        set(folder ${CMAKE_CURRENT_BINARY_DIR})
    endif()
    cmake_path(ABSOLUTE_PATH arg_MANIFEST BASE_DIRECTORY ${CMAKE_CURRENT_SOURCE_DIR})
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${arg_MANIFEST})
    set(generated ${CMAKE_CURRENT_BINARY_DIR}/${name}_generated)
    _liaison_manifest_header(${arg_MANIFEST} ${generated}/liaison_manifest.hpp)

    add_library(${name} MODULE ${arg_SOURCES})
    target_link_libraries(${name} PRIVATE liaison::plugin-api ${arg_LIBRARIES})
    target_include_directories(${name} PRIVATE ${generated})
    target_compile_options(${name} PRIVATE -fvisibility=hidden $<$<COMPILE_LANGUAGE:CXX>:-fvisibility-inlines-hidden>)
    if(WIN32)
        # __declspec(dllexport) says what is exported. A worker has no other libraries of this compiler beside it.
        target_link_options(${name} PRIVATE -static)
    else()
        target_compile_options(${name} PRIVATE $<$<CXX_COMPILER_ID:GNU>:-fno-gnu-unique>)
        target_link_options(${name} PRIVATE -Wl,--version-script=${CMAKE_CURRENT_FUNCTION_LIST_DIR}/plugin.map
            -Wl,-z,now -Wl,-z,relro)
        if(NOT LIAISON_SANITIZE)
            target_link_options(${name} PRIVATE -Wl,-z,defs)
        endif()
    endif()
    set_target_properties(${name} PROPERTIES PREFIX "" LIBRARY_OUTPUT_DIRECTORY ${folder})
    configure_file(${arg_MANIFEST} ${folder}/${name}.manifest.json COPYONLY)
endfunction()

# The manifest's identity becomes constants, its whole text a raw string in pieces that compilers accept.
function(_liaison_manifest_header manifest header)
    file(READ ${manifest} text)
    foreach(field id version vendor)
        string(JSON ${field} GET "${text}" ${field})
    endforeach()
    set(capabilities 0)
    string(JSON connectors LENGTH "${text}" connectors)
    math(EXPR last "${connectors} - 1")
    set(kinds none test pull push find login logout webhook)
    foreach(i RANGE ${last})
        string(JSON jobs LENGTH "${text}" connectors ${i} jobs)
        math(EXPR last_job "${jobs} - 1")
        foreach(j RANGE ${last_job})
            string(JSON job GET "${text}" connectors ${i} jobs ${j})
            list(FIND kinds ${job} kind)
            if(kind LESS 1)
                message(FATAL_ERROR "${manifest}: unknown job kind '${job}' (known: test, pull, push, find, login, logout, webhook)")
            endif()
            math(EXPR capabilities "${capabilities} | (1 << ${kind})")
        endforeach()
    endforeach()
    set(pieces "")
    string(LENGTH "${text}" length)
    set(at 0)
    while(at LESS length)
        string(SUBSTRING "${text}" ${at} 4000 piece)
        string(APPEND pieces "    R\"liaison(${piece})liaison\"\n")
        math(EXPR at "${at} + 4000")
    endwhile()
    file(CONFIGURE OUTPUT ${header} CONTENT "// Made from the manifest; do not edit.
#pragma once
#include <cstdint>
#include <string_view>
namespace liaison_manifest {
inline constexpr std::string_view id = \"@id@\", version = \"@version@\", vendor = \"@vendor@\";
inline constexpr std::uint64_t capabilities = @capabilities@;
inline constexpr std::string_view text =
@pieces@;
}
" @ONLY)
endfunction()
