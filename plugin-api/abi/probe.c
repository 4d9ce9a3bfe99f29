/* One function per struct of plugin.h, so that the debugging information of a shared library tells of them all: what
 * abidw and abidiff read. plugin-1.0.abi is what abidw said of it when 1.0 was frozen; it is never made anew. */
#include <liaison/plugin.h>

#define CLOSED(type, bytes)               \
    void probe_##type(struct type *value); \
    void probe_##type(struct type *value) { (void)value; }
#define STRUCT(type, least) CLOSED(type, least)
#define FIELD(type, field, offset, width)
#define CONSTANT(name, value)

#include "fields.inc"

void probe_entry(const liaison_plugin *(LIAISON_CALL *entry)(void));
void probe_entry(const liaison_plugin *(LIAISON_CALL *entry)(void)) { (void)entry; }
