/* Attributes of a file as members of structured content. */
#include "attributes.h"

#include "result.h"
#include "scout/base/time.h"
#include "scout/tools/ls_text.h"
#include <stdio.h>

void attributes_write_mtime(struct json_writer *w, const struct sftp_attrs *a)
{
    char time[TIME_TEXT_SIZE];
    if (a->flags & SFTP_ATTR_ACMODTIME)
        result_str(w, "mtime", time_format(a->mtime * 1000ULL, time));
}

void attributes_write_mode(struct json_writer *w, const struct sftp_attrs *a)
{
    char mode[8];
    if (!(a->flags & SFTP_ATTR_PERMISSIONS))
        return;
    snprintf(mode, sizeof mode, "%04o", a->permissions & 07777u);
    result_str(w, "mode", mode);
}

void attributes_write(struct json_writer *w, const struct sftp_attrs *a)
{
    result_str(w, "type", ls_type_name(a));
    if (a->flags & SFTP_ATTR_SIZE)
        result_uint(w, "size", a->size);
    attributes_write_mtime(w, a);
    attributes_write_mode(w, a);
    if (a->flags & SFTP_ATTR_UIDGID) {
        result_uint(w, "uid", a->uid);
        result_uint(w, "gid", a->gid);
    }
}
