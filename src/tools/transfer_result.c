/* The answer of a copy: the reference's words (A.2.10), and what is known of the new file. */
#include "transfer_result.h"

#include "attributes.h"
#include <stdio.h>

static const char *const names[] = {"upload", "download", "between"};
static const char *const done[] = {"Uploaded", "Downloaded", "Streamed"};

static void put_place(struct json_writer *w, struct json_text_parts *parts, const char *host,
                      const char *path)
{
    if (host) {
        result_part(w, parts, host);
        result_part(w, parts, ":");
    }
    result_part(w, parts, path);
}

static void write_done(struct json_writer *w, struct json_text_parts *parts,
                       const struct transfer_answer *a)
{
    const struct transfer_result *r = a->result;
    char size[64];
    result_part(w, parts, "✓ ");
    result_part(w, parts, done[a->kind]);
    result_part(w, parts, " ");
    put_place(w, parts, a->source_host, a->source_path);
    result_part(w, parts, " → ");
    put_place(w, parts, a->target_host, a->target_path);
    result_part(w, parts, a->kind == TRANSFER_BETWEEN ? " (remote-to-remote)\n" : "\n");
    snprintf(size, sizeof size, "  Size: %.2f KB", (double)r->bytes / 1024);
    result_part(w, parts, size);
    if (r->hashed) {
        result_part(w, parts, "\n  SHA-256: ");
        result_part(w, parts, r->sha256);
    }
    if (!r->put.synced)
        result_part(w, parts, "\n  Not known to be on the disk: the host offers no fsync there");
    if (!r->put.owner_kept)
        result_part(w, parts, "\n  Owner or group are not those of the file before");
}

static void write_place(struct json_writer *w, const char *key, const char *host, const char *path)
{
    json_key(w, key);
    json_object_begin(w);
    if (host)
        result_str(w, "host", host);
    result_str(w, "path", path);
    json_object_end(w);
}

static void write_seconds(struct json_writer *w, const char *key, uint64_t ns)
{
    json_key(w, key);
    json_double(w, (double)ns / 1e9);
}

static void write_object(struct json_writer *w, const struct transfer_answer *a)
{
    const struct transfer_result *r = a->result;
    result_str(w, "kind", "transfer");
    result_str(w, "direction", names[a->kind]);
    write_place(w, "source", a->source_host, a->source_path);
    write_place(w, "destination", a->target_host, a->target_path);
    result_uint(w, "bytes", r->bytes);
    write_seconds(w, "duration_s", r->copy_ns);
    if (r->put.resumed)
        result_uint(w, "resumed", r->put.resumed);
    result_str(w, "verified", r->hashed ? "sha256" : "size");
    if (r->hashed) {
        result_str(w, "sha256", r->sha256);
        write_seconds(w, "verify_s", r->verify_ns);
    }
    attributes_write_mtime(w, &r->put.attrs);
    attributes_write_mode(w, &r->put.attrs);
    result_str(w, "etag", r->put.etag);
    result_bool(w, "created", r->put.created);
    result_bool(w, "synced", r->put.synced);
    result_bool(w, "owner_kept", r->put.owner_kept);
}

void transfer_answer_write(struct json_writer *w, const void *context)
{
    const struct transfer_answer *a = context;
    const struct transfer_result *r = a->result;
    bool failed = r->failure.error != 0;
    struct json_text_parts parts;
    result_text_begin(w, &parts);
    if (failed) {
        result_part(w, &parts, "✗ Transfer failed: ");
        result_part(w, &parts, r->failure.text);
    } else {
        write_done(w, &parts, a);
    }
    result_text_end(w, &parts);
    json_key(w, "structuredContent");
    json_object_begin(w);
    if (failed) {
        result_failure(w, &r->failure);
        if (r->put.may_have_replaced)
            result_bool(w, "may_have_replaced", true);
        if (r->put.kept)
            result_bool(w, "kept", true);
        if (r->put.left_behind)
            result_bool(w, "left_behind", true);
    } else {
        write_object(w, a);
    }
    json_object_end(w);
    if (failed)
        result_bool(w, "isError", true);
}
