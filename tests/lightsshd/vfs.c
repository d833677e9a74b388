/* A virtual tree whose paths say everything; see vfs.h. */
#include "vfs.h"

#include <inttypes.h>
#include <stdio.h>

#define LINE_LEN 16

/* The digits of "file-123" behind its prefix. */
static bool number_after(struct slice name, const char *prefix, uint64_t *out)
{
    size_t skip = strlen(prefix);
    if (name.len <= skip || memcmp(name.data, prefix, skip) != 0)
        return false;
    uint64_t number = 0;
    for (size_t i = skip; i < name.len; i++) {
        if (name.data[i] < '0' || name.data[i] > '9' || number >= VFS_NUMBER_MAX)
            return false;
        number = number * 10 + (uint64_t)(name.data[i] - '0');
    }
    *out = number;
    return true;
}

static struct vfs_node look_name(struct slice name)
{
    struct vfs_node n = {VFS_NOTHING, false, 0};
    if (number_after(name, "file-", &n.number))
        n.kind = VFS_FILE;
    else if (number_after(name, "dir-", &n.number))
        n.kind = VFS_DIR;
    return n;
}

size_t vfs_real_path(struct slice path, char *out)
{
    size_t len = 0;
    if (path.len >= VFS_PATH_MAX - 1)
        return 0;
    for (size_t i = 0; i < path.len;) {
        size_t end = i;
        while (end < path.len && path.data[end] != '/')
            end++;
        struct slice part = slice_of(path.data + i, end - i);
        i = end + 1;
        if (part.len == 0 || slice_is(part, "."))
            continue;
        if (slice_is(part, "..")) {
            while (len && out[--len] != '/')
                ;
            continue;
        }
        out[len++] = '/';
        memcpy(out + len, part.data, part.len);
        len += part.len;
    }
    if (len == 0)
        out[len++] = '/';
    return len;
}

struct vfs_node vfs_look(struct slice path)
{
    char real[VFS_PATH_MAX];
    size_t len = vfs_real_path(path, real);
    struct vfs_node node = {VFS_DIR, true, 2};
    if (len == 0)
        return (struct vfs_node){VFS_NOTHING, false, 0};
    for (size_t i = 1; i < len && node.kind != VFS_NOTHING;) {
        const char *end = memchr(real + i, '/', len - i);
        size_t part = end ? (size_t)(end - (real + i)) : len - i;
        if (node.kind == VFS_DIR)
            node = look_name(slice_of(real + i, part));
        else
            node.kind = VFS_NOTHING;
        i += part + 1;
    }
    return node;
}

bool vfs_entry(const struct vfs_node *dir, uint64_t index, char *out, struct vfs_node *entry)
{
    if (index >= dir->number)
        return false;
    *entry = (struct vfs_node){VFS_FILE, false, index};
    if (dir->root) {
        entry->kind = index ? VFS_FILE : VFS_DIR;
        entry->number = index ? 1024 : 10;
    }
    snprintf(out, VFS_NAME_SIZE, "%s-%" PRIu64, entry->kind == VFS_FILE ? "file" : "dir",
             entry->number);
    return true;
}

static void put_line(uint64_t line, uint8_t out[LINE_LEN])
{
    static const char digits[] = "0123456789abcdef";
    for (int i = LINE_LEN - 2; i >= 0; i--, line >>= 4)
        out[i] = (uint8_t)digits[line & 15];
    out[LINE_LEN - 1] = '\n';
}

void vfs_fill(uint64_t offset, uint8_t *out, size_t len)
{
    while (len) {
        uint8_t line[LINE_LEN];
        size_t skip = (size_t)(offset % LINE_LEN), part = LINE_LEN - skip;
        if (part > len)
            part = len;
        put_line(offset / LINE_LEN, line);
        memcpy(out, line + skip, part);
        out += part;
        offset += part;
        len -= part;
    }
}
