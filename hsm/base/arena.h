/* SPDX-License-Identifier: Apache-2.0 */
/* What secret.c wants of arena.c: loans of zeroed, locked blocks. */
#ifndef KEYWARD_BASE_ARENA_H
#define KEYWARD_BASE_ARENA_H

#include <fcntl.h>

#include <keyward/secret.h>

#define KW_ARENA_BLOCK 64u
/* memfd_secret(2) takes O_CLOEXEC, not MFD_CLOEXEC. */
#define O_CLOEXEC_SECRET ((unsigned)O_CLOEXEC)

/* Zeroed bytes, or NULL when no run of blocks is free. */
uint8_t *kw_arena_lend(size_t len);
/* Wipes and takes back what was lent with the same len. */
void kw_arena_return(uint8_t *p, size_t len);

#endif
