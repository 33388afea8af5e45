#include "http/tls.h"

#include "base/clock.h"
#include "http/files.h"
#include "http/tokens.h"

#include <gnutls/x509.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { MAX_CHAIN = 16 };

/* Longer than any handshake lasts: the watchdog ends those that do not get on. */
static const int64_t retired_for_ns = INT64_C(300) * 1000000000;

typedef struct identity {
    struct identity *next;
    gnutls_pcert_st chain[MAX_CHAIN];
    unsigned nchain;
    gnutls_privkey_t key;
    int64_t expires_s;
    int64_t retired_ns; /* when another took its place */
} identity;

struct vc_tls {
    pthread_mutex_t lock;
    identity *current; /* those behind it are retired, latest first */
};

static void free_identity(identity *gone)
{
    if (gone == NULL) return;
    for (unsigned i = 0; i < gone->nchain; i++)
        gnutls_pcert_deinit(&gone->chain[i]);
    if (gone->key != NULL) gnutls_privkey_deinit(gone->key);
    free(gone);
}

/* ---- reading ---- */

static vc_status fail(vc_error *error, const char *path, const char *what)
{
    return vc_fail(error, VC_BAD_INPUT, "bad_certificate", "'%s': %s", path, what);
}

static gnutls_datum_t datum_of(vc_str text)
{
    return (gnutls_datum_t){.data = (unsigned char *)text.data, .size = (unsigned)text.size};
}

static vc_status check_times(gnutls_x509_crt_t certificate, const char *path, int64_t *expires_s,
                             vc_error *error)
{
    char text[VC_TIME_TEXT];
    time_t now = time(NULL), from = gnutls_x509_crt_get_activation_time(certificate);
    *expires_s = (int64_t)gnutls_x509_crt_get_expiration_time(certificate);
    if (*expires_s <= (int64_t)now) {
        vc_time_format(*expires_s, text);
        return vc_fail(error, VC_BAD_INPUT, "bad_certificate", "'%s': it expired at %s", path,
                       text);
    }
    if (from <= now) return VC_OK;
    vc_time_format((int64_t)from, text);
    return vc_fail(error, VC_BAD_INPUT, "bad_certificate", "'%s': it does not hold before %s", path,
                   text);
}

/* Only the own certificate: how those behind it are, whoever trusts them knows. */
static vc_status check_certificate(gnutls_x509_crt_t certificate, gnutls_x509_privkey_t key,
                                   const char *path, const char *key_path, int64_t *expires_s,
                                   vc_error *error)
{
    unsigned char own[64], other[64];
    size_t own_size = sizeof own, other_size = sizeof other;
    if (gnutls_x509_crt_get_key_id(certificate, 0, own, &own_size) != 0 ||
        gnutls_x509_privkey_get_key_id(key, 0, other, &other_size) != 0 || own_size != other_size ||
        memcmp(own, other, own_size) != 0)
        return vc_fail(error, VC_BAD_INPUT, "bad_certificate",
                       "'%s' is not the key of the certificate '%s'", key_path, path);
    return check_times(certificate, path, expires_s, error);
}

static vc_status read_chain(identity *made, const char *path, const char *key_path, vc_str chain,
                            vc_str key_text, vc_error *error)
{
    gnutls_datum_t pem = datum_of(chain), key_pem = datum_of(key_text);
    gnutls_x509_crt_t *list = NULL;
    gnutls_x509_privkey_t key = NULL;
    unsigned count = 0;
    vc_status status = VC_OK;
    int rc = gnutls_x509_crt_list_import2(&list, &count, &pem, GNUTLS_X509_FMT_PEM, 0);
    if (rc < 0 || count == 0) return fail(error, path, "no certificate in PEM is in it");
    if (count > MAX_CHAIN) status = fail(error, path, "it has more than 16 certificates");
    if (status == VC_OK && gnutls_x509_privkey_init(&key) != 0) status = vc_no_memory(error);
    if (status == VC_OK &&
        gnutls_x509_privkey_import2(key, &key_pem, GNUTLS_X509_FMT_PEM, NULL, 0) != 0)
        status = fail(error, key_path, "no key in PEM is in it that needs no password");
    if (status == VC_OK)
        status = check_certificate(list[0], key, path, key_path, &made->expires_s, error);
    if (status == VC_OK) {
        unsigned room = count;
        if (gnutls_pcert_import_x509_list(made->chain, list, &room, 0) == 0) made->nchain = room;
        if (made->nchain == 0) status = fail(error, path, "GnuTLS does not take it");
    }
    if (status == VC_OK && gnutls_privkey_init(&made->key) != 0) status = vc_no_memory(error);
    if (status == VC_OK &&
        gnutls_privkey_import_x509(made->key, key, GNUTLS_PRIVKEY_IMPORT_COPY) != 0)
        status = fail(error, key_path, "GnuTLS does not take it");
    if (key != NULL) gnutls_x509_privkey_deinit(key);
    for (unsigned i = 0; i < count; i++)
        gnutls_x509_crt_deinit(list[i]);
    gnutls_free(list);
    return status;
}

static vc_status read_identity(const char *certificate, const char *key, identity **made_out,
                               vc_error *error)
{
    vc_arena arena = {0};
    vc_str chain, key_text;
    identity *made = calloc(1, sizeof *made);
    if (made == NULL) return vc_no_memory(error);
    vc_status status = vc_file_read(certificate, "the certificate", VC_FILE_NOT_WRITTEN_BY_OTHERS,
                                    &arena, &chain, NULL, error);
    if (status == VC_OK)
        status = vc_file_read(key, "the key", VC_FILE_OWNERS_ALONE, &arena, &key_text, NULL, error);
    if (status == VC_OK) {
        status = read_chain(made, certificate, key, chain, key_text, error);
        explicit_bzero((char *)key_text.data, key_text.size);
    }
    vc_arena_release(&arena);
    if (status != VC_OK) {
        free_identity(made);
        made = NULL;
    }
    *made_out = made;
    return status;
}

/* ---- what is in force ---- */

vc_status vc_tls_new(const char *certificate, const char *key, vc_tls **tls_out, vc_error *error)
{
    vc_tls *tls = calloc(1, sizeof *tls);
    if (tls == NULL) return vc_no_memory(error);
    pthread_mutex_init(&tls->lock, NULL);
    vc_status status = read_identity(certificate, key, &tls->current, error);
    if (status != VC_OK) {
        vc_tls_free(tls);
        return status;
    }
    *tls_out = tls;
    return VC_OK;
}

void vc_tls_free(vc_tls *tls)
{
    if (tls == NULL) return;
    for (identity *gone = tls->current, *next; gone != NULL; gone = next) {
        next = gone->next;
        free_identity(gone);
    }
    pthread_mutex_destroy(&tls->lock);
    free(tls);
}

/* Those whose handshakes are over. Called with the lock held. */
static identity *take_retired(identity *current, int64_t now_ns)
{
    identity **at = &current->next;
    while (*at != NULL && now_ns - (*at)->retired_ns < retired_for_ns)
        at = &(*at)->next;
    identity *gone = *at;
    *at = NULL;
    return gone;
}

void vc_tls_take(vc_tls *tls, vc_tls *from)
{
    identity *made = from->current;
    from->current = NULL;
    pthread_mutex_lock(&tls->lock);
    made->next = tls->current;
    tls->current->retired_ns = vc_clock_ns();
    tls->current = made;
    identity *gone = take_retired(made, vc_clock_ns());
    pthread_mutex_unlock(&tls->lock);
    for (identity *next; gone != NULL; gone = next) {
        next = gone->next;
        free_identity(gone);
    }
}

int64_t vc_tls_expires_s(vc_tls *tls)
{
    pthread_mutex_lock(&tls->lock);
    int64_t expires_s = tls->current->expires_s;
    pthread_mutex_unlock(&tls->lock);
    return expires_s;
}

int vc_tls_retrieve(vc_tls *tls, gnutls_pcert_st **chain_out, unsigned *nchain_out,
                    gnutls_privkey_t *key_out)
{
    pthread_mutex_lock(&tls->lock);
    *chain_out = tls->current->chain;
    *nchain_out = tls->current->nchain;
    *key_out = tls->current->key;
    pthread_mutex_unlock(&tls->lock);
    return 0;
}
