/* Opening and freeing the ring: the set-up flags, the probe of what the kernel can do, the memory
 * of the provided buffers, and the text that tells why it was refused.
 *
 * The kernel required is Linux 6.1. Multishot recv has no mark of its own; the newest opcode of
 * that release (IORING_OP_SENDMSG_ZC) stands for it. A kernel of 6.1 may still refuse the flags
 * that only make it faster: then the ring opens with fewer. Buffers are mapped, not allocated: a
 * buffer costs memory only once it was used. */
#include "poison.h"
#include "ring.h"

#include "scout/base/error.h"
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#define SYSCTL_PATH "/proc/sys/kernel/io_uring_disabled"
#define OPCODES_MAX 256 /* an opcode is a byte */

/* ---- refusal ---- */

static int read_sysctl(void)
{
    int value = -1;
    FILE *f = fopen(SYSCTL_PATH, "re");
    if (!f)
        return -1; /* kernels before 6.6 do not have it */
    if (fscanf(f, "%d", &value) != 1)
        value = -1;
    fclose(f);
    return value;
}

static int refuse_permission(int sysctl_value, char *why, size_t size)
{
    if (sysctl_value > 0)
        snprintf(why, size,
                 "io_uring is switched off (EPERM): kernel.io_uring_disabled is %d; set it with "
                 "`sysctl kernel.io_uring_disabled=0`",
                 sysctl_value);
    else
        snprintf(why, size,
                 "io_uring is not permitted (EPERM): a seccomp profile forbids it, as Docker's "
                 "default does; allow io_uring_setup, io_uring_enter and io_uring_register");
    return SCOUT_E_PERMISSION;
}

int ring_refusal_text(int error, int sysctl_value, char *why, size_t size)
{
    switch (error) {
    case EPERM:
    case EACCES:
        return refuse_permission(sysctl_value, why, size);
    case ENOSYS:
        snprintf(why, size,
                 "the kernel has no io_uring (ENOSYS): it is too old or a container's seccomp "
                 "profile hides it; Linux 6.1 or newer is needed");
        return SCOUT_E_UNSUPPORTED;
    case EINVAL:
    case EOPNOTSUPP:
        snprintf(why, size,
                 "the kernel's io_uring lacks what is needed (%s): Linux 6.1 or newer is needed",
                 error == EINVAL ? "EINVAL" : "EOPNOTSUPP");
        return SCOUT_E_UNSUPPORTED;
    case ENOMEM:
        snprintf(why, size,
                 "no memory for io_uring (ENOMEM): the limit of locked memory (RLIMIT_MEMLOCK) may "
                 "be too low; raise it with `ulimit -l` or LimitMEMLOCK= of the systemd unit");
        return SCOUT_E_NOMEM;
    case EMFILE:
    case ENFILE:
        snprintf(why, size,
                 "no descriptor left for io_uring (%s): raise the limit of open files "
                 "(RLIMIT_NOFILE) with `ulimit -n` or LimitNOFILE= of the systemd unit",
                 error == EMFILE ? "EMFILE" : "ENFILE");
        return SCOUT_E_LIMIT;
    default:
        snprintf(why, size, "io_uring could not be opened: errno %d (%s)", error, strerror(error));
        return SCOUT_E_INTERNAL;
    }
}

/* ---- opening ---- */

/* Returns 0 or -errno. */
static int open_queue(struct ring *r, unsigned entries)
{
    static const unsigned choices[] = {
        IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_SUBMIT_ALL,
        IORING_SETUP_COOP_TASKRUN | IORING_SETUP_SUBMIT_ALL,
        IORING_SETUP_SUBMIT_ALL,
    };
    int error = -EINVAL;
    for (size_t i = 0; i < sizeof choices / sizeof *choices && error == -EINVAL; i++) {
        struct io_uring_params params = {
            .flags = choices[i] | IORING_SETUP_CLAMP | IORING_SETUP_CQSIZE,
            .cq_entries = 4 * entries,
        };
        error = io_uring_queue_init_params(entries, &r->uring, &params);
    }
    /* Saves each enter the look-up of the descriptor; refused, it goes on without. */
    if (!error)
        (void)!io_uring_register_ring_fd(&r->uring);
    return error;
}

static int probe(struct ring *r)
{
    static const int needed[] = {
        IORING_OP_ACCEPT,       IORING_OP_RECV,       IORING_OP_SEND, IORING_OP_SENDMSG,
        IORING_OP_CONNECT,      IORING_OP_POLL_ADD,   IORING_OP_READ, IORING_OP_WRITE,
        IORING_OP_ASYNC_CANCEL, IORING_OP_SENDMSG_ZC,
    };
    if (!(r->uring.features & IORING_FEAT_EXT_ARG) || !(r->uring.features & IORING_FEAT_NODROP))
        return -EOPNOTSUPP;
    size_t size = sizeof(struct io_uring_probe) + OPCODES_MAX * sizeof(struct io_uring_probe_op);
    struct io_uring_probe *p = calloc(1, size);
    if (!p)
        return -ENOMEM;
    /* Not io_uring_get_probe_ring: it does not tell why it failed. */
    int error = io_uring_register_probe(&r->uring, p, OPCODES_MAX);
    for (size_t i = 0; i < sizeof needed / sizeof *needed && !error; i++)
        if (!io_uring_opcode_supported(p, needed[i]))
            error = -EOPNOTSUPP;
    free(p);
    /* A filter may know the calls one by one, and a pass has no way to report it. */
    return error ? error : io_uring_get_events(&r->uring);
}

static size_t buf_ring_size(const struct ring *r)
{
    return r->buffer_count * sizeof(struct io_uring_buf);
}

static size_t buffers_size(const struct ring *r)
{
    return (size_t)r->buffer_count * IO_RECV_SIZE;
}

static void *map(size_t size)
{
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return memory == MAP_FAILED ? NULL : memory;
}

static void unmap_buffers(struct ring *r)
{
    if (r->buffers) {
        unpoison(r->buffers, buffers_size(r)); /* the address may be somebody else's next */
        munmap(r->buffers, buffers_size(r));
    }
    if (r->buf_ring)
        munmap(r->buf_ring, buf_ring_size(r));
}

static int provide_buffers(struct ring *r)
{
    r->buf_ring = map(buf_ring_size(r));
    r->buffers = map(buffers_size(r));
    if (!r->buf_ring || !r->buffers)
        return -ENOMEM;
    struct io_uring_buf_reg reg = {
        .ring_addr = (uintptr_t)r->buf_ring,
        .ring_entries = r->buffer_count,
        .bgid = RING_BUFFER_GROUP,
    };
    int error = io_uring_register_buf_ring(&r->uring, &reg, 0);
    if (error)
        return error;
    io_uring_buf_ring_init(r->buf_ring);
    for (uint32_t i = 0; i < r->buffer_count; i++)
        ring_give_back(&r->io, i);
    return 0;
}

/* Everything after the queue itself. Returns 0 or -errno. */
static int open_rest(struct ring *r)
{
    int error = probe(r);
    if (!error)
        error = provide_buffers(r);
    if (!error)
        error = jobs_init(&r->jobs);
    return error;
}

static int open_all(struct ring *r, unsigned entries)
{
    int error = open_queue(r, entries);
    if (error)
        return error;
    error = open_rest(r);
    if (error) {
        io_uring_queue_exit(&r->uring);
        unmap_buffers(r);
    }
    return error;
}

int io_ring_open(struct io **out, const struct io_ring_config *config, char *why, size_t why_size)
{
    unsigned entries = config && config->entries ? config->entries : RING_ENTRIES;
    unsigned buffers = config && config->recv_buffers ? config->recv_buffers : RING_RECV_BUFFERS;
    assert(entries <= RING_ENTRIES_MAX && buffers <= RING_BUFFERS_MAX);
    assert((buffers & (buffers - 1)) == 0);

    struct ring *r = calloc(1, sizeof *r);
    if (!r) {
        snprintf(why, why_size, "out of memory");
        return SCOUT_E_NOMEM;
    }
    io_init(&r->io, &ring_driver);
    r->buffer_count = buffers;
    list_init(&r->unarmed);
    list_init(&r->starved);
    list_init(&r->uncancelled);
    list_init(&r->quiet);
    list_init(&r->settling);
    int error = open_all(r, entries);
    if (error) {
        free(r);
        return ring_refusal_text(-error, read_sysctl(), why, why_size);
    }
    ring_driver.update_clock(&r->io);
    *out = &r->io;
    return SCOUT_OK;
}

void ring_teardown(struct ring *r)
{
    jobs_free(&r->jobs);
    io_uring_queue_exit(&r->uring);
    unmap_buffers(r);
    free(r);
}
