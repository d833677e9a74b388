/* The URI of a page that comes with its data. It names the page for whoever shows it; nothing is
 * read by it. */
#include "scout/ui/page.h"

/* RFC 3986, section 2.3; all else is encoded, so that neither a query nor a fragment begins. */
static bool is_plain(uint8_t byte, bool slash)
{
    return (byte >= 'A' && byte <= 'Z') || (byte >= 'a' && byte <= 'z') ||
           (byte >= '0' && byte <= '9') || byte == '-' || byte == '.' || byte == '_' ||
           byte == '~' || (slash && byte == '/');
}

static int put_encoded(struct buf *out, const char *text, bool slash)
{
    static const char digits[] = "0123456789ABCDEF";
    int error = 0;
    for (; *text && !error; text++) {
        uint8_t byte = (uint8_t)*text;
        char encoded[3] = {'%', digits[byte >> 4], digits[byte & 15]};
        error = is_plain(byte, slash) ? buf_append(out, slice_of(text, 1))
                                      : buf_append(out, slice_of(encoded, sizeof encoded));
    }
    return error;
}

int ui_uri_write(struct buf *out, const char *host, const char *path)
{
    size_t before = buf_len(out);
    int error = buf_append_str(out, "ui://scout/");
    if (!error)
        error = put_encoded(out, host, false);
    if (!error)
        error = buf_append_str(out, "/");
    if (!error)
        error = put_encoded(out, path + strspn(path, "/"), true);
    if (error)
        out->end = out->start + before;
    return error;
}
