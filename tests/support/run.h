/* SPDX-License-Identifier: Apache-2.0 */
/* run - a program of the build tree, run to its end, with everything it said
 *
 *   struct kw_run r;
 *   kw_run(&r, (const char *const[]){KEYWARD, "key", "list", NULL});
 *   CHECK(r.status == 0);
 *   CHECK_HAS(r.out, "created");
 *
 * The program inherits the environment, reads /dev/null, and gets no descriptor of ours.
 * ctest's timeout is the only guard against one that does not end.
 */
#ifndef KEYWARD_TESTS_RUN_H
#define KEYWARD_TESTS_RUN_H

struct kw_run {
    int status;           /* exit status, or 128 + the signal's number */
    char out[128 * 1024]; /* standard output, with a NUL; cut to fit   */
    char err[128 * 1024]; /* standard error                            */
};
void kw_run(struct kw_run *ret_run, const char *const argv[]);

#endif
