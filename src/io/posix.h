/* Descriptors of the kernel: what every driver but the simulated one needs. -errno on failure. */
#ifndef SCOUT_IO_POSIX_H
#define SCOUT_IO_POSIX_H

#include "scout/io/io.h"

int posix_socket(struct io *io, int family);
int posix_bind(struct io *io, int fd, const struct sockaddr *addr, socklen_t len);
int posix_listen(struct io *io, const struct sockaddr *addr, socklen_t len, int backlog);
int posix_address(struct io *io, int fd, struct sockaddr_storage *addr, socklen_t *len);
void posix_tune(struct io *io, int fd);
void posix_shutdown_send(struct io *io, int fd);
void posix_send_last(struct io *io, int fd, const void *data, size_t len);
void posix_close(struct io *io, int fd);

#endif
