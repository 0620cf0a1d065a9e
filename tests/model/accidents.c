/* SPDX-License-Identifier: Apache-2.0 */
/* accidents - what befalls disks, files and processes */
#include "moves.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

static size_t some_node(struct world *w)
{
    return pick(w, (uint32_t)w->node_count);
}

void move_die(struct world *w)
{
    size_t i = some_node(w);
    node_die(w, i);
    if (chance(w, 60))
        node_start(w, i);
}

static void perhaps_restart(struct world *w, size_t i)
{
    if (chance(w, 40))
        node_start(w, i);
    else if (chance(w, 50))
        node_reload(w, i);
}

void move_rollback(struct world *w)
{
    size_t i = some_node(w);
    if (w->file_count == 0)
        return;
    int once = w->nodes[i].trusted_once;
    const struct file *f =
        &w->files[once != NOBODY && chance(w, 40) ? (uint32_t)once
                                                  : pick(w, (uint32_t)w->file_count)];
    if (is_incomplete(w, (int)(f - w->files)))
        return;
    say(w, "n%zu: serial %llu is put back", i, (unsigned long long)f->serial);
    raw_write(w->nodes[i].keyring, kw_blob_peek(&f->bytes));
    perhaps_restart(w, i);
}

void move_lose_file(struct world *w)
{
    size_t i = some_node(w);
    unlink(w->nodes[i].keyring);
    say(w, "n%zu: the keyring file is lost", i);
    perhaps_restart(w, i);
}

static void lose(struct world *w, size_t i, const char *name)
{
    char path[192];
    snprintf(path, sizeof path, "%s/%s", w->nodes[i].state, name);
    unlink(path);
    say(w, "n%zu: %s is lost", i, path);
}

void move_lose_last(struct world *w)
{
    size_t i = some_node(w);
    lose(w, i, "keyring.json");
    w->nodes[i].has_last = false;
    if (chance(w, 50)) {
        unlink(w->nodes[i].keyring);
        say(w, "n%zu: and so is the keyring file", i);
    }
}

/* An old copy of the state directory's keyring is put back. */
void move_old_last(struct world *w)
{
    size_t i = some_node(w);
    char path[192];
    if (w->file_count == 0)
        return;
    const struct file *f = &w->files[pick(w, (uint32_t)w->file_count)];
    snprintf(path, sizeof path, "%s/keyring.json", w->nodes[i].state);
    say(w, "n%zu: its last good keyring is serial %llu now", i,
        (unsigned long long)f->serial);
    raw_write(path, kw_blob_peek(&f->bytes));
    w->nodes[i].has_last = false;
    if (chance(w, 50))
        unlink(w->nodes[i].keyring);
    perhaps_restart(w, i);
}

void move_lose_marks(struct world *w)
{
    size_t i = some_node(w);
    lose(w, i, "marks.json");
    node_forget(w, i);
}

void move_lose_act(struct world *w)
{
    lose(w, some_node(w), "activation.json");
}

void move_lose_state(struct world *w)
{
    size_t i = some_node(w);
    lose(w, i, "marks.json");
    lose(w, i, "activation.json");
    lose(w, i, "keyring.json");
    node_forget(w, i);
    if (chance(w, 50))
        tool_rebuild(w, i);
    else if (chance(w, 50))
        node_start(w, i);
}

/* scp that stopped half-way. */
void move_torn_copy(struct world *w)
{
    size_t i = some_node(w);
    if (w->file_count == 0)
        return;
    const struct file *f = &w->files[w->file_count - 1];
    kw_span part = kw_blob_peek(&f->bytes);
    part.len = pick(w, (uint32_t)part.len - 1); /* the last byte is a newline */
    say(w, "n%zu: gets %zu of %zu bytes of serial %llu", i, part.len, f->bytes.len,
        (unsigned long long)f->serial);
    raw_write(w->nodes[i].keyring, part);
    perhaps_restart(w, i);
}

/* ---- system calls that fail ---- */

static void arm(struct world *w, enum fault fault, unsigned calls)
{
    static const int errors[] = {ENOSPC, EIO, EROFS};
    static const char *const names[] = {"", "fails", "writes half", "is the last"};
    unsigned at = 1 + pick(w, calls);
    say(w, "system call %u %s", at, names[fault]);
    seam_arm(fault, at, errors[pick(w, 3)]);
}

static enum fault some_fault(struct world *w)
{
    return chance(w, 50) ? FAULT_ONCE : chance(w, 20) ? FAULT_SHORT : FAULT_DIES;
}

/* What died left its temporary file; the machine may have gone down with it. */
static void bury(struct world *w, size_t i)
{
    reach.deaths++;
    if (chance(w, 50)) {
        unsigned undone = seam_power_loss(w);
        say(w, "n%zu: power is lost; %u renames are undone", i, undone);
        reach.reverted += undone;
        node_die(w, i);
    }
    sweep(&w->nodes[i]);
}

void move_failing_act(struct world *w)
{
    size_t i = w->place;
    enum fault fault = some_fault(w);
    arm(w, fault, 60);
    some_act(w, i, true);
    bool fired = seam_disarm();
    reach.faults += fired;
    if (fired && fault == FAULT_DIES)
        bury(w, i);
    if (w->nodes[i].is_up == false)
        node_start(w, i);
}

/* The daemon reads a new file and cannot read or write its memory. */
void move_failing_state(struct world *w)
{
    size_t i = some_node(w);
    enum fault fault = some_fault(w);
    if (!w->nodes[i].is_up)
        return;
    if (chance(w, 70))
        some_act(w, i == w->place ? i : w->place, false);
    arm(w, fault, 60);
    node_reload(w, i);
    node_settle(w, i);
    bool fired = seam_disarm();
    reach.faults += fired;
    if (!fired || fault != FAULT_DIES)
        return;
    node_die(w, i);
    bury(w, i);
    if (chance(w, 50))
        node_start(w, i);
}
