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
/* The same with the words of a line, which are put into it as printf does and have no blanks
 * themselves; the case fails, with all that was said, unless the status is `want`. */
void kw_run_line(struct kw_run *ret_run, int want, const char *program, const char *fmt,
                 ...) __attribute__((format(printf, 4, 5)));

#endif
