/* Connections: what goes in at one side comes out at the other. */
#include "contract.h"

static bool has(const struct end *e, const char *text)
{
    return slice_is(buf_peek(&e->got), text);
}

void an_echo_comes_back(void **state)
{
    struct io *io = *state;
    struct pair p;
    pair_open(io, &p);
    end_recv(&p.client);
    end_recv(&p.server);
    end_send(&p.client, "hello", 5);
    UNTIL(io, has(&p.server, "hello"));
    end_send(&p.server, "hello", 5);
    UNTIL(io, has(&p.client, "hello") && p.server.sent.events == 1);
    assert_int_equal(p.client.sent.res, 5);
    assert_int_equal(p.client.sent.last_events, 1);
    pair_close(&p);
}

void many_are_accepted(void **state)
{
    enum { COUNT = 100 };
    struct io *io = *state;
    struct listening l;
    struct end *clients = calloc(COUNT, sizeof *clients);
    assert_non_null(clients);
    listening_open(io, &l);
    for (int i = 0; i < COUNT; i++)
        end_connect(io, &clients[i], &l);
    UNTIL(io, l.fd_count == COUNT);
    for (int i = 0; i < COUNT; i++) {
        UNTIL(io, clients[i].others.events == 1);
        assert_int_equal(clients[i].others.res, 0);
        for (int j = 0; j < i; j++)
            assert_int_not_equal(l.fds[i], l.fds[j]);
    }
    assert_true(l.accept.armed);
    for (int i = 0; i < COUNT; i++) {
        io_discard(io, l.fds[i]);
        end_fini(&clients[i]);
    }
    listening_close(&l);
    free(clients);
}

void nobody_listens_is_refused(void **state)
{
    struct io *io = *state;
    struct listening l;
    struct end e;
    listening_open(io, &l);
    listening_close(&l);
    end_connect(io, &e, &l);
    UNTIL(io, e.others.events == 1);
    assert_int_equal(e.others.res, -ECONNREFUSED);
    assert_int_equal(e.others.last_events, 1);
    end_fini(&e);
}

void data_comes_before_the_end_of_file(void **state)
{
    struct io *io = *state;
    struct pair p;
    pair_open(io, &p);
    end_send(&p.server, "last words", 10);
    UNTIL(io, p.server.sent.events == 1);
    end_fini(&p.server);
    end_recv(&p.client);
    UNTIL(io, p.client.received.last_events == 1);
    assert_int_equal(p.client.received.res, 0);
    assert_true(has(&p.client, "last words"));
    end_fini(&p.client);
}

void a_half_close_leaves_the_other_half(void **state)
{
    struct io *io = *state;
    struct pair p;
    pair_open(io, &p);
    end_recv(&p.client);
    end_recv(&p.server);
    end_send(&p.client, "ask", 3);
    UNTIL(io, p.client.sent.events == 1);
    io_shutdown_send(&p.client.file);
    UNTIL(io, p.server.received.last_events == 1);
    assert_int_equal(p.server.received.res, 0);
    assert_true(has(&p.server, "ask"));

    end_send(&p.server, "answer", 6);
    UNTIL(io, has(&p.client, "answer"));
    assert_int_equal(p.client.received.last_events, 0);

    end_send(&p.client, "more", 4);
    UNTIL(io, p.client.sent.events == 1);
    assert_int_equal(p.client.sent.res, -EPIPE);
    pair_close(&p);
}

static void on_gathered(struct io_op *op, struct io_event event)
{
    struct end *e = CONTAINER_OF(op, struct end, send);
    e->sent = (struct record){.res = event.res, .events = 1};
}

void gathered_parts_go_in_order(void **state)
{
    struct io *io = *state;
    struct pair p;
    pair_open(io, &p);
    end_recv(&p.server);
    struct iovec parts[IO_SEND_PARTS];
    static const char letters[] = "aabbccddeeffgghh";
    for (size_t i = 0; i < IO_SEND_PARTS; i++)
        parts[i] = (struct iovec){(void *)(uintptr_t)(letters + 2 * i), 2};
    io_send(&p.client.file, &p.client.send, parts, IO_SEND_PARTS, on_gathered);
    memset(parts, 0, sizeof parts); /* the array is copied */
    UNTIL(io, has(&p.server, letters) && p.client.sent.events == 1);
    assert_int_equal(p.client.sent.res, 16);
    pair_close(&p);
}

void a_peer_that_is_gone_is_epipe(void **state)
{
    struct io *io = *state;
    struct pair p;
    pair_open(io, &p);
    end_fini(&p.server);
    int res = 0;
    for (int i = 0; i < 100 && res >= 0; i++) { /* TCP learns of it by the answer to a first send */
        end_send(&p.client, "x", 1);
        UNTIL(io, p.client.sent.events == 1);
        res = p.client.sent.res;
        settle(io);
    }
    assert_true(res == -EPIPE || res == -ECONNRESET);
    end_send(&p.client, "x", 1);
    UNTIL(io, p.client.sent.events == 1);
    assert_int_equal(p.client.sent.res, -EPIPE);
    end_fini(&p.client);
}

void a_large_transfer_is_intact(void **state)
{
    enum { SIZE = 3000000 };
    struct io *io = *state;
    struct pair p;
    pair_open(io, &p);
    uint8_t *bytes = malloc(SIZE);
    assert_non_null(bytes);
    for (size_t i = 0; i < SIZE; i++)
        bytes[i] = (uint8_t)(i * 31 + (i >> 11));
    end_recv(&p.server);
    for (size_t done = 0; done < SIZE;) {
        end_send(&p.client, bytes + done, SIZE - done);
        UNTIL(io, p.client.sent.events == 1);
        assert_in_range(p.client.sent.res, 1, SIZE - done);
        done += (size_t)p.client.sent.res;
    }
    UNTIL(io, buf_len(&p.server.got) == SIZE);
    assert_memory_equal(buf_peek(&p.server.got).data, bytes, SIZE);
    pair_close(&p);
    free(bytes);
}

void many_files_talk_at_once(void **state)
{
    enum { COUNT = 120 };
    struct io *io = *state;
    struct pair *pairs = calloc(COUNT, sizeof *pairs);
    assert_non_null(pairs);
    for (int i = 0; i < COUNT; i++) {
        pair_open(io, &pairs[i]);
        end_recv(&pairs[i].server);
    }
    for (int i = 0; i < COUNT; i++)
        end_send(&pairs[i].client, &"0123456789"[i % 10], 1);
    for (int i = 0; i < COUNT; i++) {
        UNTIL(io, buf_len(&pairs[i].server.got) == 1 && pairs[i].client.sent.events == 1);
        assert_int_equal(*buf_peek(&pairs[i].server.got).data, '0' + i % 10);
    }
    for (int i = 0; i < COUNT; i++)
        pair_close(&pairs[i]);
    free(pairs);
}

void poll_tells_what_is_ready(void **state)
{
    struct io *io = *state;
    struct pair p;
    pair_open(io, &p);
    io_poll(&p.client.file, &p.client.other, POLLIN | POLLOUT, on_other);
    UNTIL(io, p.client.others.events == 1);
    assert_int_equal(p.client.others.res, POLLOUT);
    p.client.others = (struct record){0};
    io_poll(&p.client.file, &p.client.other, POLLIN, on_other);
    settle(io);
    assert_int_equal(p.client.others.events, 0);
    end_send(&p.server, "x", 1);
    UNTIL(io, p.client.others.events == 1 && p.server.sent.events == 1);
    assert_int_equal(p.client.others.res & POLLIN, POLLIN);
    assert_int_equal(p.client.others.last_events, 1);
    pair_close(&p);
}

void a_descriptor_changes_its_file(void **state)
{
    struct io *io = *state;
    struct pair p;
    struct end heir;
    pair_open(io, &p);
    end_init(&heir);
    int fd = io_file_release(&p.server.file);
    assert_int_equal(p.server.file.fd, -1);
    io_file_adopt(io, &heir.file, fd);
    end_recv(&heir);
    end_send(&p.client, "to the heir", 11);
    UNTIL(io, has(&heir, "to the heir") && p.client.sent.events == 1);
    end_fini(&p.client);
    end_fini(&heir);
    buf_fini(&p.server.got);
}

void a_discarded_descriptor_ends_the_peer(void **state)
{
    struct io *io = *state;
    struct listening l;
    struct end e;
    listening_open(io, &l);
    end_connect(io, &e, &l);
    UNTIL(io, l.fd_count == 1 && e.others.events == 1);
    io_discard(io, l.fds[0]);
    end_recv(&e);
    UNTIL(io, e.received.last_events == 1);
    assert_int_equal(e.received.res, 0);
    end_fini(&e);
    listening_close(&l);
}
