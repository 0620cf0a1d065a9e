/* SPDX-License-Identifier: Apache-2.0 */
/* 31: what keyward-exporter serves of a daemon that works, lost its HSM, or is gone, counts
 * what clients counted; and whoever asks badly costs the daemon nothing. */
#include "acts.h"
#include "run.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <keyward/sha256.h>

static const uint8_t seed[32] = "thirty-two bytes of a test seed";
#define SEED kw_span_of(seed, 32)
#define UID "d1dd4ffe-9db5-424a-84b8-96e50c45abd1"

static struct kw_run run;
static struct kw_client_reply sealed, reply;
#define NO_SUCH_KEY "kw1-99-0123456789abcdef01234567"

/* ---- the program ------------------------------------------------------------------- */

struct exporter {
    pid_t pid;
    unsigned port;
};

static pid_t exporter_spawn(const struct instance *h, char *const *args, int err)
{
    static char program[512];
    if (geteuid() == 0)
        instance_lend(h, EXPORTER, "keyward-exporter", program);
    else
        snprintf(program, sizeof program, "%s", EXPORTER);
    pid_t pid = fork();
    CHECK(pid >= 0);
    if (pid != 0)
        return pid;
    dup2(err, STDERR_FILENO);
    if (geteuid() == 0 &&
        (setgroups(0, NULL) != 0 || setgid(h->uid) != 0 || setuid(h->uid) != 0))
        _exit(126);
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    execv(program, args);
    _exit(127);
}

/* Its one line says where it listens. */
static struct exporter exporter_start_as(const struct instance *h, char *const *args)
{
    struct exporter x = {0};
    char line[256] = "";
    int p[2];
    CHECK(pipe2(p, O_CLOEXEC) == 0);
    x.pid = exporter_spawn(h, args, p[1]);
    close(p[1]);
    for (size_t n = 0; n + 1 < sizeof line && strchr(line, '\n') == NULL; n++)
        CHECK(read(p[0], line + n, 1) == 1);
    close(p[0]);
    const char *at = strstr(line, "port ");
    CHECK(at != NULL && sscanf(at, "port %u", &x.port) == 1);
    return x;
}

static struct exporter exporter_start(struct instance *h)
{
    char *args[] = {"keyward-exporter", "--listen", "127.0.0.1:0",
                    "--socket",         h->status,  NULL};
    return exporter_start_as(h, args);
}

static int status_of(pid_t pid)
{
    int st;
    CHECK(waitpid(pid, &st, 0) == pid);
    return WIFEXITED(st) ? WEXITSTATUS(st) : 128 + WTERMSIG(st);
}

static void exporter_stop(struct exporter *x)
{
    CHECK(kill(x->pid, SIGTERM) == 0);
    assert_int_equal(status_of(x->pid), 0);
}

/* ---- who asks ---------------------------------------------------------------------- */

static char page[1 << 20];

static int connection(const struct exporter *x)
{
    const struct sockaddr_in at = {.sin_family = AF_INET,
                                   .sin_port = htons((uint16_t)x->port),
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK(fd >= 0 && connect(fd, (const struct sockaddr *)&at, sizeof at) == 0);
    return fd;
}

/* The status; the body lies in `page`. */
static int get(const struct exporter *x, const char *path)
{
    char text[256];
    size_t len = 0;
    int status = 0;
    int fd = connection(x);
    const int n = snprintf(text, sizeof text, "GET %s HTTP/1.1\r\nHost: a\r\n\r\n", path);
    CHECK(send(fd, text, (size_t)n, MSG_NOSIGNAL) == n);
    for (ssize_t got = 1; got > 0; len += (size_t)got) {
        got = read(fd, page + len, sizeof page - 1 - len);
        CHECK(got >= 0);
    }
    close(fd);
    page[len] = '\0';
    CHECK(sscanf(page, "HTTP/1.1 %d", &status) == 1);
    const char *body = strstr(page, "\r\n\r\n");
    CHECK(body != NULL);
    memmove(page, body + 4, strlen(body + 4) + 1);
    return status;
}

/* A fresh exporter: the one before may show what it saw within the last second. */
static int get_now(struct instance *h, const char *path)
{
    struct exporter x = exporter_start(h);
    const int status = get(&x, path);
    exporter_stop(&x);
    return status;
}

static void serves(const char *line)
{
    char whole[512];
    snprintf(whole, sizeof whole, "\n%s\n", line);
    if (strstr(page, whole) == NULL)
        fail_msg("no line %s in\n%s", line, page);
}

/* ---- cases ------------------------------------------------------------------------- */

static void call_some(struct instance *h)
{
    struct kw_client *c = instance_client(h, h->secrets);
    for (unsigned i = 0; i < 3; i++)
        instance_round_trip(c);
    CHECK_OK(kw_client_encrypt(c, SEED, UID, 10 * KW_S_NS, &reply));
    kw_client_close(c);
    c = instance_client(h, h->bulk);
    CHECK_OK(kw_client_encrypt(c, SEED, UID, 10 * KW_S_NS, &sealed));
    CHECK_OK(kw_client_decrypt(c, kw_span_of(sealed.ciphertext, sealed.ciphertext_len),
                               kw_span_str(NO_SUCH_KEY), UID, 10 * KW_S_NS, &reply));
    kw_client_close(c);
}

static void hash_of(const char *key_id, char dst[80])
{
    uint8_t sha256[KW_SHA256];
    snprintf(dst, 80, "sha256:");
    CHECK_OK(kw_sha256(kw_span_str(key_id), sha256));
    kw_hex(dst + 7, 73, kw_span_of(sha256, sizeof sha256));
}

/* promtool reads its standard input. */
static void checked_by_promtool(const struct instance *h)
{
    char file[128], command[256];
    snprintf(file, sizeof file, "%s/page.prom", h->dir);
    FILE *out = fopen(file, "we");
    CHECK(out != NULL && fputs(page, out) >= 0 && fclose(out) == 0);
    snprintf(command, sizeof command, PROMTOOL " check metrics <%s", file);
    kw_run(&run, (const char *const[]){"/bin/sh", "-c", command, NULL});
    if (run.status != 0)
        fail_msg("promtool: %d\n%s%s", run.status, run.out, run.err);
}

TEST(metrics__after_calls__what_clients_counted)
{
    char line[256], hash[80], key_id[64];
    INSTANCE_AND_ARENA(h, NULL);
    instance_up(&h);
    call_some(&h);
    struct kw_client *c = instance_client(&h, h.secrets);
    CHECK_OK(kw_client_status(c, 10 * KW_S_NS, &reply));
    kw_client_close(c);
    CHECK(kw_copy_str(key_id, sizeof key_id, kw_span_str(reply.key_id)));
    assert_int_equal(get_now(&h, "/metrics"), 200);
    serves("keyward_up 1");
    serves("keyward_requests_total{class=\"secrets\",method=\"encrypt\","
           "grpc_status_code=\"OK\",code=\"ok\"} 4");
    serves("keyward_requests_total{class=\"secrets\",method=\"decrypt\","
           "grpc_status_code=\"OK\",code=\"ok\"} 3");
    serves("keyward_requests_total{class=\"bulk\",method=\"decrypt\","
           "grpc_status_code=\"NotFound\",code=\"unknown-key\"} 1");
    serves(
        "keyward_request_duration_seconds_count{class=\"secrets\",method=\"encrypt\"} 4");
    serves("keyward_request_duration_seconds_bucket{class=\"secrets\",method=\"encrypt\","
           "le=\"+Inf\"} 4");
    serves("keyward_unknown_key_total{class=\"bulk\"} 1");
    serves("keyward_class_encrypts_total{class=\"secrets\",version=\"1\"} 4");
    serves("keyward_class_ready{class=\"bulk\"} 1");
    hash_of(key_id, hash);
    snprintf(line, sizeof line,
             "keyward_active_key_info{version=\"1\",key_id_hash=\"%s\"} 1", hash);
    serves(line);
    snprintf(line, sizeof line, "keyward_key_encrypts_total{key_id_hash=\"%s\"} 5", hash);
    serves(line);
    CHECK(strstr(page, NO_SUCH_KEY) == NULL);
    checked_by_promtool(&h);
    assert_int_equal(instance_stop(&h), 0);
    instance_destroy(&h);
}

TEST(metrics__each_of_the_table__there)
{
    INSTANCE_AND_ARENA(h, NULL);
    instance_up(&h);
    kw_run_line(&run, 0, EXPORTER, "%s", "--describe-metrics");
    assert_int_equal(get_now(&h, "/metrics"), 200);
    unsigned found = 0;
    for (const char *row = run.out; (row = strstr(row, "\n| `")) != NULL; found++) {
        char name[128], type[160];
        row += strlen("\n| `");
        CHECK(sscanf(row, "%127[a-z0-9_]", name) == 1);
        snprintf(type, sizeof type, "\n# TYPE %s ", name);
        if (found > 0 && strstr(page, type) == NULL)
            fail_msg("there is no %s", name);
    }
    CHECK(found > 70);
    assert_int_equal(instance_stop(&h), 0);
    instance_destroy(&h);
}

TEST(status__as_its_schema_says_and_no_member_besides)
{
    static char doc[1 << 16];
    char file[128];
    INSTANCE_AND_ARENA(h, NULL);
    instance_up(&h);
    call_some(&h);
    instance_status(&h, doc, sizeof doc);
    snprintf(file, sizeof file, "%s/status.json", h.dir);
    FILE *out = fopen(file, "we");
    CHECK(out != NULL && fputs(doc, out) >= 0 && fclose(out) == 0);
    kw_run_line(&run, 0, "/usr/bin/python3",
                "-B %s/json_schema.py --closed %s/status.schema.json %s", KW_SUPPORT,
                KW_DOCS, file);
    assert_int_equal(instance_stop(&h), 0);
    instance_destroy(&h);
}

TEST(health__hsm_lost__alive_and_not_ready_by_class)
{
    INSTANCE_AND_ARENA(h, NULL);
    instance_up(&h);
    assert_int_equal(get_now(&h, "/readyz"), 200);
    CHECK_STR(page, "ok");
    instance_lose(&h, 2);
    struct exporter x = exporter_start(&h);
    assert_int_equal(get(&x, "/livez"), 200);
    assert_int_equal(get(&x, "/readyz"), 503);
    CHECK_HAS(page, "[-]class secrets failed: hsm-down\n");
    assert_int_equal(get(&x, "/readyz/secrets?verbose"), 503);
    assert_int_equal(get(&x, "/metrics"), 200);
    serves("keyward_class_ready{class=\"secrets\"} 0");
    serves("keyward_hsm_state{state=\"lost\"} 1");
    exporter_stop(&x);
    instance_find(&h);
    assert_int_equal(get_now(&h, "/readyz?verbose"), 200);
    CHECK_HAS(page, "[+]class secrets ok\n");
    assert_int_equal(instance_stop(&h), 0);
    instance_destroy(&h);
}

TEST(daemon__gone_and_another_process__0_and_counters_from_nought)
{
    INSTANCE_AND_ARENA(h, NULL);
    instance_up(&h);
    call_some(&h);
    assert_int_equal(instance_stop(&h), 0);
    struct exporter x = exporter_start(&h);
    assert_int_equal(get(&x, "/metrics"), 200);
    serves("keyward_up 0");
    CHECK(strstr(page, "keyward_requests_total") == NULL);
    assert_int_equal(get(&x, "/livez"), 503);
    exporter_stop(&x);
    instance_up(&h);
    assert_int_equal(get_now(&h, "/metrics"), 200);
    serves("keyward_requests_total{class=\"secrets\",method=\"encrypt\","
           "grpc_status_code=\"OK\",code=\"ok\"} 0");
    assert_int_equal(instance_stop(&h), 0);
    instance_destroy(&h);
}

TEST(textfile__written_whole_and_0_when_the_daemon_is_gone)
{
    char file[128];
    INSTANCE_AND_ARENA(h, NULL);
    instance_up(&h);
    snprintf(file, sizeof file, "%s/textfile", h.dir);
    CHECK(mkdir(file, 0755) == 0 && chown(file, h.uid, (gid_t)-1) == 0);
    snprintf(file, sizeof file, "%s/textfile/keyward.prom", h.dir);
    char *args[] = {"keyward-exporter", "--textfile", file, "--socket", h.status, NULL};
    assert_int_equal(status_of(exporter_spawn(&h, args, STDERR_FILENO)), 0);
    char *text = instance_read(file);
    CHECK_HAS(text, "\nkeyward_up 1\n");
    CHECK_HAS(text, "\nkeyward_hsm_state{state=\"up\"} 1\n");
    free(text);
    assert_int_equal(instance_stop(&h), 0);
    assert_int_equal(status_of(exporter_spawn(&h, args, STDERR_FILENO)), 0);
    text = instance_read(file);
    CHECK_HAS(text, "\nkeyward_up 0\n");
    free(text);
    instance_destroy(&h);
}

TEST(abuse__a_thousand_connections__scrapes_and_calls_go_on)
{
    enum { MANY = 1000 };
    static int fds[MANY];
    INSTANCE_AND_ARENA(h, NULL);
    instance_up(&h);
    struct exporter x = exporter_start(&h);
    for (int i = 0; i < MANY; i++) {
        fds[i] = connection(&x);
        (void)send(fds[i], "GET /met", 8, MSG_NOSIGNAL); /* it may be closed by now */
    }
    for (int i = 0; i < 100; i++)
        assert_int_equal(get(&x, "/metrics"), 200);
    serves("keyward_up 1");
    CHECK(instance_descriptors(x.pid) < 100);
    call_some(&h);
    for (int i = 0; i < MANY; i++)
        close(fds[i]);
    exporter_stop(&x);
    assert_int_equal(instance_stop(&h), 0);
    instance_destroy(&h);
}

/* Each has room for all of it in the kernel, or in the daemon for five seconds. */
TEST(status__readers_that_take_nothing__status_is_answered_and_the_others_get_it_whole)
{
    enum { MANY = 100 };
    int fds[MANY];
    INSTANCE_AND_ARENA(h, NULL);
    instance_up(&h);
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    CHECK(kw_copy_str(at.sun_path, sizeof at.sun_path, kw_span_str(h.status)));
    for (int i = 0; i < MANY; i++) {
        fds[i] = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        CHECK(connect(fds[i], (const struct sockaddr *)&at, sizeof at) == 0);
    }
    call_some(&h);
    (void)instance_read_status(&h, 0);
    size_t len = 0;
    for (ssize_t n; (n = read(fds[0], page + len, 1)) > 0; len++)
        ;
    page[len] = '\0';
    CHECK(len > 1000 && page[len - 1] == '}');
    for (int i = 0; i < MANY; i++)
        close(fds[i]);
    assert_int_equal(instance_stop(&h), 0);
    instance_destroy(&h);
}

TEST(start__wrong_words_and_root__refused_and_why)
{
    static const struct {
        const char *words, *says;
    } rows[] = {
        {"--listen 0.0.0.0:9464", "not of this machine alone, so it wants --tls-cert"},
        {"--listen [::]:9464", "not of this machine alone"},
        {"--listen localhost:9464", "no address and port"},
        {"--tls-cert /c --tls-key /k", "go together"},
        {"--textfile /x --listen 127.0.0.1:1", "--textfile serves nothing"},
        {"--config /etc/keyward/keyward.yaml", "--config is no option"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        kw_run_line(&run, 2, EXPORTER, "%s", rows[i].words);
        CHECK_HAS(run.err, rows[i].says);
    }
    kw_test_as_root();
    kw_run_line(&run, 1, EXPORTER, "%s", "--listen 127.0.0.1:0");
    CHECK_HAS(run.err, "refuses to run as root");
}

/* ---- TLS --------------------------------------------------------------------------- */

/* A CA, a server's and a client's certificate, another CA's client; keys of the exporter's
 * user. */
static void make_certificates(const struct instance *h)
{
    static const char script[] =
        "cd \"$1\"; mkdir tls; cd tls; q='-newkey ec -pkeyopt ec_paramgen_curve:P-256 "
        "-nodes'\n"
        "for ca in ca other; do openssl req -x509 $q -keyout $ca.key -out $ca.pem -days "
        "2 "
        "-subj /CN=$ca; done\n"
        "sign() { openssl req $q -keyout $1.key -out $1.csr -subj /CN=$1; printf "
        "'subjectAltName=IP:127.0.0.1' >ext; openssl x509 -req -in $1.csr -CA $2.pem "
        "-CAkey $2.key -CAcreateserial -days 2 -out $1.pem -extfile ext; }\n"
        "sign server ca; sign client ca; sign stranger other\n"
        "chown -R \"$2\" .; chmod 755 .";
    char uid[16];
    snprintf(uid, sizeof uid, "%u", h->uid);
    kw_run(&run,
           (const char *const[]){"/bin/sh", "-ec", script, "sh", h->dir, uid, NULL});
    if (run.status != 0)
        fail_msg("%s", run.err);
}

/* Python's own TLS; prints the status of the answer. */
static int asks_with(const struct exporter *x, const struct instance *h, const char *who)
{
    static const char script[] =
        "import http.client, ssl, sys\n"
        "dir, port, who = sys.argv[1:]\n"
        "c = ssl.create_default_context(cafile=f'{dir}/tls/ca.pem')\n"
        "if who: c.load_cert_chain(f'{dir}/tls/{who}.pem', f'{dir}/tls/{who}.key')\n"
        "h = http.client.HTTPSConnection('127.0.0.1', int(port), context=c)\n"
        "h.request('GET', '/metrics')\n"
        "r = h.getresponse(); body = r.read()\n"
        "sys.exit(0 if r.status == 200 and b'keyward_up 1' in body else 3)\n";
    char port[16];
    snprintf(port, sizeof port, "%u", x->port);
    kw_run(&run, (const char *const[]){"/usr/bin/python3", "-c", script, h->dir, port,
                                       who, NULL});
    return run.status;
}

TEST(tls__only_who_has_a_certificate_of_the_ca_is_served)
{
    char cert[128], key[128], ca[128];
    INSTANCE_AND_ARENA(h, NULL);
    instance_up(&h);
    make_certificates(&h);
    snprintf(cert, sizeof cert, "%s/tls/server.pem", h.dir);
    snprintf(key, sizeof key, "%s/tls/server.key", h.dir);
    snprintf(ca, sizeof ca, "%s/tls/ca.pem", h.dir);
    char *args[] = {"keyward-exporter",
                    "--listen",
                    "0.0.0.0:0",
                    "--socket",
                    h.status,
                    "--tls-cert",
                    cert,
                    "--tls-key",
                    key,
                    "--client-ca",
                    ca,
                    NULL};
    struct exporter x = exporter_start_as(&h, args);
    assert_int_equal(asks_with(&x, &h, "client"), 0);
    CHECK(asks_with(&x, &h, "stranger") == 1);
    CHECK_HAS(run.err, "SSL");
    CHECK(asks_with(&x, &h, "") == 1);
    int fd = connection(&x); /* in clear */
    CHECK(send(fd, "GET /metrics HTTP/1.1\r\n\r\n", 25, MSG_NOSIGNAL) == 25);
    CHECK(read(fd, page, 5) <= 0 || memcmp(page, "HTTP/", 5) != 0);
    close(fd);
    exporter_stop(&x);
    assert_int_equal(instance_stop(&h), 0);
    instance_destroy(&h);
}

KW_SUITE("31-exporter")
