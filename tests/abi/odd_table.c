/* Plugins that must be refused before their code runs, made from one source: the build says what is odd. */
#include <liaison/plugin.h>

#ifndef ODD_MAJOR
#define ODD_MAJOR LIAISON_ABI_MAJOR
#endif
#ifndef ODD_MINOR_MIN
#define ODD_MINOR_MIN 0
#endif
#ifndef ODD_MANIFEST
#define ODD_MANIFEST "{}"
#endif
#define LITERAL(text) {text, sizeof(text) - 1}

static const liaison_plugin table = {
    sizeof(liaison_plugin), ODD_MAJOR, 0, ODD_MINOR_MIN, LITERAL("org.liaison.odd"), LITERAL("1"),
    LITERAL("liaison"), LITERAL(ODD_MANIFEST), 0, 0, 0, 0, 0, 0,
};

#ifdef ODD_NO_SYMBOL
int not_a_plugin(void);
int not_a_plugin(void) { return table.size != 0; }
#else
const liaison_plugin *LIAISON_CALL liaison_plugin_v1(void) {
#ifdef ODD_HANGS
    for (volatile int forever = 1; forever;) {
    }
#endif
#ifdef ODD_NULL
    return 0;
#endif
    return &table;
}
#endif
