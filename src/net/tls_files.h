/* Private to net: the files that TLS is configured by. */
#ifndef SCOUT_NET_TLS_FILES_H
#define SCOUT_NET_TLS_FILES_H

#include "scout/base/error.h"
#include <stddef.h>

#define TLS_FILE_MAX ((size_t)1024 * 1024) /* bytes */

/* The text is NUL-ended, as the library's parsers of PEM want it. */
struct tls_file {
    unsigned char text[TLS_FILE_MAX + 1];
    size_t len; /* with the NUL */
};

enum tls_file_kind {
    TLS_FILE_PUBLIC,
    TLS_FILE_SECRET, /* not everybody's to use */
    TLS_FILE_TRUSTED /* ours or root's, and nobody else's to write */
};

/* `what` and `path` are for messages. 0, or SCOUT_E_INVALID_ARGUMENT. Blocking. */
__attribute__((warn_unused_result)) int tls_file_read(struct tls_file *out, const char *what,
                                                      const char *path, enum tls_file_kind kind,
                                                      struct failure *why);
/* "Cannot use the …", with the library's word for `error`, which may be a count of parts that are
 * none. SCOUT_E_INVALID_ARGUMENT. */
int tls_file_refuse(struct failure *why, const char *what, const char *path, int error);

#endif
