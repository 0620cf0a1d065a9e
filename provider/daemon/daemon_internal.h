/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the daemon share: everything that lives as long as the process.
 * All of it belongs to the main thread. */
#ifndef KEYWARD_DAEMON_INTERNAL_H
#define KEYWARD_DAEMON_INTERNAL_H

#include <event2/event.h>

#include <keyward/audit_checkpoints.h>
#include <keyward/audit_node.h>
#include <keyward/audit_writer.h>
#include <keyward/clock.h>
#include <keyward/config.h>
#include <keyward/front.h>
#include <keyward/kms.h>
#include <keyward/listen.h>
#include <keyward/moment.h>
#include <keyward/rpc.h>
#include <keyward/state.h>

struct kw_arguments {
    const char *config; /* path */
    const char *worker; /* path of keyward-hsm, NULL = beside keywardd, else libexec */
    enum { KW_RUN, KW_CHECK_CONFIG, KW_PRINT_CONFIG, KW_DESCRIBE_CONFIG, KW_ENOUGH } what;
    int status; /* of the process, with KW_ENOUGH */
};
/* arguments.c.  Prints help, version or a usage error itself (KW_ENOUGH). */
struct kw_arguments kw_arguments_read(int argc, char **argv);

struct kw_daemon;

/* One listening class: what adopt needs to know. */
struct kw_class_listener {
    struct kw_daemon *daemon;
    size_t class_index;
    struct kw_listener *listener; /* NULL: the daemon ends */
};

/* A file as stat(2) shows it, or the errno with which it does not. */
struct kw_sight {
    int error;
    uint64_t dev, ino;
    int64_t size, ctime_s, ctime_ns;
};

/* flood.c */
struct kw_flood {
    int statm;      /* /proc/self/statm                                    */
    uint64_t limit; /* resident bytes                                      */
    uint64_t first; /* with which it went over it                          */
    unsigned looks; /* over the limit                                      */
    int step;       /* what was done about it                              */
};

struct kw_daemon_audit {
    struct kw_audit_writer *writer; /* NULL: there is none, or not yet */
    struct kw_audit_node node;      /* what a new log says of itself, which borrows it */
    struct kw_audit_copies copies;
    bool ends;                     /* what is dropped now is no record any more */
    char memory[KW_PATH_MAX + 32]; /* path of what the log remembers of itself */
    const char *class_names[KW_CLASSES_MAX];
    struct event *told;
    struct kw_checkpoints checkpoints;
};

struct kw_daemon {
    const struct kw_clock *clock;
    char *config_path;              /* absolute */
    struct kw_config *config;       /* what runs */
    struct kw_config *config_found; /* at the last look; NULL: none yet, or rejected */
    struct kw_note config_rejected; /* "" = it was good, or not looked at */
    char worker[KW_PATH_MAX];
    struct kw_lock lock;
    struct kw_state_dir *state;
    struct event_base *loop;
    struct kw_front *front;
    struct kw_kms *kms;
    struct kw_daemon_audit audit;
    struct kw_rpc *rpc;
    struct kw_class_listener class_listeners[KW_CLASSES_MAX];
    struct event *tick, *signals, *watchdog;
    struct kw_acceptor *status_acceptor;
    struct kw_status_sender *status_sender;
    int64_t started_wall_ns; /* when the status socket was opened */
    struct event *seek;      /* NULL: the keyring file is not looked for again */
    struct kw_sight sighted; /* the file, when it was looked for last          */
    struct kw_bound status;
    size_t descriptors; /* RLIMIT_NOFILE */
    struct kw_flood flood;
    int signal_fd, notify_fd;
    uint64_t beats_seen; /* of the rpc thread, at the last watchdog */
    bool stopping;
    bool rpc_is_down; /* nothing more is taken */
    int64_t stop_began_ns;
    struct kw_note rejected;          /* why the keyring file is not in use; "" = it is */
    struct kw_note last_good_refused; /* why its last good copy is not either    */
    struct kw_keyring *ring;          /* what the front was given last; NULL = none yet */
    struct kw_blob ring_bytes;
    uint32_t ring_active;
    bool remembered;             /* marks and last good copy say so already */
    struct kw_marks known;       /* of what was in use last, written or not; serial 0:
                                    nothing was yet */
    bool unwritten;              /* they could not be written */
    struct kw_note unremembered; /* why they do not, although it is in use */
    int64_t remember_again_ns;
    enum kw_hsm_state told; /* what the service manager was told last */
    char told_reason[KW_NOTE_MAX];
};

/* confine.c.  Before anything else: no core dumps, not dumpable, umask 077,
 * descriptors. */
KW_MUST_USE kw_err kw_confine_early(struct kw_note *note);
/* DENIED for uid 0. */
KW_MUST_USE kw_err kw_confine_check_user(struct kw_note *note);

/* Raises the soft limit on descriptors as far as `want`, or as the hard limit lets it, and
 * returns it: not further, as some library closes every number that there may be. */
size_t kw_confine_descriptors(size_t want);
/* As many as a configuration that asks for least.  IO: there may not be so many */
KW_MUST_USE kw_err kw_confine_check_descriptors(struct kw_note *note);

/* Starts that many threads, at most KW_TASKS_MAX, all of them at once, and ends them: what
 * limits them (RLIMIT_NPROC, which counts all of the user's; the control group; memory) is
 * not to be read from one place.  Signals are blocked.
 * IO  one could not be started, and the note says what to do */
#define KW_TASKS_MAX 64u
KW_MUST_USE kw_err kw_confine_check_tasks(size_t want, struct kw_note *note);

/* startup.c.  Brings everything up in order; on failure *note says which part and why. */
KW_MUST_USE kw_err kw_daemon_open(struct kw_daemon *d, struct kw_note *note);
/* Takes everything down in the other order; d may be half open. */
void kw_daemon_close(struct kw_daemon *d);

/* strays.c: processes that a vendor's library left behind.  Adopt: before any worker.
 * Reap: those that have ended.  End: after the front's end; waits a second at most. */
KW_MUST_USE kw_err kw_strays_adopt(struct kw_note *note);
void kw_strays_reap(struct kw_daemon *d);
void kw_strays_end(struct kw_daemon *d);

/* audit.c.  Opens the log and begins its thread, when the configuration wants one.
 * look: tells who waits, ten times a second besides.  leave: nobody waits any more; what
 * comes is not recorded but counted.  sign_off: the record of the end, a checkpoint, and half a
 * second for its signature, while there is a front.  close: what came after that, and the end;
 * false: its thread is left behind, and reads configuration and `audit` still. */
KW_MUST_USE kw_err kw_daemon_audit_open(struct kw_daemon *d, struct kw_note *note);
struct kw_audit_door kw_daemon_audit_door(const struct kw_daemon *d);
void kw_daemon_audit_look(struct kw_daemon *d);
void kw_daemon_audit_rotate(struct kw_daemon *d);
void kw_daemon_audit_leave(struct kw_daemon *d);
void kw_daemon_audit_sign_off(struct kw_daemon *d);
bool kw_daemon_audit_close(struct kw_daemon *d);

/* audit_events.c.  Those events of the daemon's log that are changes go on record too, from
 * begin to end, which any thread's events may meet; flush: numbers of those that were too
 * many.  tap: before there is a second thread. */
void kw_audit_events_tap(void);
void kw_audit_events_begin(struct kw_audit_writer *writer, const struct kw_clock *clock);
void kw_audit_events_flush(void);
/* The daemon stops: that each worker ends then is no change. */
void kw_audit_events_stop(void);
void kw_audit_events_end(void);

/* audit_checkpoints.c.  key: of the configuration, for the front.  sign_off: blocks half a second at most, in the loop; end: as long,
 * in nothing but the log. */
void kw_daemon_checkpoints_key(const struct kw_daemon *d,
                               struct kw_front_audit_key *ret_key);
void kw_daemon_checkpoints_begin(struct kw_daemon *d);
void kw_daemon_checkpoints_sign_off(struct kw_daemon *d);
void kw_daemon_checkpoints_end(struct kw_daemon *d);

/* signals.c.  Blocks what the loop handles (before any thread), then watches it. */
KW_MUST_USE kw_err kw_signals_block(struct kw_daemon *d, struct kw_note *note);
KW_MUST_USE kw_err kw_signals_watch(struct kw_daemon *d, struct kw_note *note);
void kw_daemon_stop(
    struct kw_daemon *d); /* begins the end; the loop goes on until idle */

/* configuration.c.  What nobody else could have written, and its words.  MISSING, DENIED,
 * IO, BAD_INPUT (*note is "<path>:<line>:<column>: ..."), NO_MEMORY */
KW_MUST_USE kw_err kw_configuration_read(const char *path, struct kw_config **ret_config,
                                         struct kw_note *note);
/* Where it lies, also when the path is a relative one.  IO, NO_MEMORY */
KW_MUST_USE kw_err kw_configuration_at(struct kw_daemon *d, const char *path,
                                       struct kw_note *note);
/* Reads it, says whether it is what runs, and takes nothing of it into use. */
void kw_configuration_look(struct kw_daemon *d);
void kw_configuration_forget(struct kw_daemon *d);

/* reload.c.  Reads the keyring file and takes it into use, or says why not; while none is
 * in use, the last good copy is taken instead.  start: and begins to look for the file
 * again by itself until it is taken.  again: what that does; it says nothing twice. */
void kw_reload(struct kw_daemon *d, const char *why);
void kw_reload_start(struct kw_daemon *d);
void kw_reload_again(struct kw_daemon *d);
/* Looks whether the file has versions that may be read besides what is in use; nothing
 * else of it is taken without SIGHUP. */
void kw_reload_look(struct kw_daemon *d);
/* Remembers what was handed over once the front has it in use. */
void kw_reload_settle(struct kw_daemon *d);
void kw_reload_forget(struct kw_daemon *d);

/* seek.c.  Looks for the keyring file every 2 s, cheaply; no login comes of a look. */
void kw_seek_begin(struct kw_daemon *d);
void kw_seek_end(struct kw_daemon *d); /* also when it never began */

/* flood.c.  Ends connections when the process has grown by 256 MiB since the begin. */
void kw_flood_begin(struct kw_daemon *d);
void kw_flood_look(struct kw_daemon *d); /* ten times a second, until the daemon stops */
void kw_flood_end(struct kw_daemon *d);  /* also when it never began */

/* notify.c: sd_notify(3) without libsystemd.  Nothing happens without NOTIFY_SOCKET. */
void kw_notify_open(struct kw_daemon *d);
void kw_notify(struct kw_daemon *d, const char *text);
void kw_notify_watchdog(struct kw_daemon *d); /* starts the timer, when asked for */

/* status.c: the status socket (connect, receive one JSON document, closed). */
KW_MUST_USE kw_err kw_status_open(struct kw_daemon *d, struct kw_note *note);
void kw_status_close(struct kw_daemon *d);
/* Tells the service manager when the health record changed; the front logs it. */
void kw_status_notify(struct kw_daemon *d);

#endif
