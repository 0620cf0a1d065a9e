/* SPDX-License-Identifier: Apache-2.0 */
/* bad_disk - an instance whose audit log lies on a disk that hangs and fails on command
 *
 * tests/fault/disk.c is preloaded into keywardd, and into nobody else.  Any failure here
 * fails the case with a message. */
#ifndef KEYWARD_TESTS_BAD_DISK_H
#define KEYWARD_TESTS_BAD_DISK_H

#include "instance.h"

struct bad_disk {
    char module[512], control[160], gate[160];
    char env[4][640]; /* of the daemon, beside what the test has itself */
    char *whole[256]; /* with that                                      */
    int lock;         /* of the gate; -1: open */
};

/* Before the daemon starts; takes the instance's in_child.  `disk` stays until the end. */
void bad_disk_between(struct bad_disk *disk, struct instance *h);

/* What happens now at each fdatasync or write of a file of the log. */
enum bad_disk_state {
    BAD_DISK_GOOD = ' ',
    BAD_DISK_EIO = 'e',
    BAD_DISK_EIO_ONCE = '1',
    BAD_DISK_FULL = 's'
};
void bad_disk_is(const struct bad_disk *disk, enum bad_disk_state state);
/* The next fdatasync does not return before go_on; the daemon's log has event=disk-hangs
 * when one has come. */
void bad_disk_hang(struct bad_disk *disk);
void bad_disk_go_on(struct bad_disk *disk);

#endif
