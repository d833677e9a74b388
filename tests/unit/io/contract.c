/* Pairs, listeners and their records. */
#include "contract.h"

void settle(struct io *io)
{
    for (int idle = 0; idle < 3;)
        idle = io_run_once(io, 2 * NS_PER_MS) ? 0 : idle + 1;
}

static void note(struct record *r, struct io_event event)
{
    assert_int_equal(r->last_events, 0); /* nothing comes after the last event */
    r->res = event.res;
    r->events++;
    r->last_events += !event.more;
}

/* ---- listening ---- */

static void on_accepted(struct io_op *op, struct io_event event)
{
    struct listening *l = CONTAINER_OF(op, struct listening, accept);
    note(&l->accepted, event);
    assert_int_equal(op->armed, event.more);
    if (event.res < 0)
        return;
    assert_in_range(l->fd_count, 0, 511);
    l->fds[l->fd_count++] = event.res;
}

void listening_open(struct io *io, struct listening *l)
{
    struct sockaddr_in any = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    *l = (struct listening){0};
    assert_int_equal(io_file_listen(io, &l->file, (struct sockaddr *)&any, sizeof any, 512), 0);
    assert_int_equal(io_file_address(&l->file, &l->addr, &l->addr_len), 0);
    assert_int_not_equal(((struct sockaddr_in *)&l->addr)->sin_port, 0);
    io_op_init(&l->accept);
    io_accept(&l->file, &l->accept, on_accepted);
}

static void on_listening_closed(struct io_file *f)
{
    CONTAINER_OF(f, struct listening, file)->closed++;
}

void listening_close(struct listening *l)
{
    struct io *io = l->file.io;
    io_close(&l->file, on_listening_closed);
    UNTIL(io, l->closed == 1);
}

/* ---- one side ---- */

void end_init(struct end *e)
{
    *e = (struct end){0};
    io_op_init(&e->recv);
    io_op_init(&e->send);
    io_op_init(&e->other);
    buf_init(&e->got, 64 << 20);
}

void on_other(struct io_op *op, struct io_event event)
{
    note(&CONTAINER_OF(op, struct end, other)->others, event);
}

void end_connect(struct io *io, struct end *e, const struct listening *l)
{
    end_init(e);
    assert_int_equal(io_file_socket(io, &e->file, AF_INET), 0);
    io_connect(&e->file, &e->other, (const struct sockaddr *)&l->addr, l->addr_len, on_other);
}

static void on_received(struct io_op *op, struct io_event event)
{
    struct end *e = CONTAINER_OF(op, struct end, recv);
    note(&e->received, event);
    assert_int_equal(event.more, event.res > 0);
    if (event.res > 0) {
        assert_in_range(event.res, 1, IO_RECV_SIZE);
        assert_int_equal(event.data.len, event.res);
        assert_int_equal(buf_append(&e->got, event.data), 0);
    }
}

void end_recv(struct end *e)
{
    e->received = (struct record){0};
    io_recv(&e->file, &e->recv, on_received);
}

static void on_sent(struct io_op *op, struct io_event event)
{
    note(&CONTAINER_OF(op, struct end, send)->sent, event);
}

void end_send(struct end *e, const void *data, size_t len)
{
    struct iovec part = {(void *)(uintptr_t)data, len};
    e->sent = (struct record){0};
    io_send(&e->file, &e->send, &part, 1, on_sent);
}

void end_send_quietly(struct end *e, const void *data, size_t len)
{
    struct iovec part = {(void *)(uintptr_t)data, len};
    e->sent = (struct record){0};
    io_send_quietly(&e->file, &e->send, &part, 1, on_sent);
}

static void on_end_closed(struct io_file *f)
{
    struct end *e = CONTAINER_OF(f, struct end, file);
    assert_int_equal(f->fd, -1);
    assert_int_equal(f->armed_count, 0);
    e->closed++;
}

void end_close(struct end *e)
{
    io_close(&e->file, on_end_closed);
}

void end_fini(struct end *e)
{
    struct io *io = e->file.io;
    if (!e->file.closing)
        end_close(e);
    UNTIL(io, e->closed == 1);
    buf_fini(&e->got);
}

/* ---- both ---- */

void pair_open(struct io *io, struct pair *p)
{
    struct listening l;
    listening_open(io, &l);
    end_connect(io, &p->client, &l);
    UNTIL(io, p->client.others.events == 1 && l.fd_count == 1);
    assert_int_equal(p->client.others.res, 0);
    end_init(&p->server);
    io_file_adopt(io, &p->server.file, l.fds[0]);
    io_file_tune(&p->server.file);
    listening_close(&l);
    p->client.others = (struct record){0};
}

void pair_close(struct pair *p)
{
    end_fini(&p->client);
    end_fini(&p->server);
}
