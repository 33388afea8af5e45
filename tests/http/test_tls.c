/* TLS: which versions, which certificates, and a change of certificate under requests. */
#include "access.h"
#include "fixture.h"
#include "http/tls.h"

#include <criterion/criterion.h>
#include <gnutls/x509.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static test_access files;
static char certificate[128], key[128];

/* A certificate of its own name, valid for `days` from `from` on, by OpenSSL. */
static void make(const char *name, const char *from, int days, char *certificate_out, char *key_out)
{
    char command[1024];
    snprintf(certificate_out, 128, "%s/%s.crt", files.directory, name);
    snprintf(key_out, 128, "%s/%s.key", files.directory, name);
    snprintf(command, sizeof command,
             "openssl ecparam -name prime256v1 -genkey -noout -out '%s' 2>/dev/null && "
             "chmod 600 '%s' && openssl req -new -key '%s' -subj /CN=%s -out '%s.csr' && "
             "%s openssl x509 -req -in '%s.csr' -signkey '%s' -days %d -out '%s' 2>/dev/null",
             key_out, key_out, key_out, name, key_out, from, key_out, key_out, days,
             certificate_out);
    cr_assert_eq(system(command), 0, "%s", command);
}

static void start(void)
{
    access_start(&files, NULL);
    make("first", "", 30, certificate, key);
}

static void stop(void)
{
    access_stop(&files);
}

TestSuite(tls, .init = start, .fini = stop, .timeout = 60);

/* ---- a client ---- */

typedef struct client {
    int fd;
    gnutls_session_t session;
    gnutls_certificate_credentials_t credentials;
} client;

/* Returns GnuTLS's error of the handshake. */
static int client_start(client *c, uint16_t port, const char *priorities)
{
    *c = (client){.fd = client_open(port)};
    gnutls_certificate_allocate_credentials(&c->credentials);
    gnutls_init(&c->session, GNUTLS_CLIENT);
    gnutls_priority_set_direct(c->session, priorities, NULL);
    gnutls_credentials_set(c->session, GNUTLS_CRD_CERTIFICATE, c->credentials);
    gnutls_transport_set_int(c->session, c->fd);
    gnutls_handshake_set_timeout(c->session, 5000);
    int rc;
    do
        rc = gnutls_handshake(c->session);
    while (rc < 0 && gnutls_error_is_fatal(rc) == 0);
    return rc;
}

static void client_end(client *c)
{
    gnutls_deinit(c->session);
    gnutls_certificate_free_credentials(c->credentials);
    close(c->fd);
}

/* The name in the server's certificate. */
static void client_name(client *c, char name[64])
{
    unsigned count;
    gnutls_x509_crt_t own;
    size_t size = 64;
    const gnutls_datum_t *list = gnutls_certificate_get_peers(c->session, &count);
    cr_assert_gt(count, 0);
    gnutls_x509_crt_init(&own);
    gnutls_x509_crt_import(own, &list[0], GNUTLS_X509_FMT_DER);
    gnutls_x509_crt_get_dn_by_oid(own, GNUTLS_OID_X520_COMMON_NAME, 0, 0, name, &size);
    gnutls_x509_crt_deinit(own);
}

static bool client_ask(client *c, const char *target)
{
    char request[200], answer[4096];
    size_t size = (size_t)snprintf(request, sizeof request,
                                   "GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n", target);
    if (gnutls_record_send(c->session, request, size) != (ssize_t)size) return false;
    ssize_t got = gnutls_record_recv(c->session, answer, sizeof answer - 1);
    if (got <= 0) return false;
    answer[got] = '\0';
    const char *body = strstr(answer, "\r\n\r\n");
    if (body != NULL && body[4] == '\0') /* the body comes in a record of its own */
        return gnutls_record_recv(c->session, answer, sizeof answer) > 0;
    return strncmp(answer, "HTTP/1.1 200", 12) == 0;
}

/* ---- versions ---- */

Test(tls, versions)
{
    static const struct {
        const char *priorities;
        bool is_taken;
        gnutls_protocol_t version;
    } cases[] = {
        {"NORMAL:-VERS-ALL:+VERS-TLS1.3", true, GNUTLS_TLS1_3},
        {"NORMAL:-VERS-ALL:+VERS-TLS1.2", true, GNUTLS_TLS1_2},
        {"NORMAL", true, GNUTLS_TLS1_3},
        {"NORMAL:-VERS-ALL:+VERS-TLS1.1", false, 0},
        {"NORMAL:-VERS-ALL:+VERS-TLS1.0", false, 0},
        {"LEGACY:-VERS-ALL:+VERS-TLS1.0:+VERS-TLS1.1:+SHA1:+SIGN-ALL", false, 0},
    };
    test_server server;
    const vc_server_options options = {.tls_certificate = certificate, .tls_key = key};
    fixture_start(&server, "samples/golden", &options);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        client c;
        int rc = client_start(&c, server.port, cases[i].priorities);
        cr_expect_eq(rc == 0, cases[i].is_taken, "%s: %s", cases[i].priorities,
                     gnutls_strerror(rc));
        if (rc == 0) {
            cr_expect_eq(gnutls_protocol_get_version(c.session), cases[i].version);
            for (int n = 0; n < 3; n++)
                cr_expect(client_ask(&c, "/v1/cubes/golden_full"), "request %d", n);
        }
        client_end(&c);
    }
    fixture_stop(&server);
}

/* Who speaks plain HTTP there is let go at once, and others are served on. */
Test(tls, plain_http_is_refused)
{
    test_server server;
    test_answer answer;
    client c;
    const vc_server_options options = {.tls_certificate = certificate, .tls_key = key};
    fixture_start(&server, NULL, &options);
    static const char request[] = "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n";
    for (int i = 0; i < 20; i++) {
        int fd = client_open(server.port);
        client_send(fd, request, sizeof request - 1);
        client_read(fd, false, &answer);
        cr_expect_eq(answer.status, 0);
        answer_release(&answer);
        close(fd);
    }
    cr_assert_eq(client_start(&c, server.port, "NORMAL"), 0);
    cr_expect(client_ask(&c, "/healthz"));
    client_end(&c);
    fixture_stop(&server);
}

/* A second handshake on a connection (of 1.2) ends it, and nothing else. */
Test(tls, renegotiation_is_refused)
{
    test_server server;
    client c, other;
    const vc_server_options options = {.tls_certificate = certificate, .tls_key = key};
    fixture_start(&server, NULL, &options);
    cr_assert_eq(client_start(&other, server.port, "NORMAL"), 0);
    for (int i = 0; i < 10; i++) {
        cr_assert_eq(client_start(&c, server.port, "NORMAL:-VERS-ALL:+VERS-TLS1.2"), 0);
        cr_expect(client_ask(&c, "/healthz"));
        int rc;
        do
            rc = gnutls_handshake(c.session);
        while (rc < 0 && gnutls_error_is_fatal(rc) == 0 && rc != GNUTLS_E_WARNING_ALERT_RECEIVED);
        cr_expect_lt(rc, 0);
        client_end(&c);
    }
    cr_expect(client_ask(&other, "/healthz"));
    client_end(&other);
    fixture_stop(&server);
}

/* A page of this server is one of https; one of http is not. */
Test(tls, own_origin)
{
    static const struct {
        const char *origin;
        bool is_own;
    } cases[] = {{"https://localhost", true}, {"http://localhost", false}};
    test_server server;
    const vc_server_options options = {.tls_certificate = certificate, .tls_key = key};
    fixture_start(&server, "samples/golden", &options);
    for (size_t i = 0; i < 2; i++) {
        client c;
        char request[300], answer[4096];
        cr_assert_eq(client_start(&c, server.port, "NORMAL"), 0);
        size_t size = (size_t)snprintf(request, sizeof request,
                                       "DELETE /v1/cubes/nothing HTTP/1.1\r\nHost: localhost\r\n"
                                       "Origin: %s\r\n\r\n",
                                       cases[i].origin);
        gnutls_record_send(c.session, request, size);
        ssize_t got = gnutls_record_recv(c.session, answer, sizeof answer - 1);
        cr_assert_gt(got, 0);
        answer[got] = '\0';
        cr_expect_eq(strncmp(answer, "HTTP/1.1 403", 12) != 0, cases[i].is_own, "%s: %.40s",
                     cases[i].origin, answer);
        client_end(&c);
    }
    fixture_stop(&server);
}

/* ---- certificates ---- */

static void check_refused(const char *crt, const char *own_key, vc_status status, const char *code,
                          const char *says)
{
    vc_tls *tls = NULL;
    vc_server *never;
    vc_error error = {0};
    cr_expect_eq(vc_tls_new(crt, own_key, &tls, &error), status, "%s", says);
    cr_expect_str_eq(error.code, code, "%s: %s", says, error.message);
    cr_expect_not_null(strstr(error.message, says), "%s: %s", says, error.message);
    const vc_server_options options = {.tls_certificate = crt, .tls_key = own_key};
    cr_expect_eq(vc_server_start(&options, &never, NULL), status);
}

Test(tls, certificates_that_do_not_do)
{
    char other[128], other_key[128], bad[128];
    make("other", "", 30, other, other_key);
    check_refused("/nowhere", key, VC_NOT_FOUND, "missing_file", "/nowhere");
    check_refused(certificate, "/nowhere", VC_NOT_FOUND, "missing_file", "/nowhere");
    check_refused(certificate, other_key, VC_BAD_INPUT, "bad_certificate", "is not the key of");
    check_refused(key, key, VC_BAD_INPUT, "bad_certificate", "no certificate in PEM");
    snprintf(bad, sizeof bad, "%s/bad", files.directory);
    access_write(bad, "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", 0600);
    check_refused(bad, key, VC_BAD_INPUT, "bad_certificate", "no certificate in PEM");
    check_refused(certificate, bad, VC_BAD_INPUT, "bad_certificate", "no key in PEM");
    cr_assert_eq(chmod(key, 0640), 0);
    check_refused(certificate, key, VC_BAD_INPUT, "file_mode", "0640");
    cr_assert_eq(chmod(key, 0600), 0);
    const vc_server_options half = {.tls_certificate = certificate};
    vc_server *never;
    vc_error error = {0};
    cr_expect_eq(vc_server_start(&half, &never, &error), VC_BAD_INPUT);
    cr_expect_str_eq(error.code, "bad_certificate");
}

/* One that ended: GnuTLS signs it, since OpenSSL's command makes none that has. */
static void make_with_times(time_t from, time_t to, char *certificate_out)
{
    gnutls_x509_crt_t crt;
    gnutls_x509_privkey_t private;
    gnutls_datum_t pem, out;
    snprintf(certificate_out, 128, "%s/times.crt", files.directory);
    cr_assert_eq(gnutls_load_file(key, &pem), 0);
    gnutls_x509_privkey_init(&private);
    cr_assert_eq(gnutls_x509_privkey_import2(private, &pem, GNUTLS_X509_FMT_PEM, NULL, 0), 0);
    gnutls_x509_crt_init(&crt);
    gnutls_x509_crt_set_version(crt, 3);
    gnutls_x509_crt_set_serial(crt, "\1", 1);
    gnutls_x509_crt_set_dn(crt, "CN=times", NULL);
    gnutls_x509_crt_set_key(crt, private);
    gnutls_x509_crt_set_activation_time(crt, from);
    gnutls_x509_crt_set_expiration_time(crt, to);
    cr_assert_eq(gnutls_x509_crt_sign2(crt, crt, private, GNUTLS_DIG_SHA256, 0), 0);
    cr_assert_eq(gnutls_x509_crt_export2(crt, GNUTLS_X509_FMT_PEM, &out), 0);
    access_write(certificate_out, (const char *)out.data, 0644);
    gnutls_free(out.data);
    gnutls_free(pem.data);
    gnutls_x509_crt_deinit(crt);
    gnutls_x509_privkey_deinit(private);
}

Test(tls, certificates_have_their_time)
{
    char other[128];
    time_t now = time(NULL);
    make_with_times(now - 1000, now - 10, other);
    check_refused(other, key, VC_BAD_INPUT, "bad_certificate", "expired");
    make_with_times(now + 1000, now + 2000, other);
    check_refused(other, key, VC_BAD_INPUT, "bad_certificate", "does not hold before");
    vc_tls *tls;
    make_with_times(now - 1000, now + 1000, other);
    cr_assert_eq(vc_tls_new(other, key, &tls, NULL), VC_OK);
    cr_expect_eq(vc_tls_expires_s(tls), (int64_t)now + 1000);
    vc_tls_free(tls);
}

/* ---- a change while it runs ---- */

typedef struct asking {
    uint16_t port;
    atomic_bool *ends;
    unsigned nasked, nfailed;
} asking;

/* New connections all the time, two requests on each. */
static void *ask_on(void *context)
{
    asking *a = context;
    while (!atomic_load(a->ends)) {
        client c;
        bool is_good = client_start(&c, a->port, "NORMAL") == 0;
        for (int i = 0; i < 2 && is_good; i++)
            is_good = client_ask(&c, "/healthz");
        a->nasked++;
        a->nfailed += !is_good;
        client_end(&c);
    }
    return NULL;
}

Test(tls, reload_loses_no_request)
{
    enum { NCLIENTS = 4, NRELOADS = 20 };
    char other[128], other_key[128], name[64];
    test_server server;
    client c, old;
    vc_error error = {0};
    pthread_t threads[NCLIENTS];
    asking askings[NCLIENTS];
    atomic_bool ends = false;
    make("second", "", 30, other, other_key);
    vc_server_options options = {.tls_certificate = certificate, .tls_key = key, .is_quiet = true};
    const vc_server_options second = {
        .tls_certificate = other, .tls_key = other_key, .is_quiet = true};
    fixture_start(&server, NULL, &options);
    cr_assert_eq(client_start(&old, server.port, "NORMAL"), 0);
    for (int i = 0; i < NCLIENTS; i++) {
        askings[i] = (asking){.port = server.port, .ends = &ends};
        pthread_create(&threads[i], NULL, ask_on, &askings[i]);
    }
    for (int i = 0; i < NRELOADS; i++) {
        usleep(20000);
        const vc_server_options *next = i % 2 == 0 ? &second : &options;
        cr_expect_eq(vc_server_reload(server.server, next, &error), VC_OK, "%s", error.message);
        cr_assert_eq(client_start(&c, server.port, "NORMAL"), 0);
        client_name(&c, name);
        cr_expect_str_eq(name, i % 2 == 0 ? "second" : "first");
        client_end(&c);
    }
    /* One that does not do leaves the old one. */
    const vc_server_options bad = {.tls_certificate = other, .tls_key = key, .is_quiet = true};
    cr_expect_eq(vc_server_reload(server.server, &bad, &error), VC_BAD_INPUT);
    cr_assert_eq(client_start(&c, server.port, "NORMAL"), 0);
    client_name(&c, name);
    cr_expect_str_eq(name, "first");
    client_end(&c);
    cr_expect(client_ask(&old, "/healthz"), "a connection of before goes on");
    client_end(&old);
    atomic_store(&ends, true);
    unsigned nasked = 0;
    for (int i = 0; i < NCLIENTS; i++) {
        pthread_join(threads[i], NULL);
        nasked += askings[i].nasked;
        cr_expect_eq(askings[i].nfailed, 0, "%u of %u", askings[i].nfailed, askings[i].nasked);
    }
    cr_expect_gt(nasked, 10);
    fixture_stop(&server);
}
