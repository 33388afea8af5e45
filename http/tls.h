/* TLS, by the library's GnuTLS: the certificate that is shown, and how it is changed.
 *
 * Versions 1.3 and 1.2 only. Each handshake takes the certificate that is in force when it begins;
 * one that was replaced stays until the handshakes that had it are long over.
 * Threads: any.
 */
#ifndef HTTP_TLS_H
#define HTTP_TLS_H

#include "base/status.h"

#include <gnutls/abstract.h>
#include <gnutls/gnutls.h>
#include <stdint.h>

typedef struct vc_tls vc_tls;

#define VC_TLS_PRIORITIES "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2"

/* Read a certificate, with those of its chain behind it, and its key, both PEM.
 *
 * VC_BAD_INPUT, code "bad_certificate": either is no PEM, they do not belong together, the
 * certificate has expired or does not hold yet; codes of http/files.h, "file_mode" for a key that
 * others may read. */
vc_status vc_tls_new(const char *certificate, const char *key, vc_tls **tls_out, vc_error *error);
void vc_tls_free(vc_tls *tls); /* no handshake goes on; NULL is fine */

/* From now on show what another one has, which is empty then and only good to be freed. */
void vc_tls_take(vc_tls *tls, vc_tls *from);

/* Seconds since 1970 when the certificate ends. */
int64_t vc_tls_expires_s(vc_tls *tls);

/* What a handshake is to show: a callback of GnuTLS, but for the context. */
int vc_tls_retrieve(vc_tls *tls, gnutls_pcert_st **chain_out, unsigned *nchain_out,
                    gnutls_privkey_t *key_out);

#endif
