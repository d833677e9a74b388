/* Pages are put together from the files of this folder and one JSON value.
 *
 *     view.html up to {{policy}}, the policy, up to {{style}}, view.css, up to {{data}}, the data,
 *     up to {{script}}, the viewer's files one behind the other, the rest
 *
 * The style and the script are the same bytes in every page of a viewer, so their hashes are worked
 * out once. The data is never script: it stands in an element of a type that browsers do not run,
 * with every character escaped that could end that element or begin a comment in it. */
#include "scout/ui/page.h"

#include "assets.h"
#include "scout/base/error.h"
#include <assert.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <strings.h>

#define HASH_TEXT_SIZE 48 /* base64 of 32 bytes, and a NUL */
#define ESCAPE_MAX     6  /* bytes that one byte of data becomes at most */

/* What a viewer's script consists of, in this order; the files of the others are left out. */
static const struct {
    enum ui_asset asset;
    uint32_t viewers; /* bit by enum ui_viewer */
} scripts[] = {
    {ASSET_DOM, ~0u},
    {ASSET_PATH, ~0u},
    {ASSET_BRIDGE, ~0u},
    {ASSET_FRAME, ~0u},
    {ASSET_DIRECTORY, 1u << UI_DIRECTORY | 1u << UI_APP},
    {ASSET_FILE, ~(1u << UI_DIRECTORY)},
    {ASSET_LOG, 1u << UI_LOG | 1u << UI_APP},
    {ASSET_HOSTS, 1u << UI_APP},
    {ASSET_MARKDOWN_EMPHASIS, 1u << UI_MARKDOWN | 1u << UI_APP},
    {ASSET_MARKDOWN_INLINE, 1u << UI_MARKDOWN | 1u << UI_APP},
    {ASSET_MARKDOWN_BLOCKS, 1u << UI_MARKDOWN | 1u << UI_APP},
    {ASSET_MARKDOWN_VIEW, 1u << UI_MARKDOWN | 1u << UI_APP},
    {ASSET_MAIN, ~0u},
};
#define SCRIPT_COUNT (sizeof scripts / sizeof scripts[0])

static bool is_part(size_t script, enum ui_viewer viewer)
{
    return scripts[script].viewers >> viewer & 1u;
}

/* ---- the policy ---- */

static int hash_end(EVP_MD_CTX *context, char out[HASH_TEXT_SIZE])
{
    unsigned char hash[EVP_MAX_MD_SIZE];
    unsigned int len = 0;
    if (EVP_DigestFinal_ex(context, hash, &len) != 1 || len != 32)
        return SCOUT_E_INTERNAL;
    EVP_EncodeBlock((unsigned char *)out, hash, (int)len);
    return 0;
}

static int hash_style(EVP_MD_CTX *context, char out[HASH_TEXT_SIZE])
{
    struct slice css = ui_asset(ASSET_CSS);
    if (EVP_DigestInit_ex(context, EVP_sha256(), NULL) != 1 ||
        EVP_DigestUpdate(context, css.data, css.len) != 1)
        return SCOUT_E_INTERNAL;
    return hash_end(context, out);
}

static int hash_script(EVP_MD_CTX *context, enum ui_viewer viewer, char out[HASH_TEXT_SIZE])
{
    if (EVP_DigestInit_ex(context, EVP_sha256(), NULL) != 1)
        return SCOUT_E_INTERNAL;
    for (size_t i = 0; i < SCRIPT_COUNT; i++) {
        struct slice part = ui_asset(scripts[i].asset);
        if (is_part(i, viewer) && EVP_DigestUpdate(context, part.data, part.len) != 1)
            return SCOUT_E_INTERNAL;
    }
    return hash_end(context, out);
}

int ui_pages_init(struct ui_pages *pages)
{
    char style[HASH_TEXT_SIZE], script[HASH_TEXT_SIZE];
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    int error = context ? hash_style(context, style) : SCOUT_E_NOMEM;
    for (int viewer = 0; !error && viewer < UI_VIEWER_COUNT; viewer++) {
        error = hash_script(context, (enum ui_viewer)viewer, script);
        if (error)
            break;
        int len = snprintf(pages->policy[viewer], UI_POLICY_MAX,
                           "default-src 'none'; style-src 'sha256-%s'; script-src 'sha256-%s'; "
                           "base-uri 'none'; form-action 'none'; "
                           "require-trusted-types-for 'script'; trusted-types 'none'",
                           style, script);
        assert(len > 0 && len < UI_POLICY_MAX);
    }
    EVP_MD_CTX_free(context);
    return error;
}

/* ---- which viewer ---- */

static bool ends_with(struct slice path, const char *end)
{
    size_t len = strlen(end);
    return path.len >= len && strncasecmp((const char *)path.data + path.len - len, end, len) == 0;
}

enum ui_viewer ui_viewer_of(struct slice path)
{
    if (ends_with(path, ".md") || ends_with(path, ".markdown"))
        return UI_MARKDOWN;
    if (ends_with(path, ".log") || ends_with(path, ".logs") ||
        (path.len > 0 && memmem(path.data, path.len, "/log/", 5)))
        return UI_LOG;
    return UI_FILE;
}

/* ---- the page ---- */

/* `<`, `>` and `&` stand only within strings of JSON, and so do U+2028 and U+2029, which some
 * readers take for line breaks. */
static const char *escape_of(struct slice rest, size_t *len)
{
    *len = 1;
    switch (rest.data[0]) {
    case '<':
        return "\\u003c";
    case '>':
        return "\\u003e";
    case '&':
        return "\\u0026";
    case 0xE2:
        *len = 3;
        if (rest.len >= 3 && rest.data[1] == 0x80 && (rest.data[2] & 0xFE) == 0xA8)
            return rest.data[2] == 0xA8 ? "\\u2028" : "\\u2029";
        return NULL;
    default:
        return NULL;
    }
}

static int put_data(struct buf *out, struct slice data)
{
    size_t start = 0, len;
    for (size_t i = 0; i < data.len;) {
        const char *escape = escape_of(slice_of(data.data + i, data.len - i), &len);
        if (!escape) {
            i++;
            continue;
        }
        int error = i > start ? buf_append(out, slice_of(data.data + start, i - start)) : 0;
        if (!error)
            error = buf_append_str(out, escape);
        if (error)
            return error;
        i += len;
        start = i;
    }
    return buf_append(out, slice_of(data.data + start, data.len - start));
}

static int put_scripts(struct buf *out, enum ui_viewer viewer)
{
    int error = 0;
    for (size_t i = 0; !error && i < SCRIPT_COUNT; i++)
        if (is_part(i, viewer))
            error = buf_append(out, ui_asset(scripts[i].asset));
    return error;
}

/* Takes what is before `mark` from *template, and the mark itself. */
static int put_until(struct buf *out, struct slice *template, const char *mark)
{
    const uint8_t *found = memmem(template->data, template->len, mark, strlen(mark));
    assert(found); /* the template is ours */
    size_t len = (size_t)(found - template->data);
    int error = buf_append(out, slice_of(template->data, len));
    len += strlen(mark);
    *template = slice_of(template->data + len, template->len - len);
    return error;
}

int ui_page_write(const struct ui_pages *pages, enum ui_viewer viewer, struct slice data,
                  struct buf *out)
{
    struct slice template = ui_asset(ASSET_HTML);
    size_t before = buf_len(out);
    int error = put_until(out, &template, "{{policy}}");
    if (!error)
        error = buf_append_str(out, pages->policy[viewer]);
    if (!error)
        error = put_until(out, &template, "{{style}}");
    if (!error)
        error = buf_append(out, ui_asset(ASSET_CSS));
    if (!error)
        error = put_until(out, &template, "{{data}}");
    if (!error)
        error = put_data(out, data);
    if (!error)
        error = put_until(out, &template, "{{script}}");
    if (!error)
        error = put_scripts(out, viewer);
    if (!error)
        error = buf_append(out, template);
    if (error)
        out->end = out->start + before;
    return error;
}

size_t ui_page_size_max(size_t data_len)
{
    size_t size = ui_asset(ASSET_HTML).len + ui_asset(ASSET_CSS).len + UI_POLICY_MAX;
    for (size_t i = 0; i < SCRIPT_COUNT; i++)
        size += ui_asset(scripts[i].asset).len;
    return size + ESCAPE_MAX * data_len;
}
