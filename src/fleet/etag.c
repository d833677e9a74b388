/* A file's etag: the time of its last change and its size, which SFTP version 3 tells in seconds.
 * So two changes within one second that leave the size as it was are not told apart, but for those
 * that are made here (put_place.c). */
#include "scout/fleet/etag.h"

#include <stdio.h>

const char *etag_format(const struct sftp_attrs *attrs, char out[ETAG_SIZE])
{
    const uint32_t needed = SFTP_ATTR_SIZE | SFTP_ATTR_ACMODTIME;
    out[0] = '\0';
    if ((attrs->flags & needed) == needed)
        snprintf(out, ETAG_SIZE, "\"%x-%llx\"", attrs->mtime, (unsigned long long)attrs->size);
    return out;
}
