/* SPDX-License-Identifier: Apache-2.0 */
/* compare - how the keyrings of several nodes stand to each other
 *
 * Every file names the digests of the files before it, so one file says of another, or of
 * a serial and a digest that a daemon told, whether it is one of its ancestors.
 *
 * Pure.
 */
#ifndef KEYWARD_CLI_COMPARE_H
#define KEYWARD_CLI_COMPARE_H

#include <keyward/keyring.h>
#include <keyward/state.h>

/* A keyring file, or what a daemon says that it has taken. */
struct kw_held {
    const char *name;              /* of the file that it was read from         */
    const struct kw_keyring *ring; /* NULL: the saved status of a daemon        */
    char domain[KW_DOMAIN_MAX + 1];
    uint64_t serial; /* 0 = it has taken none */
    uint8_t sha256[32];
};

enum kw_relation {
    KW_HELD_SAME,
    KW_HELD_BEHIND,  /* an ancestor of the other                                  */
    KW_HELD_AHEAD,   /* a descendant of it                                        */
    KW_HELD_FORKED,  /* made from the same file as an ancestor, or of none        */
    KW_HELD_UNKNOWN, /* nothing shows it: too far away, or its file is not at hand */
    KW_HELD_NONE,    /* it has taken none                                         */
    KW_HELD_FOREIGN, /* of another domain                                         */
};
/* "same", "behind", …; as --json has it. */
const char *kw_relation_name(enum kw_relation r);

struct kw_relative {
    enum kw_relation is;
    uint64_t common; /* the last file that both come from; 0 = not known */
};

/* How `item` stands to `to`. */
struct kw_relative kw_compare(const struct kw_held *item, const struct kw_held *to);

/* Would a node that took `item` last, step by step, take `to` when somebody says to trust
 * it?  Both are files.  What a node activated by itself is in none of them: it may be
 * whatever was accepted. */
bool kw_compare_may_trust(const struct kw_held *item, const struct kw_held *to);
/* A version under which something was sealed where `item` is, and which `to` does not
 * open; NULL: there is none. */
const struct kw_version *kw_compare_sealed_apart(const struct kw_held *item,
                                                 const struct kw_held *to);

/* Which one to compare with: the file with the highest serial, the first of equals; else
 * the highest status.  count is at least 1. */
size_t kw_compare_reference(const struct kw_held *items, size_t count);

#endif
