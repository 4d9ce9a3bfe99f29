/* fields.inc as static assertions: what moved, changed its width or its value does not compile, with any compiler, for
 * any system. C11 and C++20. */
#include <liaison/plugin.h>

#ifdef __cplusplus
#define LIAISON_ASSERT static_assert
#else
#define LIAISON_ASSERT _Static_assert
#endif
#define CLOSED(type, bytes) LIAISON_ASSERT(sizeof(struct type) == (bytes), #type " is closed: it never grows");
#define STRUCT(type, least) LIAISON_ASSERT(sizeof(struct type) >= (least), #type " has shrunk");
#define FIELD(type, field, offset, width)                                                                \
    LIAISON_ASSERT(offsetof(struct type, field) == (offset) && sizeof(((struct type *)0)->field) == (width), \
                   #type "." #field " has moved or changed its width");
#define CONSTANT(name, value) LIAISON_ASSERT(name == (value), #name " has changed its value");

#include "fields.inc"
