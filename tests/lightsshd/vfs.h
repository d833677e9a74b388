/* The files that the light server has: none is stored, a path says all about what it names.
 *
 *   /                 a directory with the entries dir-10 and file-1024
 *   DIR/file-N        a regular file of N bytes: lines of 16 bytes, 15 hexadecimal digits that
 * count the lines from 0, and a newline DIR/dir-N         a directory with the N entries file-0 to
 * file-(N - 1)
 *
 * DIR is / or any dir-N. Nothing else exists. Pure. */
#ifndef LIGHT_VFS_H
#define LIGHT_VFS_H

#include "scout/base/slice.h"

#define VFS_PATH_MAX   4096
#define VFS_NAME_SIZE  32
#define VFS_NUMBER_MAX (1ULL << 48)

enum vfs_kind { VFS_NOTHING, VFS_FILE, VFS_DIR };

struct vfs_node {
    enum vfs_kind kind;
    bool root;
    uint64_t number; /* the file's bytes, the directory's entries */
};

struct vfs_node vfs_look(struct slice path);

/* The absolute path without ".", ".." and doubled slashes, into `out` (VFS_PATH_MAX). Returns its
 * length, or 0 when the path is too long. */
size_t vfs_real_path(struct slice path, char *out);

/* The name of entry `index` of a directory into `out` (VFS_NAME_SIZE), and what it is. False
 * behind the last. */
bool vfs_entry(const struct vfs_node *dir, uint64_t index, char *out, struct vfs_node *entry);

/* Bytes `offset` to `offset + len` of any file. */
void vfs_fill(uint64_t offset, uint8_t *out, size_t len);

#endif
