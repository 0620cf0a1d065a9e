/* SPDX-License-Identifier: Apache-2.0 */
/* A login's question, its answer, and its end. */
#include "login_permit.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <keyward/wire.h>

/* Another process that logs in, or is at the files, is waited for so long. */
#define PATIENCE_NS (10 * KW_S_NS)
enum { NAP_MS = 50 };

struct kw_permit_shared {
    struct kw_pin_owner child;     /* who it is, by its own word                */
    bool begun;                    /* C_Login was called                        */
    bool asked, ended;             /* the parent's: what it heard               */
    struct kw_pin_facts facts;     /* the parent's, for its children            */
    struct kw_pin_verdict verdict; /* a parent's child's answer                 */
    enum kw_pin_end end;
    char reason[160];
    const struct kw_config *config;
};

/* What they change is not left half-done, and a signal is for the one that logs in. */
kw_err kw_permit_open(const struct kw_config *config, uid_t uid, gid_t gid,
                      struct kw_permit *ret)
{
    int pair[2];
    struct kw_permit_shared *board = kw_shared_new(sizeof *board);
    if (board == NULL)
        return kw_err_at(KW_CODE_NO_MEMORY, "mmap");
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0) {
        int saved = errno;
        kw_shared_free(board, sizeof *board);
        return kw_err_native(KW_CODE_IO, (uint32_t)saved, "socketpair");
    }
    board->config = config;
    *ret = (struct kw_permit){.config = config,
                              .files = {.uid = uid, .gid = gid, .stays = true},
                              .parent_fd = pair[0],
                              .child_fd = pair[1],
                              .board = board};
    return KW_OK;
}

static void login_permit_drop(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

/* ---- in the parent's children: the files ------------------------------------------- */

typedef kw_err book_work(const struct kw_pin_book *book, struct kw_permit_shared *b,
                         struct kw_note *note);

static kw_err with_book(struct kw_permit_shared *b, book_work *work, struct kw_note *note)
{
    char runtime[KW_PATH_MAX];
    struct kw_pin_book book = {.runtime = runtime, .clock = &kw_clock_system};
    if (!kw_pin_runtime(b->config->status, runtime))
        runtime[0] = '\0';
    kw_err e = kw_state_open(b->config->state, &book.state, note);
    if (!kw_failed(e))
        e = work(&book, b, note);
    kw_state_close(book.state);
    return e;
}

static kw_err ask_book(const struct kw_pin_book *book, struct kw_permit_shared *b,
                       struct kw_note *note)
{
    return kw_pin_ask(book, &b->facts, &b->child, &b->verdict, note);
}

static kw_err end_book(const struct kw_pin_book *book, struct kw_permit_shared *b,
                       struct kw_note *note)
{
    return kw_pin_settled(book, &b->facts, &b->child, b->end, b->reason, note);
}

static kw_err ask_files(void *shared, struct kw_note *note)
{
    return with_book(shared, ask_book, note);
}

static kw_err write_files(void *shared, struct kw_note *note)
{
    return with_book(shared, end_book, note);
}

/* ---- in the parent ----------------------------------------------------------------- */

/* false: the child is gone, or wants no answer any more. */
static bool nap(const struct kw_permit *a)
{
    struct pollfd p = {.fd = a->parent_fd, .events = 0};
    return poll(&p, 1, NAP_MS) <= 0 || (p.revents & (POLLHUP | POLLERR)) == 0;
}

static kw_err login_permit_look(struct kw_permit *a, struct kw_note *why)
{
    kw_err e = kw_child_run(&a->files, ask_files, a->board, why);
    if (kw_failed(e))
        return e;
    *why = a->board->verdict.why;
    return kw_pin_word_err(a->board->verdict.word);
}

static kw_err login_permit_decide(struct kw_permit *a, struct kw_note *why)
{
    const kw_deadline until = kw_deadline_in(&kw_clock_system, PATIENCE_NS);
    kw_err e = login_permit_look(a, why);
    while (e.code == KW_CODE_BUSY &&
           !kw_deadline_over(until, kw_mono_ns(&kw_clock_system)) && nap(a))
        e = login_permit_look(a, why);
    return e;
}

static void login_permit_say(const struct kw_permit *a, const struct kw_wire_permit *word)
{
    uint8_t buf[KW_WIRE_MAX];
    kw_dst dst = kw_dst_of(buf, sizeof buf);
    KW_MUST(!kw_failed(kw_wire_encode_permit(word, &dst)));
    (void)!send(a->parent_fd, dst.ptr, dst.len, MSG_NOSIGNAL);
}

static void login_permit_answer(struct kw_permit *a, kw_span message)
{
    struct kw_wire_permit word = {.err = {0}};
    if (a->board->asked || kw_failed(kw_wire_decode_pin(message, &a->board->facts)))
        return;
    a->board->asked = true;
    word.err = login_permit_decide(a, &word.note);
    if (!kw_failed(word.err))
        word.note.text[0] = '\0';
    login_permit_say(a, &word);
}

/* What cannot be remembered counts as begun and unclear; what the login itself gave is
 * what the operator must hear about. */
static void login_permit_remember(struct kw_permit *a, enum kw_pin_end end,
                                  const char *reason)
{
    struct kw_note ignored;
    const kw_deadline until = kw_deadline_in(&kw_clock_system, PATIENCE_NS);
    struct kw_permit_shared *b = a->board;
    b->ended = true;
    b->end = end;
    kw_copy_str(b->reason, sizeof b->reason, kw_span_str(reason));
    while (kw_child_run(&a->files, write_files, b, &ignored).code == KW_CODE_BUSY &&
           !kw_deadline_over(until, kw_mono_ns(&kw_clock_system)))
        (void)poll(NULL, 0, NAP_MS);
}

static void hear_end(struct kw_permit *a, kw_span message)
{
    const struct kw_wire_permit remembered = {.err = {0}};
    struct kw_wire_login l;
    if (!a->board->asked || a->board->ended ||
        kw_failed(kw_wire_decode_login(message, &l)))
        return;
    login_permit_remember(a, kw_pin_end_of(l.err, l.was_in), l.note.text);
    login_permit_say(a, &remembered);
}

void kw_permit_serve(struct kw_permit *a)
{
    uint8_t buf[KW_WIRE_MAX];
    ssize_t n;
    login_permit_drop(&a->child_fd);
    while (!a->board->ended && (n = recv(a->parent_fd, buf, sizeof buf, 0)) != 0) {
        kw_span message = kw_span_of(buf, n > 0 ? (size_t)n : 0);
        if (n < 0 && errno != EINTR)
            return;
        if (kw_wire_kind_of(message) == KW_WIRE_PIN)
            login_permit_answer(a, message);
        else
            hear_end(a, message);
    }
}

bool kw_permit_is_inside(const struct kw_permit *a)
{
    return a->board->begun && !a->board->ended;
}

void kw_permit_close(struct kw_permit *a)
{
    struct kw_permit_shared *b = a->board;
    if (b->asked && !b->ended)
        login_permit_remember(a, b->begun ? KW_PIN_UNCLEAR : KW_PIN_NOT_BEGUN,
                              "the process ended within C_Login");
    login_permit_drop(&a->parent_fd);
    login_permit_drop(&a->child_fd);
    kw_shared_free(b, sizeof *b);
    a->board = NULL;
}

/* ---- in the child ------------------------------------------------------------------ */

void kw_permit_child(struct kw_permit *a)
{
    login_permit_drop(&a->parent_fd);
    (void)!kw_pin_owner_of(getpid(), &a->board->child);
}

void kw_permit_begun(struct kw_permit *a)
{
    a->board->begun = true;
}

/* Without a key there is a login all the same: its proof is worth nothing later. */
static kw_err make_mark(const struct kw_permit *a, const struct kw_secret *pin,
                        struct kw_pin_facts *facts)
{
    char runtime[KW_PATH_MAX];
    KW_AUTO_SECRET(key);
    if (kw_pin_runtime(a->config->status, runtime))
        (void)!kw_failed(kw_pin_key(runtime, &key, NULL));
    return kw_pin_mark_make(kw_secret_peek(&key), facts->serial, kw_secret_peek(pin),
                            &facts->mark);
}

static kw_err no_parent(void)
{
    return kw_err_at(KW_CODE_CANCELLED, "socket");
}

static kw_err hear_word(const struct kw_permit *a, struct kw_wire_permit *ret)
{
    uint8_t buf[KW_WIRE_MAX];
    ssize_t n;
    do
        n = recv(a->child_fd, buf, sizeof buf, 0);
    while (n < 0 && errno == EINTR);
    return n > 0 ? kw_wire_decode_permit(kw_span_of(buf, (size_t)n), ret) : no_parent();
}

static kw_err login_permit_ask(const struct kw_permit *a,
                               const struct kw_pin_facts *facts, struct kw_note *note)
{
    uint8_t buf[KW_WIRE_MAX];
    kw_dst dst = kw_dst_of(buf, sizeof buf);
    struct kw_wire_permit word;
    kw_err e = kw_wire_encode_pin(facts, &dst);
    if (kw_failed(e))
        return e;
    if (send(a->child_fd, dst.ptr, dst.len, MSG_NOSIGNAL) != (ssize_t)dst.len)
        return no_parent();
    e = hear_word(a, &word);
    if (!kw_failed(e) && kw_failed(word.err)) {
        *note = word.note;
        e = word.err;
    }
    return e;
}

/* Nothing is made in the token before the login's end is remembered: whatever stops the
 * ceremony later is no unclear login.  Nor without a parent: nobody would record it. */
static kw_err report_end(const struct kw_permit *a, const struct kw_token *token,
                         kw_err login, const struct kw_note *note)
{
    uint8_t buf[KW_WIRE_MAX];
    kw_dst dst = kw_dst_of(buf, sizeof buf);
    struct kw_wire_login l = {.err = login, .was_in = kw_token_was_logged_in(token)};
    struct kw_wire_permit remembered;
    if (kw_failed(login))
        l.note = *note;
    KW_MUST(!kw_failed(kw_wire_encode_login(&l, &dst)));
    if (send(a->child_fd, dst.ptr, dst.len, MSG_NOSIGNAL) != (ssize_t)dst.len)
        return no_parent();
    return hear_word(a, &remembered);
}

kw_err kw_permit_log_in(struct kw_permit *a, struct kw_token *token, struct kw_note *note)
{
    KW_AUTO_SECRET(pin);
    struct kw_pin_facts facts;
    bool tried = false;
    kw_err e = kw_token_pin(token, &pin, &facts, note);
    if (!kw_failed(e))
        e = make_mark(a, &pin, &facts);
    if (!kw_failed(e))
        e = login_permit_ask(a, &facts, note);
    if (!kw_failed(e))
        e = kw_token_login_with(token, &pin, &tried, note);
    kw_err told = tried ? report_end(a, token, e, note) : KW_OK;
    if (kw_failed(e) || !kw_failed(told))
        return e;
    kw_note_set(note, "keyward was ended during the login; nothing was made");
    return told;
}
