/* What kind of file a name stands for. Private to the layer. Pure. */
#ifndef SCOUT_RESOURCES_MIME_TYPE_H
#define SCOUT_RESOURCES_MIME_TYPE_H

#include <stdbool.h>

struct mime_type {
    const char *extension; /* lower-case, without the dot */
    const char *name;      /* "text/plain" */
    bool is_binary;        /* its content is no text, whatever its bytes are */
};

/* By the extension, in any case; NULL: not known. */
const struct mime_type *mime_type_of(const char *path);

#endif
