/* The attributes of a file, as `stat -c` or `ls -ldn` writes them, in words. What is no number is
 * left out: a host's shell may print anything. */
#include "exec_attrs.h"

#include <sys/stat.h>

#define MODE_LEN 10 /* as ls writes it, without a sign for more rights behind it */

/* The next word of *s, which shrinks by it and the blank behind it. */
static struct slice take_word(struct slice *s)
{
    const uint8_t *blank = s->len ? memchr(s->data, ' ', s->len) : NULL;
    struct slice word = slice_of(s->data, blank ? (size_t)(blank - s->data) : s->len);
    *s = slice_skip(*s, blank ? word.len + 1 : word.len);
    return word;
}

bool exec_attrs_take_number(struct slice *s, unsigned base, uint64_t max, uint64_t *out)
{
    struct slice word = take_word(s);
    uint64_t value = 0;
    for (size_t i = 0; i < word.len; i++) {
        uint8_t c = word.data[i];
        unsigned digit = c >= '0' && c <= '9'   ? c - (unsigned)'0'
                         : c >= 'a' && c <= 'f' ? c - (unsigned)'a' + 10
                                                : base;
        if (digit >= base || value > (max - digit) / base)
            return false;
        value = value * base + digit;
    }
    *out = value;
    return word.len > 0;
}

static uint32_t type_of_letter(uint8_t letter)
{
    static const struct {
        char letter;
        uint32_t type;
    } types[] = {{'-', S_IFREG},  {'d', S_IFDIR}, {'l', S_IFLNK}, {'p', S_IFIFO},
                 {'s', S_IFSOCK}, {'b', S_IFBLK}, {'c', S_IFCHR}};
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
        if (types[i].letter == (char)letter)
            return types[i].type;
    return 0;
}

/* "drwxr-sr-t" and the like (POSIX, ls); false when it is none. */
static bool mode_of_ls(struct slice word, uint32_t *mode)
{
    uint32_t bits = type_of_letter(word.data[0]);
    if (bits == 0)
        return false;
    for (unsigned i = 0; i < 9; i++) {
        uint8_t c = word.data[i + 1];
        uint32_t special = i == 2 ? S_ISUID : i == 5 ? S_ISGID : i == 8 ? S_ISVTX : 0;
        bool set = c == (uint8_t) "rwx"[i % 3] || (special && (c == 's' || c == 't'));
        bool high = special && (c == 's' || c == 't' || c == 'S' || c == 'T');
        if (!set && !high && c != '-')
            return false;
        bits |= (set ? 0400u >> i : 0) | (high ? special : 0);
    }
    *mode = bits;
    return true;
}

static bool take_mode(struct slice *s, uint32_t *mode)
{
    uint64_t number;
    struct slice rest = *s, word = take_word(&rest);
    if (word.len >= MODE_LEN) {
        *s = rest;
        return mode_of_ls(word, mode);
    }
    if (!exec_attrs_take_number(s, 16, UINT32_MAX, &number))
        return false;
    *mode = (uint32_t)number;
    return true;
}

/* The five words; what is no number is left out. */
void exec_attrs_take(struct slice *s, struct sftp_attrs *out)
{
    uint64_t size, uid, gid, mtime;
    *out = (struct sftp_attrs){0};
    if (take_mode(s, &out->permissions))
        out->flags |= SFTP_ATTR_PERMISSIONS;
    if (exec_attrs_take_number(s, 10, UINT64_MAX, &size)) {
        out->flags |= SFTP_ATTR_SIZE;
        out->size = size;
    }
    bool has_uid = exec_attrs_take_number(s, 10, UINT32_MAX, &uid);
    bool has_gid = exec_attrs_take_number(s, 10, UINT32_MAX, &gid);
    if (has_uid && has_gid) {
        out->flags |= SFTP_ATTR_UIDGID;
        out->uid = (uint32_t)uid;
        out->gid = (uint32_t)gid;
    }
    if (exec_attrs_take_number(s, 10, UINT32_MAX, &mtime)) {
        out->flags |= SFTP_ATTR_ACMODTIME;
        out->atime = out->mtime = (uint32_t)mtime;
    }
}
