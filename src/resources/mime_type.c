/* A table of extensions. */
#include "mime_type.h"

#include <stddef.h>
#include <string.h>
#include <strings.h>

static const struct mime_type types[] = {
    {"7z", "application/x-7z-compressed", true},
    {"avif", "image/avif", true},
    {"bash", "text/x-shellscript", false},
    {"bmp", "image/bmp", true},
    {"bz2", "application/x-bzip2", true},
    {"c", "text/x-c", false},
    {"cfg", "text/plain", false},
    {"conf", "text/plain", false},
    {"cpp", "text/x-c++", false},
    {"css", "text/css", false},
    {"csv", "text/csv", false},
    {"deb", "application/vnd.debian.binary-package", true},
    {"diff", "text/x-diff", false},
    {"flac", "audio/flac", true},
    {"gif", "image/gif", true},
    {"go", "text/x-go", false},
    {"gz", "application/gzip", true},
    {"h", "text/x-c", false},
    {"htm", "text/html", false},
    {"html", "text/html", false},
    {"ico", "image/vnd.microsoft.icon", true},
    {"ini", "text/plain", false},
    {"jar", "application/java-archive", true},
    {"java", "text/x-java", false},
    {"jpeg", "image/jpeg", true},
    {"jpg", "image/jpeg", true},
    {"js", "text/javascript", false},
    {"json", "application/json", false},
    {"log", "text/plain", false},
    {"lua", "text/x-lua", false},
    {"markdown", "text/markdown", false},
    {"md", "text/markdown", false},
    {"mjs", "text/javascript", false},
    {"mkv", "video/x-matroska", true},
    {"mp3", "audio/mpeg", true},
    {"mp4", "video/mp4", true},
    {"o", "application/x-object", true},
    {"ogg", "audio/ogg", true},
    {"patch", "text/x-diff", false},
    {"pdf", "application/pdf", true},
    {"php", "text/x-php", false},
    {"pl", "text/x-perl", false},
    {"png", "image/png", true},
    {"py", "text/x-python", false},
    {"pyc", "application/x-python-code", true},
    {"rb", "text/x-ruby", false},
    {"rpm", "application/x-rpm", true},
    {"rs", "text/x-rust", false},
    {"rst", "text/x-rst", false},
    {"sh", "text/x-shellscript", false},
    {"so", "application/x-sharedlib", true},
    {"sql", "application/sql", false},
    {"sqlite", "application/vnd.sqlite3", true},
    {"svg", "image/svg+xml", false},
    {"tar", "application/x-tar", true},
    {"tgz", "application/gzip", true},
    {"tiff", "image/tiff", true},
    {"toml", "application/toml", false},
    {"ts", "text/x-typescript", false},
    {"tsv", "text/tab-separated-values", false},
    {"txt", "text/plain", false},
    {"wasm", "application/wasm", true},
    {"wav", "audio/wav", true},
    {"webm", "video/webm", true},
    {"webp", "image/webp", true},
    {"woff", "font/woff", true},
    {"woff2", "font/woff2", true},
    {"xml", "application/xml", false},
    {"xz", "application/x-xz", true},
    {"yaml", "text/yaml", false},
    {"yml", "text/yaml", false},
    {"zip", "application/zip", true},
    {"zst", "application/zstd", true},
};

const struct mime_type *mime_type_of(const char *path)
{
    const char *name = strrchr(path, '/');
    name = name ? name + 1 : path;
    const char *dot = strrchr(name, '.');
    if (!dot || dot == name)
        return NULL;
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
        if (strcasecmp(types[i].extension, dot + 1) == 0)
            return &types[i];
    return NULL;
}
