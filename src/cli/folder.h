/* Making the folders that a daemon needs before it runs. */
#ifndef SCOUT_CLI_FOLDER_H
#define SCOUT_CLI_FOLDER_H

/* Makes `path` and what is missing above it, with mode 0700; what is there stays as it is. Returns
 * 0, or -1 with errno. */
__attribute__((warn_unused_result)) int folder_make(const char *path);

/* The same for the folder that the file `path` is in. */
__attribute__((warn_unused_result)) int folder_make_for(const char *path);

/* `path`, made absolute by the working directory, into `out` (PATHS_SIZE bytes). Returns 0, or -1
 * with errno. */
__attribute__((warn_unused_result)) int folder_absolute(const char *path, char *out);

#endif
